"""Each limit at its edge, with its number written here: what is just allowed, and what is just too much."""

import asyncio
import contextlib
import functools
import re
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, ParamSpec

import pytest

from sealift.serving.access import UncheckedAccess
from sealift.serving.errors import Overloaded
from sealift.serving.http.connection import Connection, Connections
from sealift.serving.http.errors import RefusedRequest
from sealift.serving.http.handshakes import Handshakes
from sealift.serving.http.messages import HttpRequest, Response
from sealift.serving.http.service import HttpService, _to_be_packed
from sealift.serving.memory_budget import Share
from sealift.serving.model import Model
from sealift.serving.served import Served
from tests.unit.serving.http.client import INFER, Client
from tests.unit.serving.sockets import SECONDS
from tests.unit.serving.tiny import DESCRIPTION, onnx_model

KIB, MIB = 1024, 1024 * 1024
ROW = b'{"inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}'
BEGUN = 1000.0
Given = ParamSpec("Given")


def in_a_loop(test: Callable[Given, Coroutine[Any, Any, None]]) -> Callable[Given, None]:
    @functools.wraps(test)
    def run(*given: Given.args, **named: Given.kwargs) -> None:
        asyncio.run(test(*given, **named))

    return run


@pytest.fixture
def service() -> HttpService:
    return HttpService(Served("tiny", Model(onnx_model(), DESCRIPTION), UncheckedAccess()))


def row(size: int) -> bytes:
    """A request of so many bytes."""
    return ROW.ljust(size)


class Wire(asyncio.Transport):
    """What a connection has said, and whether it has hung up."""

    def __init__(self) -> None:
        super().__init__()
        self.said = b""
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.said += data

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None: ...


@contextlib.contextmanager
def connected(connections: Connections) -> Iterator[tuple[Connection, Wire]]:
    connection, wire = Connection(connections), Wire()
    connection.connection_made(wire)
    yield connection, wire
    connection.connection_lost(None)


def status(said: bytes) -> int | None:
    found = re.match(rb"HTTP/1\.1 (\d{3})", said)
    return int(found[1]) if found else None


@pytest.mark.parametrize(("size", "expected"), [(8 * MIB, 200), (8 * MIB + 1, 413)])
def test_a_body_has_8_mib_at_most(service: HttpService, size: int, expected: int) -> None:
    answer = Client(service).send("POST", INFER, content=row(size))

    assert answer.status_code == expected
    assert expected == 200 or "the body exceeds the limit of 8388608 bytes" in answer.json()["error"]


def test_a_body_that_does_not_say_how_long_it_is_has_8_mib_at_most(service: HttpService) -> None:
    request = HttpRequest()
    request.extend(bytes(8 * MIB), service.served.memory)

    with pytest.raises(RefusedRequest, match="the limit of 8388608 bytes"):
        request.extend(b"x", service.served.memory)
    assert (request.body, service.served.memory.bytes) == (b"", 0)


@pytest.mark.parametrize(("size", "held"), [(64 * KIB, 0), (64 * KIB + 1, 1)])
def test_up_to_64_kib_a_body_is_not_counted(service: HttpService, size: int, held: int) -> None:
    HttpRequest().extend(bytes(size), service.served.memory)

    assert service.served.memory.bytes == held


@pytest.mark.parametrize(("size", "in_thread"), [(128 * KIB, False), (128 * KIB + 1, True)])
def test_the_loop_itself_reads_up_to_128_kib(
    service: HttpService, monkeypatch: pytest.MonkeyPatch, size: int, in_thread: bool
) -> None:
    in_the_thread: list[int] = []
    whole = service._whole

    def noted(operation: Any, request: HttpRequest) -> Any:
        in_the_thread.append(len(request.body))
        return whole(operation, request)

    monkeypatch.setattr(service, "_whole", noted)

    assert Client(service).send("POST", INFER, content=row(size)).status_code == 200
    assert in_the_thread == [size] * in_thread


def test_all_large_bodies_and_answers_hold_32_mib_at_most(service: HttpService) -> None:
    first, second = Share(service.served.memory), Share(service.served.memory)
    first.grow_to(32 * MIB + 64 * KIB)  # of each, 64 KiB are not counted

    second.grow_to(64 * KIB)
    with pytest.raises(Overloaded):
        second.grow_to(64 * KIB + 1)
    first.release()
    second.grow_to(64 * KIB + 1)


