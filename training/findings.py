"""Findings of the quality checks, and which of them a run allows.

Standard library only: findings are checked again by other settings, without the data (training/judgement.py).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from training.errors import DataError
from training.options import Quality

WAYS_OUT: Final = {
    "missingValues": "fill them in, leave the column out with data.exclude, or raise quality.maximumMissing; "
    "data.missing lists the texts of a CSV file that mean a missing value",
    "constantColumns": "leave them out with data.exclude",
    "duplicateColumns": "leave all but one out with data.exclude",
    "duplicateRows": "remove the copies",
    "imbalance": "collect more rows of that class, or lower quality.minimumClassShare",
    "leakage": "remove copies of rows; leave out with data.exclude what is not known at prediction time",
    "outOfRange": "correct the rows or quality.ranges",
    "precision": "subtract a constant from it, name it in data.categorical if its numbers are categories, or write it "
    "with a decimal point if its last digits do not matter",
}


@dataclass(frozen=True)
class Finding:
    """One problem of the data: its kind out of options.FINDINGS, the columns it concerns, and its description."""

    kind: str
    columns: tuple[str, ...]
    message: str
    rows: int | None = None
    """Number of affected rows out of `of`, if a setting limits it. None if any number is too much."""
    of: int = 0


def beyond_limits(findings: Sequence[Finding], quality: Quality) -> tuple[Finding, ...]:
    """Returns the findings that exceed the settings' limits, with the limit in their message."""
    return tuple(_tell(one, quality) for one in findings if one.rows is None or _is_beyond(one, one.rows, quality))


def warnings(findings: Sequence[Finding], quality: Quality) -> tuple[Mapping[str, object], ...]:
    """Returns the allowed findings that exceed limits, as JSON for the report."""
    return tuple(
        {"finding": one.kind, "columns": list(one.columns), "what": one.message}
        for one in beyond_limits(findings, quality)
        if one.kind in quality.allow
    )


def enforce(findings: Sequence[Finding], quality: Quality, name: str) -> None:
    """Raises DataError that lists, one per line, each finding that exceeds limits and is not allowed."""
    wrong = [one for one in beyond_limits(findings, quality) if one.kind not in quality.allow]
    if wrong:
        allow = json.dumps(sorted({*quality.allow, *(one.kind for one in wrong)}))  # a list replaces the default
        lines = "".join(f"\n  {one.kind}: {one.message}; {WAYS_OUT[one.kind]}" for one in wrong)
        raise DataError(
            f"{name} fails the quality checks:{lines}",
            f"to train anyway, set quality.allow to {allow}",
        )


def _is_beyond(finding: Finding, rows: int, quality: Quality) -> bool:
    if finding.kind == "missingValues":
        return rows > quality.maximum_missing * finding.of
    return rows < quality.minimum_class_share * finding.of


def _tell(finding: Finding, quality: Quality) -> Finding:
    if finding.kind != "imbalance" or finding.rows is None:
        return finding
    limit = f"{finding.rows / finding.of:.2%}; quality.minimumClassShare is {quality.minimum_class_share:.2%}"
    return replace(finding, message=f"{finding.message} ({limit})")
