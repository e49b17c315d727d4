"""What holds for whatever a client sends, in however many pieces.

Nothing is raised. What is answered is HTTP/1.1 as h11 reads it, and the same whatever the pieces were, but that a
request which is refused before all of it came is the last. A connection that is over holds no memory. Requests go to
the real service with a real model.
"""

import asyncio
import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Final

import h11

from sealift.serving.access import UncheckedAccess
from sealift.serving.http.connection import CONTINUE, Connection, Connections
from sealift.serving.http.service import HttpService
from sealift.serving.model import Model
from sealift.serving.served import Served
from tests.unit.serving.tiny import onnx_model

TURNS: Final = 6
"""Of the event loop, in which the next answer comes, if there is one."""
MOST_BYTES: Final = 4096  # below the size from which limits of a head count pieces
STATUS: Final = (200, 400, 401, 404, 405, 408, 411, 413, 415, 417, 429, 431, 501, 503, 505)
OWN: Final = re.compile(rb"(date|x-request-id|connection): [^\r]*\r\n")
"""What differs from answer to answer."""
BODY: Final = b'{"inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}'
INFER: Final = b"POST /v2/models/tiny/infer HTTP/1.1\r\nHost: a\r\n"
SEEDS: Final = (
    b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HEAD /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    INFER + b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY),
    INFER + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nA: b\r\n\r\n" % (len(BODY), BODY),
    INFER + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY),
    (INFER + b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)) * 3,
    INFER + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    INFER + b"Content-Encoding: gzip\r\nAccept-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
    INFER + b"Inference-Header-Content-Length: 70\r\nContent-Length: 4\r\n\r\n{}  ",
    b"GET /v2 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    INFER + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY),
    INFER + b"Connection: Upgrade\r\nUpgrade: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    INFER + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
    b"GET /v2 HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n",
    b"GET /v2 HTTP/1.1\nHost: a\n\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)


class Transport(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed, "written after the end"
        self.written += data

    def writelines(self, list_of_data: Sequence[bytes]) -> None:  # type: ignore[override]  # what it is given here
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = True

    close = abort = write_eof

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


@cache
def service() -> HttpService:
    return HttpService(Served("tiny", Model(onnx_model(), {}), UncheckedAccess()))


async def answered(pieces: Sequence[bytes]) -> tuple[bytes, bool]:
    """What a client that sends these pieces is written, and whether it is told that this was the last."""
    transport = Transport()
    connection = Connection(Connections(service()))
    connection.connection_made(transport)
    for piece in pieces:
        if piece:
            connection.data_received(piece)
        await _until_quiet(transport)
    connection.connection_lost(None)
    assert service().served.memory.bytes == 0, "held after the end"
    return OWN.sub(b"", transport.written), transport.closed


async def _until_quiet(transport: Transport) -> None:
    """Of requests that were sent ahead, each is answered a few turns after the one before it."""
    seen = -1
    while seen != len(transport.written):
        seen = len(transport.written)
        for _ in range(TURNS):
            await asyncio.sleep(0)


def check(data: bytes, cuts: Sequence[int]) -> None:
    """Raises AssertionError, or whatever the server let escape."""
    data = data[:MOST_BYTES]
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]

    async def both() -> tuple[tuple[bytes, bool], tuple[bytes, bool]]:
        return await answered([data]), await answered(pieces)

    whole, in_pieces = asyncio.run(both())
    assert_the_same(whole, in_pieces)
    read_by_h11(_final(whole[0]))
    read_by_h11(_final(in_pieces[0]))


def assert_the_same(one: tuple[bytes, bool], other: tuple[bytes, bool]) -> None:
    """But for this: what is refused before its body came is the last on its connection, and there is no more."""
    (few, is_last), (more, _) = sorted(((_final(written), last) for written, last in (one, other)), key=_size)
    assert more.startswith(few), "the pieces changed the answers"
    assert is_last or few == more, "the pieces lost an answer"


def _final(written: bytes) -> bytes:
    """Whether a client is asked to go on with its body depends on whether it has."""
    return written.replace(CONTINUE, b"")


def _size(answer: tuple[bytes, bool]) -> int:
    return len(answer[0])


def read_by_h11(written: bytes) -> None:
    """Raises AssertionError unless it is whole answers, one after the other."""
    assert _whole(written), "no whole answers"


def _whole(written: bytes) -> bool:
    """Which of them is to HEAD, and has a length but no body, cannot be told: both are tried."""
    if not written:
        return True
    rests = (_one(written, method) for method in (b"GET", b"HEAD"))
    return any(rest is not None and _whole(rest) for rest in rests)


def _one(written: bytes, method: bytes) -> bytes | None:
    """What follows the first answer; None if that is not whole."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target=b"/", headers=[(b"host", b"a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(written)
    try:
        while True:
            event = client.next_event()
            if isinstance(event, h11.Response):
                assert event.status_code in STATUS, event.status_code
            if isinstance(event, h11.EndOfMessage):
                return bytes(client.trailing_data[0])
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return None
    except h11.RemoteProtocolError:
        return None
