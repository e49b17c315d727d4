"""Set-up runs before anything is installed: it imports the standard library, itself, the cluster's configuration, where
things are in the image, and the way to write a file.
"""

import ast
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
# Run as a program, by the Python of .tools/venv.
INSTALLED = {"plugin_version", "service_proxy"}
OURS = [path for path in sorted((REPOSITORY / "bootstrap").glob("*.py")) if path.stem not in INSTALLED]
MODULES = [
    *OURS,
    REPOSITORY / "airgap" / "cluster" / "configuration.py",
    REPOSITORY / "durable" / "new_file.py",
    REPOSITORY / "serving" / "__init__.py",
    REPOSITORY / "serving" / "places.py",
]
ALLOWED = {"bootstrap", "airgap.cluster", "airgap.cluster.configuration", "durable.new_file", "serving.places"}


def imported(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "serving":
            found |= {f"serving.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_only_the_standard_library_is_imported(module: Path) -> None:
    names = imported(module.read_text())
    foreign = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}

    assert {name for name in foreign if name not in ALLOWED and not name.startswith("bootstrap.")} == set()


@pytest.mark.parametrize("module", OURS, ids=lambda path: path.stem)
def test_what_needs_installed_packages_is_never_imported(module: Path) -> None:
    assert not {f"bootstrap.{name}" for name in INSTALLED} & imported(module.read_text())


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 30
