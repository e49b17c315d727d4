"""The page in a real browser, asking a real server: a prediction without reading anything."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealift.serving.access import Access, CheckedAccess, UncheckedAccess
from sealift.serving.http.service import HttpService
from sealift.serving.http.sockets import listen
from sealift.serving.http.transport import HttpTransport
from sealift.serving.model import Model
from sealift.serving.served import Served
from sealift.serving.server import Server
from tests.unit.serving import described
from tests.unit.serving.access.files import KEY, api_key, written
from tests.unit.serving.sockets import SECONDS
from tests.unit.training.report import chromium
from tests.unit.training.report.chromium import Chromium

MODELS = {
    "houses": (described.houses, described.HOUSES),
    "flowers": (described.flowers, described.FLOWERS),
    "digits": (described.digits, described.DIGITS),
}
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


@contextlib.contextmanager
def served(name: str, access: Access | None = None, explain: bool = False) -> Iterator[str]:
    """The page's address."""
    make, description = MODELS[name]
    taken = listen("127.0.0.1", 0)
    what = Served(name, Model(make(), description), access or UncheckedAccess())
    server = Server(what, [HttpTransport(HttpService(what, explain=explain), taken)])
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"
    finally:
        server.stop()
        server.stop()  # at once: the browser keeps its connection
        thread.join(SECONDS)


def text(browser: Chromium, selector: str) -> str:
    found: str = browser.evaluate(f"document.querySelector({selector!r}).innerText")
    return found


def wait(browser: Chromium, expression: str) -> None:
    """Until this is true in the page."""
    deadline = time.monotonic() + SECONDS
    while not browser.evaluate(f"Boolean({expression})"):
        assert time.monotonic() < deadline, (expression, text(browser, "body"), browser.complaints)
        time.sleep(0.02)


def press(browser: Chromium, kind: str, x: float, y: float) -> None:
    browser.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)


@pytest.mark.parametrize(("numbers", "expected"), [([7], 7), ([9, 1], 5), ([3, 1, 20], 3), ([4, 30, 1, 2], 3)])
def test_the_median_of_an_even_count_lies_between_the_two_in_the_middle(
    browser: Chromium, numbers: list[int], expected: float
) -> None:
    with served("houses") as url:
        browser.open(url, width=1280)
        assert browser.evaluate(f"median({numbers})") == expected


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", MODELS)
def test_the_console_is_silent_and_nothing_sticks_out(browser: Chromium, name: str, width: int, dark: bool) -> None:
    browser.open("about:blank", width=width)  # the page before may still ask its server, which has gone
    browser.complaints.clear()
    with served(name) as url:
        browser.open(url, width=width, dark=dark)
        wait(browser, "!document.querySelector('#columns').hidden")

        assert browser.complaints == []
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        paper = browser.evaluate(BRIGHTNESS % ("backgroundColor", ".card"))
        for what in ("h2", "label, figcaption", ".hint:not([hidden])", "dd"):
            assert abs(browser.evaluate(BRIGHTNESS % ("color", what)) - paper) > 100
        assert (paper < 60) == dark
        unnamed = "[...document.querySelectorAll('input, select, textarea')].filter(one => !one.labels.length).length"
        assert browser.evaluate(unnamed) == 0


def test_it_opens_with_the_answer_to_a_usual_row_and_answers_what_is_changed(browser: Chromium) -> None:
    with served("houses") as url:
        browser.open(url, width=1280)
        wait(browser, "document.querySelector('.number')")
        assert text(browser, ".number") == "122200"  # 117.2 in the south
        assert "ms" in text(browser, "#latency")

        browser.evaluate("document.querySelector('select').value = 'north'")
        browser.evaluate("document.querySelector('select').dispatchEvent(new Event('change', {bubbles: true}))")

        wait(browser, "document.querySelector('.number').innerText === '117200'")
        assert '"data":["north"]' in text(browser, "#curl") and url in text(browser, "#python")


