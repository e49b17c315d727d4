"""One file that needs nothing else, says everything once, and lets no name out of its place."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from tests.unit.training.report import samples
from training.report import Confusion, GateReport, ModelCardReport, page, payload, thinning

HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>--><!--</style></svg>$\\frac{x$ 犬\u202e\x00\ud800\n"
)
LARGEST_BYTES = 2_000_000


class _Elements(HTMLParser):
    """Every start tag with its attributes, as an HTML parser sees them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_equal_reports_give_equal_bytes() -> None:
    assert page.render(samples.complete()) == samples.page_of()


def test_names_from_data_add_no_element_and_no_attribute() -> None:
    def shape(html: str) -> set[tuple[str, frozenset[str]]]:
        return {(tag, frozenset(attributes)) for tag, attributes in _Elements(html).found}

    assert shape(samples.page_of(HOSTILE)) == shape(samples.page_of())
    samples.page_of(HOSTILE).encode()


@pytest.mark.parametrize(
    "rendered", [lambda: page.render(samples.SMALL), lambda: samples.page_of(HOSTILE)], ids=["small", "hostile"]
)
def test_nothing_is_loaded_and_nothing_runs(rendered: Callable[[], str]) -> None:
    html = rendered()

    for tag, attributes in _Elements(html).found:
        assert tag != "script" or attributes == {"type": "application/json", "id": "report"}
        assert tag not in ("iframe", "object", "embed", "link", "form", "base", "img")
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src")]
        for name in ("href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,"))
    assert "url(" not in html.replace("url(#", "")


def test_every_picture_is_xml_with_a_label_and_ids_of_its_own() -> None:
    pictures = re.findall(r"<svg.*?</svg>", samples.page_of(), re.DOTALL)
    ids = [element.get("id") for svg in pictures for element in ElementTree.fromstring(svg).iter() if element.get("id")]

    assert len(pictures) == 10
    assert len(ids) == len(set(ids))
    for svg in pictures:
        element = ElementTree.fromstring(svg)
        assert element.get("role") == "img"
        assert len(element.get("aria-label") or "") > 20


def test_a_small_report_has_no_section_and_no_word_of_what_was_not_made() -> None:
    html = page.render(samples.SMALL)

    assert "<section" not in html
    assert "<h1>A small report</h1>" in html


def test_what_the_makers_did_not_say_is_not_stated() -> None:
    html = page.render(replace(samples.SMALL, card=ModelCardReport(licence="MIT", contact="  ")))

    assert html.count("not stated") == 5
    assert "MIT" in html


@pytest.mark.parametrize(("passed", "shown"), [(True, "1 of 1"), (False, "0 of 1")])
def test_a_failed_gate_is_seen_at_the_top(passed: bool, shown: str) -> None:
    html = page.render(replace(samples.SMALL, gates=(GateReport("r2", 0.4, 0.5, "minimum", passed=passed),)))

    assert shown in html[: html.index("<main>")]


def test_the_json_inside_is_the_report() -> None:
    assert payload.extract(samples.page_of(HOSTILE)) == samples.complete(HOSTILE)


def test_ten_thousand_epochs_and_a_thousand_classes_stay_under_two_megabytes_and_say_what_is_left_out() -> None:
    html = page.render(samples.huge())

    assert len(html.encode()) < LARGEST_BYTES
    assert payload.extract(html) == thinning.thin(samples.huge())
    assert 'id="shortened"' in html


def test_precision_and_recall_count_all_rows_also_where_the_json_has_not_all_cells() -> None:
    size = 120
    wrong = tuple((at, other, 1) for at in range(size) for other in range(size) if at != other)
    right = tuple((at, at, size - 1) for at in range(size))

    html = page.render(replace(samples.SMALL, confusion=Confusion(right + wrong, size)))

    assert len(right + wrong) > thinning.CELLS
    assert html.count('<td class="number">0.5000</td><td class="number">0.5000</td><td class="number">238</td>') == 50
