"""One client's connection: uvicorn's HTTP/1.1, with an end to everything that a client could draw out.

Bytes of a head and of a trailer, the time that they take, idle time, requests sent ahead, an answer that is not taken,
and the number of connections are limited, so that no stranger fills the pod's memory or locks out the others.
A body's size and time are limited in body.py.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.log import log
from serving.protocol import refusal

MAX_CONNECTIONS: Final = 512
"""One more, and the longest idle one has to go: idle strangers keep out nobody, least of all the probes."""
MAX_HEAD_BYTES: Final = 16 << 10
HEADER_BYTES: Final = 32  # what a header counts besides its text, as in HTTP/2: many small ones take memory too
MAX_AHEAD: Final = 32  # requests that are sent on one connection before the answer to the first

KEEP_ALIVE_SECONDS: Final = 75  # longer than proxies keep an idle connection, so that it is they who close it
HEAD_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 30.0  # for a client to take an answer
LINGER_SECONDS: Final = 2.0


class Connection(HttpToolsProtocol):
    """Refuses with 431, 408 or 400 and closes; nobody reads what comes after that."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.idle_since = self.loop.time()
        self._head_bytes = 0
        self._pending_bytes = 0  # of an unfinished line
        self._receiving = self._in_head = self._leaving = False
        self._late: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether no request waits for its answer; one whose head is under way does not yet."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        if len(self.connections) > MAX_CONNECTIONS:
            others = [other for other in self.connections if isinstance(other, Connection) and other is not self]
            longest = min((other for other in others if other.idle), key=lambda other: other.idle_since, default=self)
            self.connections.discard(longest)
            longest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._in_time()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if len(data) <= MAX_HEAD_BYTES:
            self._parse(data)
        else:
            for start in range(0, len(data), MAX_HEAD_BYTES):
                self._parse(data[start : start + MAX_HEAD_BYTES])
        # The app has an eye on the rest: on a body that it waits for.
        if self._receiving and (self._in_head or self.idle):
            self._expect_more()

    def _parse(self, data: bytes) -> None:
        if self._leaving or self.transport.is_closing():
            return
        self._pending_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # to what we do not speak: HTTP/1.1 is the answer
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, _TooLargeError):
                self._refuse_head()
            else:
                self._refuse(HTTPStatus.BAD_REQUEST, "this is not HTTP/1.1")
            return
        if self._pending_bytes > MAX_HEAD_BYTES:
            self._refuse_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._receiving = self._in_head = True
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._pending_bytes = 0
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._pending_bytes = 0
        self._count(len(name) + len(value) + HEADER_BYTES)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._late is not None:
            self._in_time()
        if len(self.pipeline) >= MAX_AHEAD:
            raise _TooLargeError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._pending_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._receiving = False
        self._pending_bytes = 0
        if self._late is not None:
            self._in_time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.idle_since = self.loop.time()
        super().on_response_complete()
        if self._receiving and self.idle:
            self._expect_more()
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self.pause_writing()

    def shutdown(self) -> None:
        """Called once the server has drained. The answer to a head that is under way will close the connection."""
        if self._in_head:
            return
        if self.idle and not self._receiving:
            self.timeout_keep_alive_handler()
        else:
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        self._leave(HTTPStatus.REQUEST_TIMEOUT, "this connection was idle; send the request again on another one")

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stuck is None:
            self._stuck = self.loop.call_later(ANSWER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _TooLargeError

    def _expect_more(self) -> None:
        if self._late is None and not self._leaving:
            self._late = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"the request did not arrive within {HEAD_SECONDS:g} seconds")

    def _refuse_head(self) -> None:
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {MAX_HEAD_BYTES} bytes of headers")

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        log("warning", "refused", status=int(status))
        if self.idle and not (self._receiving and not self._in_head):
            self._leave(status, reason)
        else:  # in the middle of another answer, or after it: what we write would be taken for a part of it
            self.transport.abort()

    def _leave(self, status: HTTPStatus, reason: str) -> None:
        """Reads on a while without keeping it: a connection that is closed while a client sends loses the answer.

        To a request that is on its way as an idle connection closes, 408 is the answer: not taken, may be sent again
        (RFC 9110, 15.5.9).
        """
        if self._leaving or self.transport.is_closing():
            return
        self._leaving = True
        self._in_time()
        body = refusal(reason)
        head = f"HTTP/1.1 {status:d} {status.phrase}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        self.transport.write(f"{head}\r\nconnection: close\r\n\r\n".encode() + body)
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


class _TooLargeError(Exception): ...
