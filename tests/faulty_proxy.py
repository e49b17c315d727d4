"""A bad network and a bad day of a service: an HTTP proxy on loopback that spoils some requests and answers.

It keeps hosts, headers and paths, so signatures of requests still hold. A plan chooses the fault of each request.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

DELAY_SECONDS: Final = 0.05
LATE_SECONDS: Final = 1.0
HOP_BY_HOP: Final = ("connection", "keep-alive", "transfer-encoding", "expect", "content-length")


class Fault(Enum):
    """What happens to one request."""

    DROP = "the connection closes before the service has the request"
    LOSE = "the connection closes after the service has done it: its answer is lost"
    ERROR_500 = "the answer is 500, and the service never had the request"
    ERROR_503 = "the answer is 503, and the service never had the request"
    DONE_500 = "the answer is 500, though the service has done it"
    DONE_503 = "the answer is 503, though the service has done it"
    CUT = "the connection closes in the middle of the answer"
    SHORTEN = "the answer has half of its content, and says that this is all"
    DELAY = "the answer comes a little later"
    LATE = "the answer comes a second later, after short-tempered clients have gone"


UNDONE: Final = (Fault.DROP, Fault.ERROR_500, Fault.ERROR_503)
CODES: Final = {500: "InternalError", 503: "SlowDown"}
Plan = Callable[[str, str], Fault | None]
"""Chooses the fault of a request by its method and its path."""


class FaultyProxy:
    """A proxy in front of one service. `plan` may be replaced at any time, `counts` has the faults that happened."""

    def __init__(self, service: str) -> None:
        self._service = urlsplit(service)
        self.plan: Plan = nothing
        self.counts = Counter[Fault]()
        self.requests = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator["FaultyProxy"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def choose(self, method: str, path: str) -> Fault | None:
        with self._lock:
            self.requests += 1
            fault = self.plan(method, path)
            if fault is not None:
                self.counts[fault] += 1
            return fault

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> "_Answer":
        connection = HTTPConnection(self._service.hostname or "", self._service.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
            size = answer.getheader("Content-Length") if method == "HEAD" else None
            return _Answer(answer.status, kept, answer.read(), size)
        finally:
            connection.close()

    def _handler(self) -> "type[_Handler]":
        return type("Handler", (_Handler,), {"proxy": self})


def nothing(method: str, path: str) -> None:
    """The plan of a good day."""


def always(fault: Fault) -> Plan:
    return lambda method, path: fault


def at_random(seed: str, share: float) -> Plan:
    """A plan: this share of all requests gets faults of all kinds but the late one, never three after each other."""
    chance, row = random.Random(seed), [0]
    faults, deck = [fault for fault in Fault if fault is not Fault.LATE], list[Fault]()

    def plan(method: str, path: str) -> Fault | None:
        spoilt = chance.random() < share and row[0] < 2
        row[0] = row[0] + 1 if spoilt else 0
        if spoilt and not deck:  # each kind comes before one comes again
            deck.extend(chance.sample(faults, len(faults)))
        return deck.pop() if spoilt else None

    return plan


class _Answer:
    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes, size: str | None = None) -> None:
        self.status, self.headers, self.body = status, headers, body
        self.size = size or str(len(body))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: clients go in the middle of answers."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.choose(self.command, self.path)
        if fault is Fault.DROP:
            self.close_connection = True
            return
        if fault in (Fault.ERROR_500, Fault.ERROR_503):
            self._send(_error(fault))
            return
        if fault is Fault.DELAY:
            time.sleep(DELAY_SECONDS)
        try:
            answer = self.proxy.forward(self.command, self.path, self.headers.items(), body)
        except (OSError, HTTPException):
            self.close_connection = True
            return
        if fault is Fault.LOSE:
            self.close_connection = True
        elif fault in (Fault.DONE_500, Fault.DONE_503):
            self._send(_error(fault))
        elif fault is Fault.SHORTEN and self.command != "HEAD":
            self._send(_Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2]))
        else:
            if fault is Fault.LATE:
                time.sleep(LATE_SECONDS)
            self._send(answer, cut=fault is Fault.CUT)

    def __getattr__(self, name: str) -> Callable[[], None]:
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self._do

    def _send(self, answer: _Answer, *, cut: bool = False) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", answer.size)
        content = b"" if self.command == "HEAD" else answer.body
        if not cut:
            self.end_headers()
            self.wfile.write(content)
            return
        self.close_connection = True
        if content:
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
        else:  # nothing follows the headers: these are cut
            lines = [f"HTTP/1.1 {answer.status} ", *(f"{name}: {value}" for name, value in answer.headers)]
            text = "\r\n".join(lines).encode()
            self.wfile.write(text[: len(text) // 2])

    def log_message(self, *said: object) -> None: ...


def _error(fault: Fault) -> _Answer:
    status = int(fault.name[-3:])
    text = f"<?xml version='1.0'?><Error><Code>{CODES[status]}</Code><Message>a fault</Message></Error>"
    return _Answer(status, [("Content-Type", "application/xml")], text.encode())
