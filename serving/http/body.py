"""A request's body as it arrives: no larger than MAX_BODY_BYTES, and within BODY_SECONDS."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from serving.http.errors import Refused
from serving.http.held import Share

MAX_BODY_BYTES: Final = 8 << 20
BODY_SECONDS: Final = 15.0
"""A slower one would keep a pod that ends from ending (see server.py)."""
DISCARD_BYTES: Final = 64 << 20
DISCARD_SECONDS: Final = 2.0

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def refuse_announced(scope: Scope, receive: Receive) -> None:
    """Raises Refused 413 for a body that says it is too large, or ConnectionError."""
    if any(name == b"content-length" and int(value) > MAX_BODY_BYTES for name, value in scope["headers"]):
        await discard(receive)
        raise _too_large()


async def read(receive: Receive, share: Share) -> bytes | bytearray:
    """The whole body. Raises Refused 413, 408 or 503, or ConnectionError when the client leaves."""
    body: bytes | bytearray = b""
    more = True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more and len(body) <= MAX_BODY_BYTES:
                message = await _next(receive)
                more = message.get("more_body", False)
                # What came in one part, as nearly all do, is not copied.
                body = _joined(body, message["body"]) if body else message["body"]
                share.grow_to(len(body))
    except Refused:
        del body  # nothing of it is kept while the rest comes
        if more:
            await discard(receive)
        raise
    except TimeoutError:
        raise Refused(408, f"the body did not arrive within {BODY_SECONDS:g} seconds") from None
    if len(body) > MAX_BODY_BYTES:
        if more:
            await discard(receive)
        raise _too_large()
    return body


def _joined(body: bytes | bytearray, part: bytes) -> bytearray:
    if isinstance(body, bytes):
        body = bytearray(body)
    body += part
    return body


async def discard(receive: Receive) -> None:
    """Reads on a while without keeping it. Most clients read no answer before they have sent all, and a connection
    that is closed while they send loses it."""
    left = DISCARD_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while left > 0:
                message = await _next(receive)
                left -= len(message["body"])
                if not message.get("more_body"):
                    return


def _too_large() -> Refused:
    return Refused(413, f"the body is larger than {MAX_BODY_BYTES} bytes; send fewer rows at a time")


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ConnectionError
    return message
