"""One client's connection: HTTP/1.1 with keep-alive, pipelining, chunked bodies and Expect.

httptools parses. Requests are answered one at a time, in order. While a request waits for its answer, only the piece
that it arrived in is parsed. Everything a client can hold open has a limit: bytes and duration of a head and of a body,
idle time, and the time to read a response (limits.py). A request that is refused before it was read completely is the
last one on its connection.
"""

import asyncio
import time
from collections import deque
from heapq import nsmallest
from typing import Final, cast

import httptools

from sealift.serving.errors import RequestError
from sealift.serving.http import limits
from sealift.serving.http.errors import RefusedRequest
from sealift.serving.http.framing import doubt, without_offer
from sealift.serving.http.limits import HEADER_BYTES, MAX_HEAD_BYTES
from sealift.serving.http.messages import FIELDS, Handler, HttpRequest, Response, head
from sealift.serving.memory_budget import SMALL_BYTES, Share

PIECE_BYTES: Final = MAX_HEAD_BYTES  # read at a time, so at most this many bytes of short requests are parsed ahead
ROOM: Final = 16
NO_REQUEST: Final = "internal error: the parser reports a request that has not begun"
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connections:
    """All connections of one server: its clients, its service and the current date."""

    def __init__(self, service: Handler) -> None:
        self.service = service
        self.clients: set[Connection] = set()
        self.date = b""
        self.tick()

    def tick(self) -> None:
        """Called a few times a second. Ends connections that exceed a time limit, and sets the date."""
        self.date = time.strftime("date: %a, %d %b %Y %H:%M:%S GMT\r\n", time.gmtime()).encode()
        now = time.perf_counter()
        failure: Exception | None = None
        for client in list(self.clients):
            try:
                client.check(now)
            except Exception as error:  # noqa: BLE001 - the error of one client must not keep the others from being checked
                failure = error
                client.abort()
        if failure is not None:
            raise failure

    def admit(self, newcomer: "Connection") -> None:
        """Admits a client. If there are too many, drops those that have been idle for longest: several at a time,
        because the search looks at all clients. If no client is idle, drops those that have been sending a body for
        longest, because sending slowly costs a client nothing."""
        self.clients.add(newcomer)
        if len(self.clients) > limits.MAX_CONNECTIONS:
            others = self.clients - {newcomer}
            may_go = [client for client in others if client.idle] or [client for client in others if client.receives]
            for client in nsmallest(ROOM, may_go, key=lambda client: client.since) or [newcomer]:
                client.abort()


