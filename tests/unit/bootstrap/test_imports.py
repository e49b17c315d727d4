"""Set-up runs before anything is installed: it imports the standard library, itself, the cluster's configuration."""

import ast
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
MODULES = [*sorted((REPOSITORY / "bootstrap").glob("*.py")), REPOSITORY / "airgap" / "cluster" / "configuration.py"]
ALLOWED = {"bootstrap", "airgap.cluster", "airgap.cluster.configuration"}


def imported(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_only_the_standard_library_is_imported(module: Path) -> None:
    names = imported(module.read_text())
    foreign = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}

    assert {name for name in foreign if name not in ALLOWED and not name.startswith("bootstrap.")} == set()


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 30