def test_what_is_no_number_is_said_at_its_field(browser: Chromium) -> None:
    with served("houses") as url:
        browser.open(url, width=1280)
        wait(browser, "document.querySelector('.number')")

        browser.evaluate("document.querySelector('input[inputmode=decimal]').value = 'large'")
        browser.evaluate("document.querySelector('#row').requestSubmit()")

        wait(browser, "!document.querySelector('#problem').hidden")
        assert text(browser, "#problem") == "size must be a number, but is “large”."
        assert browser.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"


def test_classes_are_bars_with_names_and_parts_of_one(browser: Chromium) -> None:
    with served("flowers") as url:
        browser.open(url, width=1280)
        wait(browser, "document.querySelector('.bars')")

        names = browser.evaluate("[...document.querySelectorAll('.bars th')].map(one => one.innerText)")
        shares = browser.evaluate(
            "[...document.querySelectorAll('.bars td:last-child')].map(one => parseFloat(one.innerText))"
        )
        widths = browser.evaluate(
            "[...document.querySelectorAll('.track > div')].map(one => parseFloat(one.style.width))"
        )
    assert names == described.CLASSES
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert widths == pytest.approx(shares, abs=0.1)
    assert len({round(share) for share in shares}) == 3


def test_what_is_drawn_is_what_the_model_is_sent(browser: Chromium) -> None:
    with served("digits") as url:
        browser.open(url, width=1280)
        wait(browser, "document.querySelector('canvas')")
        left, top, size = browser.evaluate(
            "(box => [box.left, box.top, box.width])(document.querySelector('.drawing').getBoundingClientRect())"
        )
        middle = left + size / 2
        press(browser, "mousePressed", middle, top + size * 0.1)
        press(browser, "mouseMoved", middle, top + size * 0.3)
        press(browser, "mouseReleased", middle, top + size * 0.3)

        wait(browser, "document.querySelector('.number')")
        assert text(browser, ".number") == "high"
        sent = browser.evaluate("JSON.parse(document.querySelector('#curl').innerText.match(/-d '(.*)'/)[1]).inputs[0]")
        assert (sent["shape"], len(sent["data"])) == ([1, 1, 8, 8], 64)
        assert max(sent["data"][:24]) > 8 and max(sent["data"]) <= 16 and set(sent["data"][32:]) == {0}


def test_the_pad_can_be_used_from_the_keyboard(browser: Chromium) -> None:
    with served("digits") as url:
        browser.open(url, width=1280)
        wait(browser, "document.querySelector('canvas')")
        browser.evaluate("document.querySelector('.drawing').focus()")
        for key in ["ArrowDown", "ArrowDown", " "]:
            browser.evaluate(
                f"document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{key: {key!r}, bubbles: true}}))"
            )

        wait(browser, "document.querySelector('.number')")
        assert text(browser, ".number") == "low"


def test_a_key_is_asked_for_kept_in_the_tab_and_never_shown(browser: Chromium, tmp_path: Path) -> None:
    access = CheckedAccess(written(tmp_path, {"keys": [api_key(scopes=["predict", "metadata"])]}))
    with served("houses", access) as url:
        browser.open(url, width=1280)
        wait(browser, "!document.querySelector('#key-form').hidden")
        for key in ("wrong", KEY.decode()):
            browser.evaluate(f"document.querySelector('#key').value = {key!r}")
            browser.evaluate("document.querySelector('#key-form').requestSubmit()")
            if key == "wrong":
                wait(browser, "document.querySelector('#key-reason').innerText.includes('is not valid')")

        wait(browser, "document.querySelector('.number')")
        assert text(browser, ".number") == "122200"
        assert "$KEY" in text(browser, "#curl") and 'os.environ["KEY"]' in text(browser, "#python")
        assert KEY.decode() not in browser.evaluate("document.documentElement.outerHTML")
        assert browser.evaluate("[localStorage.length, document.cookie]") == [0, ""]

        browser.open(url, width=1280)  # the same tab still has it
        wait(browser, "document.querySelector('.number')")