class Connection(asyncio.Protocol):
    """The connection of one client."""

    def __init__(self, connections: Connections) -> None:
        self._all = connections
        self._service = connections.service
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # until it is made
        self.since = time.perf_counter()
        """Start of the current state: idle, receiving a head, receiving a body, or closing."""
        self._current: HttpRequest | None = None
        """The request that is being received."""
        self._answering: HttpRequest | None = None
        self._ahead: deque[HttpRequest] = deque()
        """Complete requests that wait for their turn."""
        self._rest = memoryview(b"")
        """Received bytes that are not parsed yet."""
        self._paused = False  # reading
        self._stuck_since: float | None = None  # the client does not read what we write
        self._untaken: Share | None = None
        self._in_head = False
        self._deaf = False  # ignores all further input
        self._ended = False  # the client has closed its side
        self._head_bytes = 0
        self._pending_bytes = 0  # of an unfinished head, chunk's head or trailer

    @property
    def idle(self) -> bool:
        """Whether no request waits for its answer. A request whose head is incomplete does not count."""
        waiting = self._answering is not None or self._ahead or self._rest
        return not waiting and (self._current is None or self._in_head)

    @property
    def receives(self) -> bool:
        """Whether the connection only waits for the rest of a request."""
        waiting = self._answering is not None or self._ahead or self._rest
        return not waiting and self._current is not None

    def abort(self) -> None:
        """Closes the connection at once, without a response."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._all.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.clients.discard(self)
        self._deaf = True
        self._rest = memoryview(b"")
        for request in (self._current, *self._ahead):
            if request is not None:
                request.release()
        self._current = None
        self._ahead.clear()
        self._release_untaken()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if len(data) <= PIECE_BYTES and not self._rest:
            self._parse(data)
        else:
            self._rest = memoryview(b"".join((self._rest, data)))
        if self._rest:
            self._parse_rest()

    def eof_received(self) -> bool:
        """Keeps the connection open if a client that has sent all its requests waits for answers."""
        self._ended = True
        return self._answering is not None or bool(self._ahead) or bool(self._rest)

    def pause_writing(self) -> None:
        self._stuck_since = time.perf_counter()

    def resume_writing(self) -> None:
        self._stuck_since = None
        self._release_untaken()
        self._next()

    def check(self, now: float) -> None:
        """Ends the connection if it exceeds a time limit."""
        if self._stuck_since is not None:
            if now - self._stuck_since > limits.ANSWER_SECONDS:
                self.abort()
        elif self._deaf:
            if self.idle and now - self.since > limits.LINGER_SECONDS:
                self.abort()
        elif self._current is not None:
            seconds = limits.HEAD_SECONDS if self._in_head else limits.BODY_SECONDS
            if now - self.since > seconds and not self._paused:
                what = "request" if self._in_head else "body"
                self._turn_away(RefusedRequest(408, f"the {what} did not arrive within {seconds:g} seconds"))
        elif self.idle and now - self.since > limits.KEEP_ALIVE_SECONDS:
            self.dismiss()

    def dismiss(self) -> None:
        """Closes the connection if it is idle. A request that is on its way at this moment gets 408: it was not
        processed and may be sent again (RFC 9110, 15.5.9)."""
        if self._current is None and self.idle and not self._deaf:
            self._answering = request = HttpRequest()
            request.keep_alive = False
            said = RefusedRequest(408, "this connection was idle; send the request again on another one")
            self.reply(self._service.answer_failure(request, said))

    def _parse(self, data: bytes | memoryview) -> None:
        self._pending_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._rest = memoryview(b"".join((data[offer.args[0] :], self._rest)))
            self._ignore_offer()
        except httptools.HttpParserError as error:
            if isinstance(error.__context__, RefusedRequest):
                self._turn_away(error.__context__)
            elif not self._deaf:
                self._turn_away(self._refusal or RefusedRequest(400, "this is not HTTP/1.1"))
            return
        if self._refusal is not None:
            self._turn_away(self._refusal)
        elif self._pending_bytes > MAX_HEAD_BYTES:
            self._turn_away(_head_too_large())

    def _ignore_offer(self) -> None:
        """Ignores an offer to upgrade (RFC 9110, 7.8). The parser ends the message there, but the announced body
        follows. So a new parser gets a head that announces the body."""
        request = self._current
        if request is None:
            raise AssertionError(NO_REQUEST)
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(without_offer(request))

    @property
    def _refusal(self) -> Response | None:
        """The refusal, by its head, of the request whose body is being received."""
        return self._current.refusal if self._current is not None and not self._in_head else None

    def _parse_rest(self) -> None:
        """Parses piece after piece, as long as no parsed request waits."""
        while self._rest and not self._deaf and self._answering is None and not self._ahead:
            piece, self._rest = self._rest[:PIECE_BYTES], self._rest[PIECE_BYTES:]
            self._parse(piece)
        if self._deaf:
            self._rest = memoryview(b"")
        if bool(self._rest) is not self._paused and not self._transport.is_closing():
            self._paused = bool(self._rest)
            self.since = time.perf_counter()  # it is not the client's fault that we did not read
            if self._paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    # Callbacks of the parser.

    def on_message_begin(self) -> None:
        if self._deaf:
            raise _OverError
        if self._current is not None:  # see _ignore_offer
            return
        self._current = request = HttpRequest()
        request.began = self.since = time.perf_counter()
        self._in_head = True
        self._head_bytes = self._pending_bytes = 0

    def on_url(self, url: bytes) -> None:
        request = self._current
        if request is None:
            raise AssertionError(NO_REQUEST)
        self._head_bytes += len(url)
        if self._in_head:
            request.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + HEADER_BYTES
        read = FIELDS.get(name) or FIELDS.get(name.lower())
        if read is not None and self._in_head and self._current is not None:  # not the fields of a trailer
            read(self._current, value)

    def on_headers_complete(self) -> None:
        request = self._current
        if request is None:
            raise AssertionError(NO_REQUEST)
        if not self._in_head:  # see _ignore_offer
            return
        self._in_head = False
        self._pending_bytes = 0
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _head_too_large()
        parser = self._parser
        version = parser.get_http_version()
        request.method = parser.get_method()
        refused = doubt(request, version)
        if refused is not None:
            raise refused
        request.keep_alive = parser.should_keep_alive() and (not request.hop or version == "1.1")
        self._service.admit(request)
        if request.length != 0:
            self.since = time.perf_counter()
            if self._answering is None and not self._ahead:
                self._bid()

    def on_body(self, body: bytes) -> None:
        self._pending_bytes = 0
        request = self._current
        if request is None:
            raise AssertionError(NO_REQUEST)
        if request.refusal is not None:
            return
        try:
            request.extend(body, self._service.served.memory)
        except RequestError as error:
            request.refusal = self._service.answer_failure(request, error)

    def on_message_complete(self) -> None:
        request = self._current
        if request is None:
            raise AssertionError(NO_REQUEST)
        if request.upgrades and self._parser.should_upgrade():  # see _ignore_offer
            return
        self._pending_bytes = 0
        self._current = None
        if self._answering is None and not self._ahead and self._stuck_since is None:
            self._answering = request
            self._service.handle(request, self)
        else:
            self._ahead.append(request)
        if not request.keep_alive:
            self._deaf = True

    # Answers.

    def reply(self, response: Response) -> None:
        """Answers the current request."""
        request = self._answering
        if request is None:
            raise AssertionError(NO_REQUEST)
        self._answering = None
        self.since = time.perf_counter()
        transport = self._transport
        if transport.is_closing():
            request.release()
            return
        more = self._ahead or self._rest
        last = not request.keep_alive or self._service.served.draining or (self._ended and not more)
        start = head(response, self._all.date, last)
        body = response.body if request.method != b"HEAD" else b""
        if len(body) <= SMALL_BYTES:
            transport.write(start + body)
        else:
            transport.writelines((start, body))
        if request.share is not None:
            self._untaken, request.share = request.share, None
            if self._stuck_since is None:
                self._release_untaken()
        if last:
            self._leave()
        elif more:
            asyncio.get_running_loop().call_soon(self._next)
        else:
            self._bid()

    def _next(self) -> None:
        """Handles the next waiting request, or parses the next piece, unless a request is being answered."""
        if self._answering is not None or self._stuck_since is not None or self._transport.is_closing():
            return
        if self._ahead:
            self._answering = self._ahead.popleft()
            self._service.handle(self._answering, self)
            return
        self._parse_rest()
        if self._ended and self._answering is None and not self._ahead and not self._rest:
            self._leave()

    def _bid(self) -> None:
        """Sends 100 Continue to a client that waits for it before it sends its body."""
        request = self._current
        if request is not None and request.expects and request.refusal is None and not self._in_head:
            self._transport.write(CONTINUE)

    def _turn_away(self, refusal: RefusedRequest | Response) -> None:
        """Refuses an incomplete request, after the answers to the earlier ones, and reads no more."""
        request = self._current or HttpRequest()
        self._current = None
        request.release()
        request.began = request.began or self.since
        request.refusal = refusal if isinstance(refusal, Response) else self._service.answer_failure(request, refusal)
        request.keep_alive = False
        self._deaf = True
        self._rest = memoryview(b"")
        if self._answering is None and not self._ahead and self._stuck_since is None:
            self._answering = request
            self._service.handle(request, self)
        else:
            self._ahead.append(request)

    def _leave(self) -> None:
        """Closes the sending side, then discards input for a while. If the connection were closed while a client sends,
        the client would lose the answer."""
        self._deaf = True
        self._rest = memoryview(b"")
        for request in self._ahead:
            request.release()
        self._ahead.clear()
        self.since = time.perf_counter()
        if self._ended:
            self._transport.close()
        elif self._transport.can_write_eof():  # TLS cannot close one side of a connection
            self._transport.write_eof()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def _release_untaken(self) -> None:
        if self._untaken is not None:
            self._untaken.release()
            self._untaken = None


class _OverError(Exception):
    """Stops the parser: nothing is read after the last request."""


def _head_too_large() -> RefusedRequest:
    return RefusedRequest(431, f"the headers exceed the limit of {MAX_HEAD_BYTES} bytes")
