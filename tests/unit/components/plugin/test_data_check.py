"""When a preview asks a process of its data, and what it makes of the answer."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from components.plugin.announcement import describe_changes
from components.plugin.data_check import NOTHING, DataChecks, DataFindings, is_readable, rows_changed
from sealift.provider import UNKNOWN, CheckFailure, Properties
from training.job import Job

INPUTS: Properties = {"dataset": "churn.csv", "data": {"target": "churned"}, "dataDigest": "a", "epochs": 5}
ANSWER = '{"problems": [{"property": "data.target", "message": "is odd"}], "rows": 7}'


def job(**raw: Any) -> Job:
    made, problems = Job.validate({"dataset": "churn.csv", "data": {"target": "churned"}, **raw})
    assert made is not None, problems
    return made


def checks(tmp_path: Path, says: str = f"print({ANSWER!r})", seconds: float = 60) -> DataChecks:
    """With a stand-in for the process, which leaves a line in `asked` each time."""
    code = f"import sys, time; open({str(tmp_path / 'asked')!r}, 'a').write(sys.stdin.read() + '\\n'); {says}"
    return DataChecks((sys.executable, "-c", code), seconds)


def asked(tmp_path: Path) -> list[str]:
    file = tmp_path / "asked"
    return file.read_text().splitlines() if file.exists() else []


def test_what_is_new_is_asked_once_and_remembered(tmp_path: Path) -> None:
    data_checks = checks(tmp_path)
    expected = DataFindings((CheckFailure("data.target", "is odd"),), 7)

    assert data_checks.find_known(INPUTS) == NOTHING
    for _ in range(2):
        assert asyncio.run(data_checks.look({}, INPUTS, job())) == expected
    assert data_checks.find_known(INPUTS) == expected
    (line,) = asked(tmp_path)
    assert '"churned"' in line


@pytest.mark.parametrize(
    ("changed", "count"),
    [({}, 0), ({"epochs": 6}, 0), ({"dataDigest": "b"}, 1), ({"data": {"target": "other"}}, 1), ({"quality": {}}, 1)],
)
def test_it_is_asked_again_where_the_data_or_its_settings_changed(
    tmp_path: Path, changed: Properties, count: int
) -> None:
    asyncio.run(checks(tmp_path).look(INPUTS, INPUTS | changed, job()))

    assert len(asked(tmp_path)) == count


def test_nothing_is_asked_while_a_setting_is_unknown(tmp_path: Path) -> None:
    assert asyncio.run(checks(tmp_path).look({}, INPUTS | {"quality": {"schema": UNKNOWN}}, job())) == NOTHING
    assert asked(tmp_path) == []


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, True),
        ({"dataset": "https://host.invalid/churn.csv"}, False),
        ({"dataset": "rows:all", "data": {}}, False),
        ({"dataset": "iris", "data": {}}, False),
        ({"dataset": "iris", "data": {}, "epochs": 7}, False),
        ({"dataset": "iris", "data": {"exclude": ["petal length (cm)"]}}, True),
    ],
)
def test_local_files_are_read_and_built_in_sets_of_which_something_is_said(
    raw: dict[str, object], expected: bool
) -> None:
    assert is_readable(job(**raw)) == expected


@pytest.mark.parametrize(
    ("says", "seconds", "unchecked"),
    [
        ("time.sleep(60)", 0.01, "reading it took more than 0.01 seconds"),
        ("sys.exit(3)", 60, "the checking process ended with exit code 3"),
    ],
)
def test_what_cannot_be_asked_refuses_nothing_and_is_said(
    tmp_path: Path, says: str, seconds: float, unchecked: str
) -> None:
    assert asyncio.run(checks(tmp_path, says, seconds).look({}, INPUTS, job())) == DataFindings(unchecked=unchecked)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (3000.0, 3001, "3,000 → 3,001 rows"),
        (3000, 3000, "still 3,000 rows"),
        (None, 3001, ""),
        (3000, None, ""),
    ],
)
def test_rows_are_told_where_both_counts_are_known(before: Any, now: int | None, expected: str) -> None:
    assert rows_changed(before, now) == expected


@pytest.mark.parametrize(
    ("changed", "rows", "expected"),
    [
        (["dataDigest"], "3,000 → 3,001 rows", "churn.csv changed (3,000 → 3,001 rows)"),
        (["epochs", "dataDigest"], "3,000 → 3,001 rows", "epochs, churn.csv (3,000 → 3,001 rows) changed"),
        (["dataDigest"], "", "churn.csv changed"),
        (["dataset", "dataDigest"], "3,000 → 3,001 rows", "dataset, churn.csv changed"),
        (["epochs"], "still 3,000 rows", "epochs changed"),
    ],
)
def test_a_changed_file_is_named_with_its_rows(changed: list[str], rows: str, expected: str) -> None:
    assert describe_changes(changed, INPUTS, INPUTS, rows) == expected