def test_the_copied_programs_ask_the_same(browser: Chromium) -> None:
    with served("houses") as url:
        browser.open(url, width=1280)
        wait(browser, "document.querySelector('.number')")
        python = browser.evaluate("document.querySelector('#python').textContent")
        curl = browser.evaluate("document.querySelector('#curl').textContent")

        ran = subprocess.run(
            [sys.executable, "-c", python], capture_output=True, text=True, check=True, timeout=SECONDS
        )
        asked = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, check=True, timeout=SECONDS)

    assert "122200" in ran.stdout
    assert json.loads(asked.stdout)["outputs"][0]["data"] == [122200]


def explained(browser: Chromium) -> list[tuple[str, str, str, float, float]]:
    """Presses the button; then each bar's feature and value, its side, and where it begins and how wide it is."""
    wait(browser, "!document.querySelector('#why').hidden")
    browser.evaluate("document.querySelector('#explain').click()")
    wait(browser, "document.querySelector('.signed')")
    found = browser.evaluate("""[...document.querySelectorAll('.signed tr')].map(row => {
        const bar = row.querySelector('.track > div');
        return [row.cells[0].innerText, row.cells[2].innerText, bar.className,
                parseFloat(bar.style.left), parseFloat(bar.style.width)];
    })""")
    return [(name, value, side, left, width) for name, value, side, left, width in found]


@pytest.mark.parametrize("width", [360, 1280])
def test_why_an_answer_is_drawn_as_signed_bars_for_a_chosen_class(browser: Chromium, width: int) -> None:
    browser.complaints.clear()
    with served("flowers", explain=True) as url:
        browser.open(url, width=width)
        wait(browser, "document.querySelector('.bars')")
        browser.evaluate("document.querySelector('#input-0-0').value = '7'")
        browser.evaluate("document.querySelector('#row').requestSubmit()")
        wait(browser, "document.querySelector('#curl').innerText.includes('[7,')")
        wait(browser, "!document.querySelector('#why').hidden")

        bars = explained(browser)
        labels = browser.evaluate("[...document.querySelector('#explained').options].map(one => one.innerText)")
        best = browser.evaluate("document.querySelector('#explained').selectedOptions[0].innerText")
        assert (labels, best) == (described.CLASSES, "virginica")
        assert [(name, side, left, width) for name, _, side, left, width in bars] == [("length = 7", "more", 50, 50)]

        browser.evaluate("document.querySelector('#explained').value = '0'")
        browser.evaluate("document.querySelector('#explained').dispatchEvent(new Event('change'))")
        ((name, value, side, left, wide),) = browser.evaluate(
            """[...document.querySelectorAll('.signed tr')].map(row => { const bar = row.querySelector('.track > div');
            return [row.cells[0].innerText, row.cells[2].innerText, bar.className, parseFloat(bar.style.left),
                    parseFloat(bar.style.width)]; })"""
        )
        assert (name, value[0], side, left, wide) == ("length = 7", "−", "less", 0, 50)
        assert browser.complaints == []
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        cells = "[...document.querySelectorAll('.signed td')]"
        assert browser.evaluate(f"{cells}.every(cell => cell.scrollWidth <= cell.clientWidth)")


def test_another_row_forgets_why_and_where_nothing_is_explained_nothing_offers_it(browser: Chromium) -> None:
    with served("houses", explain=True) as url:
        browser.open(url, width=1280)
        wait(browser, "document.querySelector('.number')")
        browser.evaluate("document.querySelector('select').value = 'north'")
        browser.evaluate("document.querySelector('select').dispatchEvent(new Event('change', {bubbles: true}))")
        wait(browser, "document.querySelector('.number').innerText === '117200'")

        assert explained(browser) == [("side = north", "−5000", "less", 0, 50)]
        assert "122200 for the usual row and 117200 for this row" in text(browser, "#reasons")

        browser.evaluate("document.querySelector('#row').requestSubmit()")
        assert text(browser, "#reasons") == ""
    with served("houses") as url:
        browser.open(url, width=1280)
        wait(browser, "document.querySelector('.number')")
        assert browser.evaluate("document.querySelector('#why').hidden")
