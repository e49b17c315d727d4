"""Writes the files that are generated from the declarations of the settings: `make docs`.

A test compares each file with this module's output, so that no file becomes outdated.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.sections import SECTIONS
from components.settings.server import ServedModel
from docs import commands_page, metrics_page, outputs_page, settings_pages
from docs.messages import messages
from docs.package_schema import RESOURCES, package_schema
from docs.requirements_list import requirements
from docs.run_outputs import run_outputs
from sealift.rooms import PACKAGES
from sealift.settings.typed import typed_dict

ROOT: Final = Path(__file__).resolve().parent.parent
REFERENCE: Final = ROOT / "docs" / "reference"
ARGS_HEAD: Final = '''\
"""Arguments (`args`) of components and resources, and the sections of a stack's config. `make docs` generates this file
from the declarations of their settings.

No `from __future__ import annotations`, no unions and no Literal: the SDK's component analyzer reads these classes.
"""

# ruff: noqa: E501 (one line for each key)

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi

'''
INPUTS: Final = {f"{name}Args": of for name, (_, of) in RESOURCES.items()}
ARGS: Final[Mapping[str, type[Any]]] = {**INPUTS, "ServedModelArgs": ServedModel} | {
    f"{name.capitalize()}Section": of for name, of in SECTIONS.items() if of not in INPUTS.values()
}
"""Classes to generate. A section whose settings are all of a component's inputs uses the component's class."""


def generated() -> dict[Path, str]:
    """Returns every generated file with its content."""
    return {
        REFERENCE / "configuration.md": settings_pages.index(),
        **{REFERENCE / "settings" / f"{name}.md": page for name, page in settings_pages.pages().items()},
        REFERENCE / "commands.md": commands_page.page(),
        REFERENCE / "outputs.md": outputs_page.page(),
        REFERENCE / "metrics.md": metrics_page.page(),
        ROOT / "requirements.txt": requirements(ROOT / "pyproject.toml"),
        REFERENCE / "messages.txt": messages(ROOT, sorted(PACKAGES)),
        ROOT / "components" / "args.py": _args(),
        ROOT / "components" / "run_outputs.py": run_outputs(),
        ROOT / "components" / "plugin" / "schema.json": package_schema(),
    }


def _args() -> str:
    return ARGS_HEAD + "\n\n".join(["", *(typed_dict(name, of) for name, of in ARGS.items())])[1:]


if __name__ == "__main__":
    for file, content in generated().items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
