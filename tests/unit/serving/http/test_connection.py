"""Strangers who are slow, at the server's port: real sockets."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from sealift.serving.access import UncheckedAccess
from sealift.serving.http import limits
from sealift.serving.http.service import HttpService
from sealift.serving.http.sockets import listen
from sealift.serving.http.transport import HttpTransport
from sealift.serving.model import Model
from sealift.serving.served import Served
from sealift.serving.server import Server
from tests.unit.serving.sockets import GET, INFER, SECONDS, answer, dial
from tests.unit.serving.tiny import DESCRIPTION, onnx_model

UNFINISHED = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"


@contextlib.contextmanager
def in_this_process(monkeypatch: pytest.MonkeyPatch, **seconds: float) -> Iterator[tuple[int, HttpTransport]]:
    """The port of a server whose limits are shorter, and its transport."""
    for name, value in seconds.items():
        monkeypatch.setattr(limits, name, value)
    taken = listen("127.0.0.1", 0)
    port: int = taken.getsockname()[1]
    served = Served("tiny", Model(onnx_model(), DESCRIPTION), UncheckedAccess())
    http = HttpTransport(HttpService(served), taken)
    server = Server(served, [http])
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield port, http
    finally:
        server.stop()
        thread.join(SECONDS)


@pytest.mark.parametrize(
    ("start", "status"),
    [(b"", b"408"), (GET, b"408"), (b"GET /", b"408"), (UNFINISHED, b"404")],
    ids=["nothing", "head", "path", "body"],
)  # fmt: skip
def test_who_sends_on_and_on_slowly_is_closed(monkeypatch: pytest.MonkeyPatch, start: bytes, status: bytes) -> None:
    shorter = in_this_process(monkeypatch, HEAD_SECONDS=0.5, KEEP_ALIVE_SECONDS=1, LINGER_SECONDS=0.2)
    with shorter as (port, _), dial(port) as client:
        client.sendall(start)
        with contextlib.suppress(OSError):
            while start:
                time.sleep(0.1)
                client.sendall(b"A" if start != GET else b"A: b\r\n")
        said = answer(client)

    assert said.startswith(b"HTTP/1.1 " + status) or (start and said == b"")  # a client that sends on may lose it


def test_a_client_that_leaves_gets_nothing_and_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with in_this_process(monkeypatch) as (port, _):
        with dial(port) as leaving:
            leaving.sendall(UNFINISHED.replace(b"/x", INFER.encode()) + b"{")
            leaving.shutdown(socket.SHUT_WR)
            said = answer(leaving)
        with dial(port) as other:
            other.sendall(GET + b"\r\n")
            assert other.recv(12) == b"HTTP/1.1 200"

    assert said == b""


def test_who_does_not_take_an_answer_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 1_300_000  # more than the kernel holds for us
    body = b'{"inputs":[{"name":"input","shape":[%d,3],"datatype":"FP32","data":[%s1,1,1]}]}' % (
        rows, b"1,1,1," * (rows - 1),
    )  # fmt: skip
    with in_this_process(monkeypatch, ANSWER_SECONDS=0.5) as (port, http), socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (INFER.encode(), len(body)) + body
        )
        assert client.recv(12) == b"HTTP/1.1 200"
        assert len(http.connections.clients) == 1
        while http.connections.clients:
            time.sleep(0.1)
