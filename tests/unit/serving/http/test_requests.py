"""HTTP/1.1 as bytes: what is understood, what is refused, and that no request hides in another."""

import json
import re
import threading
from collections.abc import Iterator

import pytest

from sealift.serving.access import UncheckedAccess
from sealift.serving.http.service import HttpService
from sealift.serving.http.sockets import listen
from sealift.serving.http.transport import HttpTransport
from sealift.serving.model import Model
from sealift.serving.served import Served
from sealift.serving.server import Server
from tests.unit.serving.sockets import GET, INFER, SECONDS, answer, dial
from tests.unit.serving.tiny import DESCRIPTION, onnx_model, request

POST = b"POST %s HTTP/1.1\r\nHost: x\r\n" % INFER.encode()
LAST = GET + b"Connection: close\r\n\r\n"


def body(number: int) -> bytes:
    return json.dumps(request([[1, 2, number]])).encode()


def post(number: int, head: bytes = b"") -> bytes:
    return POST + head + b"Content-Length: %d\r\n\r\n" % len(body(number)) + body(number)


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    taken = listen("127.0.0.1", 0)
    served = Served("tiny", Model(onnx_model(), DESCRIPTION), UncheckedAccess())
    server = Server(served, [HttpTransport(HttpService(served), taken)])
    thread = threading.Thread(target=server.run)
    thread.start()
    yield taken.getsockname()[1]
    server.stop()
    thread.join(SECONDS)


def said(port: int, *parts: bytes, end: bool = False) -> bytes:
    """All that comes back, to what is sent in these parts, of which each waits for something to come back first."""
    with dial(port) as client:
        before = b""
        for number, part in enumerate(parts):
            if number:
                before += client.recv(1 << 16)
            client.sendall(part)
        if end:
            client.shutdown(1)
        return before + answer(client)


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


def numbers(answers: bytes) -> list[float]:
    return [json.loads(data) for data in re.findall(rb'"data":\[([-\d.]+)\]', answers)]


def test_requests_sent_ahead_are_answered_in_their_order(port: int) -> None:
    mixed = b"".join(post(number) + GET + b"\r\n" for number in range(20))
    answers = said(port, mixed + LAST)

    assert statuses(answers) == [200] * 41
    assert numbers(answers) == [100.0 * number + 21 for number in range(20)]
    assert re.findall(rb'"live"|"data"', answers) == [b'"data"', b'"live"'] * 20 + [b'"live"']


def test_a_large_request_between_small_ones_keeps_its_place(port: int) -> None:
    rows = json.dumps(request([[1, 2, 9]] * 10_000)).encode()
    large = POST + b"Content-Length: %d\r\n\r\n" % len(rows) + rows
    answers = said(port, post(1) + large + post(2) + LAST)

    assert statuses(answers) == [200] * 4
    assert numbers(answers) == [121, 221]
    assert re.findall(rb'"shape":\[(\d+),1\]', answers) == [b"1", b"10000", b"1"]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_request_may_come_in_any_pieces(port: int, size: int) -> None:
    whole = post(3) + LAST
    with dial(port) as client:
        for start in range(0, len(whole), size):
            client.sendall(whole[start : start + size])
        answers = answer(client)

    assert (statuses(answers), numbers(answers)) == ([200, 200], [321])


def test_a_body_may_be_chunked_with_extensions_and_trailers(port: int) -> None:
    whole = body(4)
    framed = b"5;a=b\r\n" + whole[:5] + b"\r\n" + b"%x\r\n" % len(whole[5:]) + whole[5:] + b"\r\n0\r\nA: b\r\n\r\n"
    answers = said(port, POST + b"Transfer-Encoding: chunked\r\n\r\n" + framed + LAST)

    assert (statuses(answers), numbers(answers)) == ([200, 200], [421])


def test_who_waits_for_a_word_before_the_body_is_told_to_go_on_or_not(port: int) -> None:
    waiting = POST + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body(5))
    answers = said(port, waiting, body(5) + LAST)
    assert (statuses(answers), numbers(answers)) == ([100, 200, 200], [521])

    too_long = POST + b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
    assert statuses(said(port, too_long)) == [413]
    assert statuses(said(port, waiting.replace(b"tiny", b"other"))) == [404]


def test_one_that_waits_behind_another_is_told_when_its_turn_comes(port: int) -> None:
    waiting = POST + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body(5))
    rows = json.dumps(request([[1, 2, 9]] * 10_000)).encode()
    with dial(port) as client:
        client.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(rows) + rows + waiting)
        heard = b""
        while b" 100 Continue" not in heard:
            heard += client.recv(1 << 20)
        client.sendall(body(5) + LAST)
        heard += answer(client)

    assert statuses(heard) == [200, 100, 200, 200]


