"""Strangers at the server's port: a real process and real sockets."""

import contextlib
import json
import re
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealift.serving.http.limits import MAX_CONNECTIONS, MAX_HEAD_BYTES
from sealift.serving.memory_budget import MAX_BODY_BYTES, MAX_HELD_BYTES
from tests.process.serving_process import Server, serving
from tests.unit.serving.sockets import GET, INFER, SECONDS, answer, dial
from tests.unit.serving.tiny import Files, request

CHUNKED = b"POST %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" % INFER.encode()
MORE_BYTES = 24 << 20  # of resident memory, whatever strangers do
MIB = 1 << 20
AHEAD = 5000
CROWD = 10_000
PATIENCE_SECONDS = 3


@pytest.fixture(autouse=True, scope="module")
def descriptors() -> Iterator[None]:
    """As many as this process may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(Files.write(tmp_path)) as made:
        assert_answers(made)
        yield made


def resident_bytes(server: Server) -> int:
    """The most that it ever had."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) << 10


def assert_answers(server: Server) -> None:
    """A newcomer is told that it lives."""
    with server.connect() as connection:
        connection.request("GET", "/v2/health/live")
        assert connection.getresponse().status == 200


def pour(port: int, start: bytes, endless: bytes, size: int) -> bytes:
    """Sends `start` and then `endless` over and over, `size` bytes, until it is closed, or until nothing of it is taken
    any more; what came back."""
    block = endless * (MIB // len(endless))
    with dial(port) as client:
        client.settimeout(PATIENCE_SECONDS)
        try:
            client.sendall(start)
            for _ in range(size // len(block) + 1):
                client.sendall(block)
        except TimeoutError:
            return b""
        except OSError:
            pass
        client.settimeout(SECONDS)
        return answer(client)


@pytest.mark.parametrize(
    ("start", "endless", "status"),
    [
        (GET + b"A: ", b"x", b"431"),
        (GET, b"A: b\r\n", b"431"),
        (b"GET /", b"x", b"431"),
        (b"", b"\r\n", b"431"),
        (b"", b"\0", b"400"),
        (b"POST /v2/health/live HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ", b"x", b""),
        (CHUNKED + b"0\r\n", b"A: b\r\n", b""),
        (CHUNKED + b"1;", b"x", b""),
        (GET + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", b"x", b""),
        (b"", GET + b"\r\n", b""),
        (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b""),
    ],
    ids=["header", "headers", "path", "lines", "noise", "trailer", "trailers", "chunk", "upgrade", "requests", "short"],
)  # fmt: skip
def test_nothing_endless_takes_memory_or_keeps_others_waiting(
    server: Server, start: bytes, endless: bytes, status: bytes
) -> None:
    before = resident_bytes(server)
    answers: list[bytes] = []
    done = threading.Event()

    def stranger() -> None:
        """One after the other, until the others have been answered."""
        answers.append(pour(server.ready["port"], start, endless, 64 * MIB))
        while not done.is_set():
            answers.append(pour(server.ready["port"], start, endless, 64 * MIB))

    strangers = [threading.Thread(target=stranger) for _ in range(4)]
    for thread in strangers:
        thread.start()
    try:
        for _ in range(5):
            assert_answers(server)
    finally:
        done.set()
        for thread in strangers:
            thread.join(SECONDS)

    assert not any(thread.is_alive() for thread in strangers)
    assert resident_bytes(server) - before < MORE_BYTES
    assert len(answers) >= len(strangers)
    assert [said for said in answers if status and not said.startswith(b"HTTP/1.1 " + status)] == []
    assert_answers(server)


def test_headers_of_the_largest_size_are_read_and_too_large_ones_are_told_so(server: Server) -> None:
    def ask(size: int) -> bytes:
        with dial(server.ready["port"]) as client:
            client.sendall(GET + b"Connection: close\r\nA: " + b"x" * size + b"\r\n\r\n")
            return answer(client)

    assert ask(MAX_HEAD_BYTES - 200).startswith(b"HTTP/1.1 200")
    refused = ask(MAX_HEAD_BYTES)
    assert refused.startswith(b"HTTP/1.1 431") and b"\r\nconnection: close\r\n" in refused
    assert str(MAX_HEAD_BYTES) in json.loads(refused.partition(b"\r\n\r\n")[2])["error"]


def test_requests_sent_ahead_are_all_answered(server: Server) -> None:
    with dial(server.ready["port"]) as client:
        client.sendall((GET + b"\r\n") * AHEAD + GET + b"Connection: close\r\n\r\n")
        assert answer(client).count(b"HTTP/1.1 200") == AHEAD + 1


def test_the_longest_idle_connection_makes_room_for_a_new_one(server: Server) -> None:
    descriptors = Path(f"/proc/{server.process.pid}/fd")
    with contextlib.ExitStack() as stack:
        strangers = [stack.enter_context(dial(server.ready["port"])) for _ in range(MAX_CONNECTIONS)]
        strangers[1].sendall(GET)  # an unfinished head does not protect it
        with server.connect() as client:
            client.putrequest("POST", INFER)
            client.putheader("Content-Length", "2")
            client.endheaders()
            time.sleep(0.2)
            more = [stack.enter_context(dial(server.ready["port"])) for _ in range(MAX_CONNECTIONS)]
            assert_answers(server)
            client.send(b"{}")
            assert client.getresponse().status == 400  # the one with a request under way stayed
            assert answer(strangers[0]) == answer(strangers[1]) == b""
            assert len(list(descriptors.iterdir())) < MAX_CONNECTIONS + 50
            more[-1].sendall(GET + b"Connection: close\r\n\r\n")
            assert answer(more[-1]).startswith(b"HTTP/1.1 200")


def test_ten_thousand_connections_take_no_memory_and_cost_a_busy_client_no_answer(server: Server) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < CROWD + 500:
        pytest.skip(f"needs {CROWD + 500} descriptors: ulimit -Hn")
    before = resident_bytes(server)
    answered: list[int] = []
    done = threading.Event()

    def ask() -> None:
        body = json.dumps(request([[1, 2, 3]]))
        with server.connect() as client:
            while not done.is_set():
                client.request("POST", INFER, body)
                response = client.getresponse()
                response.read()
                answered.append(response.status)

    busy = threading.Thread(target=ask)
    busy.start()
    with contextlib.ExitStack() as stack:
        for number in range(CROWD):
            stranger = stack.enter_context(dial(server.ready["port"]))
            if number % 2:
                stranger.sendall(GET)  # half of a head
        seen = len(answered)
        with server.connect() as newcomer:
            newcomer.request("GET", "/v2/health/ready")
            assert newcomer.getresponse().status == 200
        done.set()
        busy.join(SECONDS)
        assert resident_bytes(server) - before < MORE_BYTES
    assert not busy.is_alive()
    assert seen > 100
    assert set(answered) == {200}
    assert server.process.poll() is None


def test_bodies_that_do_not_end_take_no_more_memory_than_all_may(server: Server) -> None:
    before = resident_bytes(server)
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (INFER.encode(), MAX_BODY_BYTES)
    with contextlib.ExitStack() as stack:
        for _ in range(32):
            client = stack.enter_context(dial(server.ready["port"]))
            with contextlib.suppress(OSError):
                client.sendall(head + b" " * (MAX_BODY_BYTES - 1))
        assert_answers(server)
        assert resident_bytes(server) - before < 2 * MAX_HELD_BYTES  # as it grows, a body is copied


def test_sockets_that_announce_large_bodies_and_send_none_keep_no_one_out(server: Server) -> None:
    whole = json.dumps(request([[1, 2, 3]])).encode().ljust(MAX_BODY_BYTES)
    with contextlib.ExitStack() as stack:
        for announced in [b"Content-Length: %d" % MAX_BODY_BYTES, b"Transfer-Encoding: chunked"] * 8:
            idle = stack.enter_context(dial(server.ready["port"]))
            idle.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n" % (INFER.encode(), announced))
        client = stack.enter_context(server.connect())
        client.request("POST", INFER, whole)
        assert client.getresponse().status == 200


@pytest.mark.parametrize("asked", ["GET /v2/health/live", f"POST {INFER}"], ids=["open", "inference"])
def test_as_many_heads_without_their_bodies_as_there_are_connections_keep_no_one_out(
    server: Server, asked: str
) -> None:
    head = f"{asked} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            stack.enter_context(dial(server.ready["port"])).sendall(head)
        assert_answers(server)
        with server.connect() as client:
            client.request("POST", INFER, json.dumps(request([[1, 2, 3]])))
            assert client.getresponse().status == 200
