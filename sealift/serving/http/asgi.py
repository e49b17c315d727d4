"""The same routes as an ASGI application, for who wants middleware of their own: any ASGI server runs it.

    from sealift.serving.access import CheckedAccess
    from sealift.serving.http.asgi import App
    from sealift.serving.http.service import Service
    from sealift.serving.model import load
    from sealift.serving.opening import Opening, Source
    with Opening(Source(…)) as opening:
        app = App(Service("diabetes", load(opening), CheckedAccess(Path("access.json"))))

Limits on heads, connections, idle time and on how long an answer may take to be taken are that server's.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from sealift.serving.errors import RequestError
from sealift.serving.http import limits
from sealift.serving.http.errors import Refused
from sealift.serving.http.limits import SMALL_BYTES
from sealift.serving.http.messages import Request, Response
from sealift.serving.http.service import Service

DISCARD_BYTES: Final = 64 << 20
UNREAD_BODY: Final = {408, 413, 503}
"""After these, the connection may still have a body on it that nobody reads."""

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class App:
    """One plain ASGI callable over a service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._refreshed = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"internal error: {scope['type']} is not served")
        now = time.time()
        if now - self._refreshed >= 1:
            self._refreshed = now
            self.service.access.refresh(now)
        request = Request()
        request.began = time.perf_counter()
        request.method = scope["method"].encode()
        request.target = scope.get("raw_path") or scope["path"].encode()
        for name, value in scope["headers"]:
            request.read_field(name, value)
        self.service.admit(request)
        try:
            await self._read(request, receive)
        except ConnectionError:  # the client is gone
            request.release()
            return
        waiting = _Waiting()
        self.service.handle(request, waiting)
        response = await waiting.answered
        await self._send(request, response, send)
        request.release()

    async def _read(self, request: Request, receive: Receive) -> None:
        """Its body, or what refuses it. Raises ConnectionError."""
        more = True
        try:
            async with asyncio.timeout(limits.BODY_SECONDS):
                while more and request.refusal is None:
                    message = await _next(receive)
                    more = message.get("more_body", False)
                    self._grow(request, message["body"])
        except TimeoutError:
            late = Refused(408, f"the body did not arrive within {limits.BODY_SECONDS:g} seconds")
            request.refusal = self.service.failed(request, late)
            return
        if more and request.refusal is not None and request.refusal.status in UNREAD_BODY:
            await _discard(receive)

    def _grow(self, request: Request, part: bytes) -> None:
        try:
            request.extend(part, self.service.held)
        except RequestError as error:
            request.refusal = self.service.failed(request, error)

    async def _send(self, request: Request, response: Response, send: Send) -> None:
        """Returns once the client has taken most of a large body."""
        lines = response.fields.split(b"\r\n")[:-1]
        headers = [(b"content-type", response.content_type), (b"content-length", b"%d" % len(response.body))]
        headers += [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
        if self.service.draining or response.status in UNREAD_BODY:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        large = len(response.body) > SMALL_BYTES
        body = b"" if request.method == b"HEAD" else response.body
        await send({"type": "http.response.body", "body": body, "more_body": large})
        if large:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Waiting:
    """For one response."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    def reply(self, response: Response) -> None:
        if not self.answered.done():  # its client may have left
            self.answered.set_result(response)


async def _discard(receive: Receive) -> None:
    """Reads on a while without keeping it. Most clients read no answer before they have sent all, and a connection
    that is closed while they send loses it."""
    left = DISCARD_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limits.LINGER_SECONDS):
            while left > 0:
                message = await _next(receive)
                left -= len(message["body"])
                if not message.get("more_body"):
                    return


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ConnectionError
    return message
