"""Reports as JSON and back, exactly: `from_json(to_json(report)) == report`."""

from collections.abc import Mapping
from typing import Any, Final

from sealift.contents.codec import decode, encode
from sealift.contents.errors import ContentsError
from training.errors import TrainingError
from training.report.content import Report

VERSION: Final = 1


class ReportError(TrainingError):
    """The input is not a report, or a report of another version."""


def to_json(report: Report) -> dict[str, Any]:
    """Returns JSON values only, which `json.dumps(…, allow_nan=False)` accepts."""
    return {"version": VERSION, **encode(report)}


def from_json(values: Mapping[str, Any]) -> Report:
    """Returns the report that `to_json` encoded. Raises ReportError, with the place, for anything else."""
    if not isinstance(values, Mapping) or values.get("version") != VERSION:
        raise ReportError(
            f"this is not a report, or its version is not {VERSION}",
            "show it with the release of Sealift that wrote it",
        )
    fields = {name: value for name, value in values.items() if name != "version"}
    try:
        return decode(Report, fields, "report")
    except ContentsError as error:
        raise ReportError(f"the report is invalid: {error}", "fetch the report from the store again") from error
