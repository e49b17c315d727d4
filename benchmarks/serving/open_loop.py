"""Requests at a fixed rate, whether or not earlier ones are answered. wrk cannot do this: it waits for answers."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final, cast

import httptools

from benchmarks.serving.load import HOST
from benchmarks.serving.work import PATH, Request

MOST_CONNECTIONS: Final = 900
"""Maximum number of connections. A process can usually have 1,024. Further requests count as broken at once."""
LEFT_SECONDS: Final = 5.0
"""Time that is left for answers after the last request."""
TICK_SECONDS: Final = 0.002


class OpenLoop:
    """The requests to one server, and their results."""

    def __init__(self, port: int, headers: Mapping[str, str], request: Request) -> None:
        self.sent = self.answered = self.refused = self.broken = 0
        """Counts within the seconds of `send`, until `finish` is called."""
        self.answered_seconds: list[float] = []
        self.refused_seconds: list[float] = []
        self.free: list[_Connection] = []
        self.open = 0
        self._port = port
        self._message = _message(port, headers, request)
        self._opening: set[asyncio.Task[None]] = set()

    async def send(self, rate: float, seconds: float) -> None:
        """Sends `rate` requests per second, evenly spread over the seconds."""
        began = time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            while self.sent < passed * rate:
                self._send(began + self.sent / rate)
            await asyncio.sleep(TICK_SECONDS)

    async def finish(self) -> None:
        """Waits for the missing answers, and closes all connections."""
        until = time.perf_counter() + LEFT_SECONDS
        while len(self.free) < self.open and time.perf_counter() < until:  # noqa: ASYNC110 - no event reports it
            await asyncio.sleep(TICK_SECONDS)
        for task in self._opening:
            task.cancel()
        self.broken += self.open - len(self.free)
        for connection in self.free:
            connection.close()

    def done(self, status: int | None, seconds: float) -> None:
        """Counts the result of one request. The status is None if its connection broke."""
        if status == 200:
            self.answered += 1
            self.answered_seconds.append(seconds)
        elif status == 503:
            self.refused += 1
            self.refused_seconds.append(seconds)
        else:
            self.broken += 1

    def _send(self, due: float) -> None:
        self.sent += 1
        if self.free:
            self.free.pop().ask(self._message, due)
        elif self.open < MOST_CONNECTIONS:
            self.open += 1
            task = asyncio.create_task(self._connect(due))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        else:
            self.broken += 1

    async def _connect(self, due: float) -> None:
        try:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(lambda: _Connection(self), HOST, self._port)
        except OSError:
            self.open -= 1
            self.broken += 1
        else:
            connection.ask(self._message, due)


class _Connection(asyncio.Protocol):
    """A connection, which sends one request at a time."""

    def __init__(self, load: OpenLoop) -> None:
        self._load = load
        self._due: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, message: bytes, due: float) -> None:
        """Sends a request. Its time counts from the moment when it was due, with the waits of this program."""
        self._due = due
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(message)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        due, self._due = self._due, None
        if due is None:
            return  # an answer without a request: the refusal of an idle connection
        self._load.done(self._parser.get_status_code(), time.perf_counter() - due)
        if self._parser.should_keep_alive():
            self._load.free.append(self)
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._load.open -= 1
        if self in self._load.free:
            self._load.free.remove(self)
        if self._due is not None:
            self._load.done(None, 0.0)

    def close(self) -> None:
        self._transport.close()


def _message(port: int, headers: Mapping[str, str], request: Request) -> bytes:
    lines = {"Host": f"{HOST}:{port}", "Content-Length": str(len(request.body)), **request.headers, **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + request.body
