"""Set-up runs before anything is installed: it imports the standard library, itself, where things are
in the image, the way to write a file and the digest of one.
"""

import ast
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
# Run as programs, by the Python of .tools/venv.
INSTALLED = {"bootstrap.steps.plugin_version", "bootstrap.commands.service_proxy", "bootstrap.node.certificates"}


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)


OURS = [path for path in sorted((REPOSITORY / "bootstrap").rglob("*.py")) if dotted(path) not in INSTALLED]
MODULES = [
    *OURS,
    REPOSITORY / "sealift" / "processes.py",
    REPOSITORY / "sealift" / "durable" / "file_set.py",
    REPOSITORY / "sealift" / "durable" / "new_file.py",
    REPOSITORY / "sealift" / "serving" / "__init__.py",
    REPOSITORY / "sealift" / "serving" / "image_layout.py",
]
ALLOWED = (
    "bootstrap.",
    "sealift.processes.",
    "sealift.durable.file_set.",
    "sealift.durable.new_file.",
    "sealift.serving.image_layout.",
)


def imported(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_only_the_standard_library_is_imported(module: Path) -> None:
    names = imported(module.read_text())
    foreign = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}

    assert {name for name in foreign if not f"{name}.".startswith(ALLOWED)} == set()


@pytest.mark.parametrize("module", OURS, ids=dotted)
def test_what_needs_installed_packages_is_never_imported(module: Path) -> None:
    assert not INSTALLED & imported(module.read_text())


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 30
