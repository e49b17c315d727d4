"""One answer to each request, with its own body: offers to upgrade are ignored, and a head whose framing is in doubt
is refused, after which the connection closes."""

import asyncio
import json
import re

import pytest

from tests.fuzzing.requests import BODY, INFER, answered, check

HIDDEN = b"GET /v2/models/tiny HTTP/1.1\r\nHost: a\r\n\r\n"
"""A request that stands in the body of another: an answer to it would be a 200."""
NEXT = b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n"
SIZED = b"Content-Length: %d\r\n\r\n%s"
OFFERS = {
    "curl --http2": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n",
    "Java's HttpClient": b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAA\r\nUpgrade: h2c\r\n",
    "nginx for websockets": b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    "nothing we know": b"Connection: keep-alive, UPGRADE\r\nUpgrade: a/1, b\r\n",
    "nothing at all": b"Connection: upgrade\r\nUpgrade:\r\n",
    "and to wait": b"Connection: upgrade\r\nUpgrade: h2c\r\nExpect: 100-continue\r\n",
}


def statuses(data: bytes) -> tuple[list[int], bytes, bool]:
    """Of the answers, with all that was written, and whether the connection is over."""
    written, last = asyncio.run(answered([data]))
    return [int(status) for status in re.findall(rb"HTTP/1\.1 ([2-5]\d\d) ", written)], written, last


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("chunked", [False, True], ids=["a length", "chunks"])
def test_the_offer_of_an_upgrade_is_ignored_and_the_body_belongs_to_its_request(offer: str, chunked: bool) -> None:
    def post(body: bytes) -> bytes:
        framed = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nA: b\r\n\r\n" % (len(body), body)
        return INFER + OFFERS[offer] + (framed if chunked else SIZED % (len(body), body))

    found, written, last = statuses(post(BODY) + NEXT + post(BODY))
    assert (found, last) == ([200, 200, 200], False)
    assert written.count(b'"prediction"') == 2
    assert statuses(post(HIDDEN) + NEXT)[0] == [400, 200]  # it is no JSON, and no request
    check(post(HIDDEN) + NEXT + post(BODY), range(0, 600, 7))


@pytest.mark.parametrize("offer", OFFERS)
def test_an_offer_without_a_body_is_ignored_too(offer: str) -> None:
    asked = NEXT[:-2] + OFFERS[offer]
    assert statuses(asked + b"\r\n" + NEXT)[::2] == ([200, 200], False)
    assert statuses(asked + b"Content-Length: 0\r\n\r\n" + NEXT)[::2] == ([200, 200], False)


def test_nothing_follows_an_offer_on_a_connection_that_closes() -> None:
    close = b"Connection: close, upgrade\r\nUpgrade: h2c\r\n" + SIZED % (len(BODY), BODY)
    assert statuses(INFER + close + NEXT)[::2] == ([200], True)
    assert statuses(b"GET /v2/health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + NEXT)[::2] == ([200], True)


def test_an_offer_is_refused_as_any_other_request_is() -> None:
    offer = OFFERS["curl --http2"]
    assert statuses(b"POST /nowhere HTTP/1.1\r\nHost: a\r\n" + offer + SIZED % (len(HIDDEN), HIDDEN))[0] == [404]
    assert statuses(INFER + offer + b"Content-Length: 9999999\r\n\r\n" + HIDDEN)[::2] == ([413], True)


POST = b"POST /v2/models/tiny/infer HTTP/1.1\r\n"
DOUBTS = {
    "no host": (400, "the Host header is missing", POST + SIZED % (2, b"{}")),
    "two hosts": (400, "the Host header is not one host", INFER + b"Host: b\r\n" + SIZED % (2, b"{}")),
    "twice the same": (400, "the Host header is not one host", INFER + b"Host: a\r\n" + SIZED % (2, b"{}")),
    "two in one": (400, "the Host header is not one host", POST + b"Host: a b\r\n" + SIZED % (2, b"{}")),
    "no host's name": (400, "the Host header is not one host", POST + b"Host: a/b@c\r\n" + SIZED % (2, b"{}")),
    "two codings": (501, "this transfer-encoding", INFER + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "two coding lines": (
        501, "this transfer-encoding", INFER + b"Transfer-Encoding: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "not chunked": (501, "this transfer-encoding", INFER + b"Transfer-Encoding: gzip\r\n\r\n" + HIDDEN),
    "not chunked, with an offer": (
        501, "this transfer-encoding", INFER + OFFERS["curl --http2"] + b"Transfer-Encoding: gzip\r\n\r\n" + HIDDEN,
    ),
    "length and coding": (
        400, "this is not HTTP", INFER + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "chunks in 1.0": (
        400, "Transfer-Encoding is not part of HTTP/1.0",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "0.9": (505, "HTTP/0.9 is not supported", b"GET /v2/health/live\r\n\r\n"),
    "0.9 by name": (505, "HTTP/0.9 is not supported", b"GET /v2/health/live HTTP/0.9\r\n\r\n"),
    "2.0": (505, "HTTP/2.0 is not supported", b"GET /v2/health/live HTTP/2.0\r\nHost: a\r\n\r\n"),
    "2.0 kept alive": (
        505, "HTTP/2.0 is not supported", b"GET / HTTP/2.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    ),
    "1.2": (400, "this is not HTTP", b"GET /v2/health/live HTTP/1.2\r\nHost: a\r\n\r\n"),
    "the preface of HTTP/2": (400, "this is not HTTP", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "a tunnel": (501, "CONNECT is not supported", b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
    "a tunnel with a body": (
        501, "CONNECT is not supported", b"CONNECT /v2 HTTP/1.1\r\nHost: a\r\n" + SIZED % (len(HIDDEN), HIDDEN),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DOUBTS)
def test_a_head_whose_framing_is_in_doubt_is_refused_and_the_connection_closes(case: str) -> None:
    status, message, data = DOUBTS[case]
    found, written, last = statuses(NEXT + data + NEXT)

    assert (found, last) == ([200, status], True)
    assert json.loads(written.rpartition(b"\r\n\r\n")[2])["error"].startswith(message)
    check(NEXT + data + NEXT, range(0, 300, 5))


@pytest.mark.parametrize("host", [b"", b"a", b"a.example:8080", b"[::1]:80", b"192.0.2.1", b"%C3%A4.example"])
def test_a_host_is_whatever_may_stand_in_an_address(host: bytes) -> None:
    assert statuses(b"GET /v2/health/live HTTP/1.1\r\nHost: %s\r\n\r\n" % host)[::2] == ([200], False)
    assert statuses(b"GET /v2/health/live HTTP/1.0\r\n\r\n")[::2] == ([200], True)


@pytest.mark.parametrize("path", [b"/v2/health/live", b"/v2/health/ready", b"/v2/models/tiny/ready", b"/", b"/v2"])
@pytest.mark.parametrize("body", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
def test_a_path_that_takes_no_body_waits_for_none(path: bytes, body: bytes) -> None:
    found, written, last = statuses(b"GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % (path, body))

    assert (found, last) == ([413], True)
    assert b"this path does not accept a body" in written
