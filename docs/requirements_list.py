"""requirements.txt, from the dependency groups of pyproject.toml."""

import tomllib
from pathlib import Path
from typing import Final

HEAD: Final = """\
# Everything that a checkout needs: the dependency groups of pyproject.toml, which say why each package is here.
# `make docs` writes this file.
"""


def requirements(pyproject: Path) -> str:
    """Returns one line for each package, below the first group that has it."""
    groups: dict[str, list[str]] = tomllib.loads(pyproject.read_text())["dependency-groups"]
    parts, written = [HEAD], set[str]()
    for name, group in groups.items():
        parts += [f"\n# {name}\n", *(f"{one}\n" for one in group if one not in written)]
        written |= set(group)
    return "".join(parts)
