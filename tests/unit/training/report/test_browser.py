"""The page in a real browser: nothing complained of, nothing wider than a phone, readable in the dark and on paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.training.report import chromium, samples
from tests.unit.training.report.chromium import Chromium
from tests.unit.training.report.test_page import HOSTILE
from training.report import page

BRIGHTNESS = """(element => {
    const [red, green, blue] = getComputedStyle(element).%s.match(/[\\d.]+/g).map(Number);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
})(document.querySelector('%s'))"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program = chromium.found()
    if program is None:
        pytest.skip("no Chromium on PATH: install chromium to look at pages in it")
    with chromium.running(program, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    reports = {"complete": samples.complete(), "hostile": samples.complete(HOSTILE), "huge": samples.huge()}
    for name, report in reports.items():
        (folder / f"{name}.html").write_text(page.render(report), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in reports}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("name", ["complete", "hostile", "huge"])
def test_the_console_is_silent_and_nothing_sticks_out(
    browser: Chromium, pages: dict[str, Path], name: str, width: int, dark: bool
) -> None:
    browser.complaints.clear()

    browser.open(pages[name], width=width, dark=dark)

    assert browser.complaints == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("[...document.querySelectorAll('svg')].every(svg => svg.clientHeight > 80)")


def test_a_script_that_got_into_the_page_would_not_run(browser: Chromium, tmp_path: Path) -> None:
    html = page.render(samples.SMALL).replace("</main>", "</main><script>document.title = 'ran'</script>")
    (tmp_path / "broken.html").write_text(html)
    browser.complaints.clear()

    browser.open(tmp_path / "broken.html", width=400)

    assert browser.evaluate("document.title") == "A small report"
    assert any("Content Security Policy" in complaint for complaint in browser.complaints)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_texts_and_figures_stand_out_from_the_page(browser: Chromium, pages: dict[str, Path], dark: bool) -> None:
    browser.open(pages["complete"], width=1280, dark=dark)

    paper = browser.evaluate(BRIGHTNESS % ("backgroundColor", "body"))
    for what, kind in (("body", "color"), ("svg text", "fill"), ("td", "color")):
        assert abs(browser.evaluate(BRIGHTNESS % (kind, what)) - paper) > 150
    assert (paper < 50) == dark


def test_it_prints_black_on_white_even_in_the_dark_and_without_its_links(
    browser: Chromium, pages: dict[str, Path]
) -> None:
    browser.open(pages["complete"], width=794, dark=True, media="print")

    assert browser.evaluate(BRIGHTNESS % ("color", "body")) < 60
    assert browser.evaluate(BRIGHTNESS % ("fill", "svg text")) < 60
    assert browser.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert browser.paper().startswith(b"%PDF")