@pytest.mark.parametrize("fields", [1, 300])
@pytest.mark.parametrize(("more", "expected"), [(0, 200), (1, 431)])
@in_a_loop
async def test_a_head_has_16_kib_at_most_and_each_header_counts_32_more(
    service: HttpService, fields: int, more: int, expected: int
) -> None:
    path, host, name = b"/v2/health/live", b"Host: x\r\n", b"A"
    counted = 16 * KIB - len(path) - len("Hostx") - 32 + more
    sizes = [counted // fields + (at < counted % fields) - 32 - len(name) for at in range(fields)]
    head = b"".join(b"%b: %b\r\n" % (name, b"a" * size) for size in sizes)

    with connected(Connections(service)) as (connection, wire):
        connection.data_received(b"GET %b HTTP/1.1\r\n%b%b\r\n" % (path, host, head))

    assert status(wire.said) == expected


@in_a_loop
async def test_there_are_1024_connections_at_most_and_for_one_more_the_longest_idle_go(service: HttpService) -> None:
    connections = Connections(service)
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(connected(connections)) for _ in range(1024)]
        for age, (connection, _) in enumerate(made):
            connection.since = BEGUN + age
        assert not [wire for _, wire in made if wire.aborted]

        _, newcomer = stack.enter_context(connected(connections))

        assert [age for age, (_, wire) in enumerate(made) if wire.aborted] == list(range(16))
        assert not newcomer.aborted


@in_a_loop
async def test_there_are_128_handshakes_at_a_time_at_most_and_for_one_more_the_oldest_goes() -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    handshakes = Handshakes(listening, asyncio.Protocol, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    with contextlib.ExitStack() as stack:
        stack.callback(handshakes.close)

        async def dial() -> socket.socket:
            client = stack.enter_context(socket.create_connection(listening.getsockname(), SECONDS))
            handshakes._accept()
            await asyncio.sleep(0)
            assert client.getsockname() in [one.getpeername() for one in handshakes._pending.values()]
            client.setblocking(False)
            return client

        first, *others = [await dial() for _ in range(128)]
        with pytest.raises(BlockingIOError):
            first.recv(1)
        await dial()

        assert len(handshakes._pending) == 128
        assert first.recv(1) == b""
        for client in others:
            with pytest.raises(BlockingIOError):
                client.recv(1)


@in_a_loop
async def test_answers_that_nobody_takes_count_until_they_are_taken(service: HttpService) -> None:
    rows = 1_000_000
    body = b'{"inputs":[{"name":"input","shape":[%d,3],"datatype":"FP32","data":[%s1,1,1]}]}' % (
        rows, b"1,1,1," * (rows - 1),
    )  # fmt: skip
    connections = Connections(service)

    async def ask(stack: contextlib.ExitStack, taken: bool) -> tuple[Connection, int | None]:
        connection, wire = stack.enter_context(connected(connections))
        connection.data_received(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        if not taken:
            connection.pause_writing()
        async with asyncio.timeout(SECONDS):
            while not wire.said:  # noqa: ASYNC110 - the answer comes from a thread
                await asyncio.sleep(0.01)
        return connection, status(wire.said)

    with contextlib.ExitStack() as stack:
        asked = [await ask(stack, taken=False) for _ in range(8)]
        for connection, _ in asked:
            connection.resume_writing()
        _, last = await ask(stack, taken=True)

    statuses = [*(told for _, told in asked), last]
    assert statuses[:3] + statuses[-2:] == [200, 200, 200, 503, 200]


HEAD = b"POST %b HTTP/1.1\r\nHost: x\r\n" % INFER.encode()
STATES = {
    "idle": (b"", 75, "408"),
    "a head": (HEAD, 10, "the request did not arrive within 10 seconds"),
    "a body": (HEAD + b"Content-Length: 9\r\n\r\n1", 15, "the body did not arrive within 15 seconds"),
}


@pytest.mark.parametrize("state", STATES)
@in_a_loop
async def test_what_a_client_has_time_for(service: HttpService, state: str) -> None:
    sent, seconds, words = STATES[state]
    with connected(Connections(service)) as (connection, wire):
        if sent:
            connection.data_received(sent)
        connection.since = BEGUN

        connection.check(BEGUN + seconds)
        assert wire.said == b""
        connection.check(BEGUN + seconds + 0.01)
        assert status(wire.said) == 408 and words.encode() in wire.said


@in_a_loop
async def test_an_answer_has_30_seconds_to_be_taken(service: HttpService) -> None:
    with connected(Connections(service)) as (connection, wire):
        connection.pause_writing()
        connection._stuck_since = BEGUN

        connection.check(BEGUN + 30)
        assert not wire.aborted
        connection.check(BEGUN + 30.01)
        assert wire.aborted


@in_a_loop
async def test_a_client_that_was_refused_is_listened_to_for_2_seconds_more(service: HttpService) -> None:
    with connected(Connections(service)) as (connection, wire):
        connection.data_received(b"nonsense\r\n\r\n")
        assert status(wire.said) == 400
        connection.since = BEGUN

        connection.check(BEGUN + 2)
        assert not wire.aborted
        connection.check(BEGUN + 2.01)
        assert wire.aborted


@pytest.mark.parametrize(("size", "packed"), [(64 * KIB, False), (64 * KIB + 1, True)])
def test_answers_above_64_kib_are_compressed_for_who_takes_that(size: int, packed: bool) -> None:
    request = HttpRequest()
    request.accepts_gzip = True

    assert _to_be_packed(request, Response(200, bytes(size))) is packed
