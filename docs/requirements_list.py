"""requirements.txt, from the dependency groups of pyproject.toml."""

import tomllib
from pathlib import Path
from typing import Final

HEAD: Final = """\
# Everything that a checkout needs: the dependency groups of pyproject.toml, which say why each package is here.
# `make docs` writes this file.
"""


def requirements(pyproject: Path) -> str:
    """One line for each package, by group."""
    groups: dict[str, list[str]] = tomllib.loads(pyproject.read_text())["dependency-groups"]
    return HEAD + "".join(f"\n# {name}\n" + "".join(f"{one}\n" for one in group) for name, group in groups.items())
