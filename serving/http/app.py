"""One plain ASGI callable over all protocols' operations: which method asks for one, and with which status it ends.

    GET, HEAD   what is fixed, and readiness
    POST        what the model is run for
A slash at the end of a path changes nothing. What clients sent is never logged, nor are errors that quote it.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from serving.errors import RequestError
from serving.http.body import Receive, Scope, Send, read, refuse_announced
from serving.http.errors import status_of
from serving.http.held import SMALL_BYTES, Held, Share
from serving.log import log
from serving.model import Model
from serving.protocol import PROTOCOLS, refusal
from serving.protocol.contract import Body, Fixed, Inferred, Operation, Readiness

UNREAD_BODY: Final = {408, 413, 503}
"""After these, the connection still has a body on it that nobody reads."""

Response = tuple[int, bytes]


@dataclass(frozen=True)
class Route:
    """One path: what it does, and how its protocol says that something went wrong."""

    operation: Operation
    methods: tuple[str, ...]
    error: Callable[[str], bytes]


class App:
    """Serves one model. Once `draining`, it is not ready, and closes each connection after the next answer on it."""

    def __init__(self, name: str, model: Model) -> None:
        self.draining = False
        self._held = Held()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._model = model
        self._routes = _routes(name, model)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"internal error: {scope['type']} is not served")
        started = time.perf_counter()
        method, path = scope["method"], scope["path"].rstrip("/")
        route = self._routes.get(path)
        say = route.error if route else refusal
        with Share(self._held) as share:
            try:
                status, body = await self._respond(route, scope, receive)
                share.grow_to(len(body))
            except RequestError as error:
                status, body = status_of(error), say(error.message)
            except ConnectionError:
                return  # the client is gone
            except Exception as error:  # noqa: BLE001 - the last resort; a trace could quote the input, so only the kind is told
                status, body = 500, say("internal error; the server's log has its kind")
                log("error", "request failed", error=type(error).__name__)
            await _send(send, status, self._headers(status, body, route), body)
        if status >= 400:
            level, where = "warning" if status < 500 else "error", path if route else "unknown"
            seconds = round(time.perf_counter() - started, 6)
            log(level, "refused", method=method, route=where, status=status, seconds=seconds)

    async def _respond(self, route: Route | None, scope: Scope, receive: Receive) -> Response:
        if route is None:
            return 404, refusal(f"no such path or model; there is: {', '.join(self._routes)}")
        if scope["method"] not in route.methods:
            return 405, route.error(f"this method is not for this path; allowed: {', '.join(route.methods)}")
        match route.operation:
            case Fixed(answer):
                return 200, answer
            case Readiness(ready, draining):
                return (503, draining) if self.draining else (200, ready)
            case Inferred() as inferred:
                return 200, await self._infer(inferred, scope, receive)

    async def _infer(self, inferred: Inferred[Any], scope: Scope, receive: Receive) -> bytes:
        await refuse_announced(scope, receive)
        with Share(self._held) as share:
            body = await read(receive, share)
            if len(body) <= SMALL_BYTES:  # a thread costs it more than its answer
                return self._run(inferred, body)
            return await asyncio.get_running_loop().run_in_executor(self._worker, self._run, inferred, body)

    def _run(self, inferred: Inferred[Any], body: Body) -> bytes:
        inference = inferred.parse(body, None)
        return inferred.answer(inference, self._model.run(inference.inputs, inference.outputs)).body

    def _headers(self, status: int, body: bytes, route: Route | None) -> list[tuple[bytes, bytes]]:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        if route and status == 405:
            headers.append((b"allow", ", ".join(route.methods).encode()))
        if self.draining or status in UNREAD_BODY:
            headers.append((b"connection", b"close"))
        return headers


def _routes(name: str, model: Model) -> dict[str, Route]:
    return {
        path: Route(operation, ("POST",) if isinstance(operation, Inferred) else ("GET", "HEAD"), protocol.error)
        for protocol in PROTOCOLS
        for path, operation in protocol.operations(name, model).items()
    }


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Returns once the client has taken most of a large body."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    large = len(body) > SMALL_BYTES
    await send({"type": "http.response.body", "body": body, "more_body": large})
    if large:
        await send({"type": "http.response.body", "body": b"", "more_body": False})
