"""The JSON inside the page is data to a browser, whatever the names in it, and the same report to us."""

from dataclasses import replace

import pytest

from tests.unit.training.report import samples
from training.report import ReportError, payload

HOSTILE = "</script><script>alert(1)</script><!--<script>&amp;\u2028"


def test_the_report_in_a_page_is_the_one_that_was_put_in() -> None:
    report = samples.complete(HOSTILE)

    assert payload.extract(f"<html>{payload.embed(report)}</html>") == report


def test_no_name_can_end_the_element_or_begin_another() -> None:
    inside = payload.embed(replace(samples.SMALL, title=HOSTILE))[len(payload.OPENING) : -len(payload.CLOSING)]

    assert not set("<>&") & set(inside)
    assert inside.isascii()


@pytest.mark.parametrize(
    "page",
    [
        "",
        "\x08\x07onnx",
        payload.OPENING,
        payload.OPENING + "{" + payload.CLOSING,
        payload.OPENING + "[]" + payload.CLOSING,
        payload.OPENING + "[" * 100_000 + payload.CLOSING,
        payload.embed(samples.SMALL).replace('"version":1', '"version":9'),
    ],
)
def test_a_page_without_a_report_is_said_to_be_none(page: str) -> None:
    with pytest.raises(ReportError):
        payload.extract(page)