def test_a_head_request_gets_a_length_and_no_body(port: int) -> None:
    answers = said(port, GET.replace(b"GET", b"HEAD") + b"\r\n" + LAST)

    head, _, rest = answers.partition(b"\r\n\r\n")
    assert b"content-length: 13" in head
    assert rest.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("head", [b"", b"Connection: keep-alive\r\n"])
def test_http_1_0_is_answered_once(port: int, head: bytes) -> None:
    answers = said(port, GET.replace(b"HTTP/1.1", b"HTTP/1.0") + head + b"\r\n")

    assert statuses(answers) == [200] and b"\r\nconnection: close\r\n" in answers


def test_a_client_that_has_said_all_still_gets_its_answers(port: int) -> None:
    assert numbers(said(port, post(1) + post(2) + post(3), end=True)) == [121, 221, 321]
    assert statuses(said(port, (GET + b"\r\n") * 3000, end=True)) == [200] * 3000


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
def test_an_upgrade_is_answered_as_http_1_1(port: int, upgrade: bytes) -> None:
    asking = GET + b"Connection: upgrade\r\nUpgrade: %s\r\n\r\n" % upgrade

    assert statuses(said(port, asking + LAST)) == [200, 200]
    assert statuses(said(port, asking, LAST)) == [200, 200]


@pytest.mark.parametrize(
    "target", [b"http://x/v2/health/live", b"/v2/health/live?a=b", b"/v2/health/%6cive", b"/v2/health/live/"]
)
def test_a_target_may_be_written_in_other_ways(port: int, target: bytes) -> None:
    assert statuses(said(port, LAST.replace(b"/v2/health/live", target))) == [200]


@pytest.mark.parametrize("target", [b"*", b"x", b"/%", b"/%00", b"/v2/health/live\x80", b"//v2/health/live"])
def test_what_is_no_path_of_ours_is_not_found(port: int, target: bytes) -> None:
    assert statuses(said(port, LAST.replace(b"/v2/health/live", target)))[:1] in ([404], [400])


HIDDEN = b"GET /v2/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
"""A request that stands in the body of another: an answer to it would be a 404."""

SMUGGLED = {
    "both lengths": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (len(HIDDEN) + 5) + HIDDEN,
    "both lengths, the other way": b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nX" + HIDDEN,
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "two lengths in one": b"Content-Length: 0, %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a length with a sign": b"Content-Length: +%d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a length below zero": b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "a length beyond any integer": b"Content-Length: 18446744073709551617\r\n\r\n" + HIDDEN,
    "a length in hex": b"Content-Length: 0x10\r\n\r\n" + HIDDEN,
    "a space before the colon": b"Content-Length : %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a folded line": b"A: b\r\n Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "a folded encoding": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "bare line feeds": b"Content-Length: 0\n\n" + HIDDEN,
    "a bare carriage return": b"A: b\rContent-Length: 0\r\n\r\n" + HIDDEN,
    "an encoding that is not the last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "an encoding with a tab": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a chunk of no size": b"Transfer-Encoding: chunked\r\n\r\n\r\n" + HIDDEN,
    "a chunk below zero": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + HIDDEN,
    "a chunk beyond any integer": b"Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n" + HIDDEN,
    "a chunk that is longer than it says": b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" + HIDDEN,
    "a chunk's line feed alone": b"Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n" + HIDDEN,
    "a null in a header": b"A: b\0c\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "a header without a name": b": b\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
}


@pytest.mark.parametrize("case", SMUGGLED)
def test_no_request_hides_in_another(port: int, case: str) -> None:
    """Whoever reads a request otherwise than a proxy before us would answer one that the proxy has not seen."""
    answers = said(port, POST + SMUGGLED[case] + LAST)

    assert statuses(answers) == [400]
    assert b"\r\nconnection: close\r\n" in answers
    assert json.loads(answers.partition(b"\r\n\r\n")[2]).keys() == {"error"}


def test_a_length_that_is_wrong_is_waited_for_or_read_as_the_next_request(port: int) -> None:
    short = POST + b"Content-Length: %d\r\n\r\n" % (len(body(1)) - 1) + body(1)
    assert statuses(said(port, short + LAST)) == [400, 400]  # half a body, and then what is no request
    long = POST + b"Content-Length: %d\r\n\r\n" % (len(body(1)) + 10) + body(1)
    assert said(port, long, end=True) == b""
