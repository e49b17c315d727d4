"""Each promise of the security page names tests, and they exist."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.documented import PROJECT_ROOT

PAGE: Final = PROJECT_ROOT / "docs/explanation/security-model.md"
HEADING: Final = "## Promises and their tests\n"
COLUMNS: Final = 3
TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`\Z")


def promises() -> list[list[str]]:
    section = PAGE.read_text().partition(HEADING)[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line]
    return rows[2:]  # after the head and its rule


def functions_of(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", promises(), ids=lambda row: row[0])
def test_a_promise_says_against_whom_and_its_tests_exist(row: list[str]) -> None:
    promise, against, tests = row
    named = [TEST.match(one) for one in tests.split("<br>")]

    assert promise and against and all(named), row
    missing = [one[0] for one in named if one and one[2] not in functions_of(PROJECT_ROOT / one[1])]
    assert missing == []


def test_the_table_is_read() -> None:
    assert len(promises()) > COLUMNS
