"""The JSON inside the page: put in so that no browser takes it for markup or a program, and got out again.

One file is one sealed payload, so the report that people read and the one that programs read cannot differ.
"""

import json
from typing import Final

from training.report.codec import ReportError, from_json, to_json
from training.report.content import Report

OPENING: Final = '<script type="application/json" id="report">'
CLOSING: Final = "</script>"
ESCAPES: Final = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}
"""Inside JSON strings these read back as themselves; outside of strings JSON has none of them."""


def embed(report: Report) -> str:
    """The script element. ASCII only, and free of `</script>` and `<!--` whatever the names in the report are."""
    text = json.dumps(to_json(report), allow_nan=False, separators=(",", ":"))
    return OPENING + text.translate(ESCAPES) + CLOSING


def extract(page: str) -> Report:
    """The report in a page that `embed` wrote into. Raises ReportError if there is none or not one of ours."""
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
