"""The JSON inside the page, written so that no browser takes it for markup or a script, and read again.

One file is one sealed payload, so the report for people and the one for programs cannot differ.
"""

import json
from typing import Final

from training.report.codec import ReportError, from_json, to_json
from training.report.content import Report

OPENING: Final = '<script type="application/json" id="report">'
CLOSING: Final = "</script>"
ESCAPES: Final = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}
"""Escapes that JSON strings decode to the same characters. Outside strings, JSON has none of these characters."""


def embed(report: Report) -> str:
    """Returns the script element. It is ASCII only, and free of `</script>` and `<!--` for any names in the report."""
    text = json.dumps(to_json(report), allow_nan=False, separators=(",", ":"))
    return OPENING + text.translate(ESCAPES) + CLOSING


def extract(page: str) -> Report:
    """Returns the report of a page that `embed` wrote. Raises ReportError if the page has no report."""
    _, found, rest = page.partition(OPENING)
    text, closed, _ = rest.partition(CLOSING)
    if not found or not closed:
        raise ReportError(
            "this page does not contain a report", "give --artifact and --payload-digest of a report, not of a model"
        )
    try:
        return from_json(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise ReportError("the report inside this page is not JSON", "fetch it from the store again") from error
