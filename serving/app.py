"""Routes, as one plain ASGI callable: the Open Inference Protocol v2 over a `Model`.

    GET   /v2   /v2/health/live   /v2/health/ready   /v2/models/NAME   /v2/models/NAME/ready
    POST  /v2/models/NAME/infer
and each of a model also under /v2/models/NAME/versions/1. A slash at the end changes nothing.

What clients sent is never logged, nor are errors that quote it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from serving import protocol
from serving.body import Receive, Scope, Send, read, refuse_announced
from serving.errors import RequestError
from serving.held import SMALL_BYTES, Held, Share
from serving.log import log
from serving.model import Model

SERVER: Final = {"name": "sealift", "version": "0.1.0", "extensions": []}

UNREAD_BODY: Final = {408, 413, 503}
"""After these, the connection still has a body on it that nobody reads."""

Response = tuple[int, bytes]
Handler = Callable[[Scope, Receive], Awaitable[Response]]


class App:
    """Serves one model. Once `draining`, it is not ready, and closes each connection after the next answer on it."""

    def __init__(self, name: str, model: Model) -> None:
        self.draining = False
        self._name = name
        self._model = model
        self._held = Held()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._routes = self._make_routes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"internal error: {scope['type']} is not served")
        started = time.perf_counter()
        method, path = scope["method"], scope["path"].rstrip("/")
        methods, handler = self._routes.get(path, ((method,), self._unknown))
        with Share(self._held) as share:
            try:
                status, body = await (handler(scope, receive) if method in methods else self._not_allowed(methods))
                share.grow_to(len(body))
            except RequestError as error:
                status, body = error.status, protocol.error(error.message)
            except ConnectionError:
                return  # the client is gone
            except Exception as error:  # noqa: BLE001 - the last resort; a trace could quote the input, so only the kind is told
                status, body = 500, protocol.error("internal error; the server's log has its kind")
                log("error", "request failed", error=type(error).__name__)
            await _send(send, status, self._headers(status, body, methods), body)
        if status >= 400:
            level, route = "warning" if status < 500 else "error", path if path in self._routes else "unknown"
            seconds = round(time.perf_counter() - started, 6)
            log(level, "refused", method=method, route=route, status=status, seconds=seconds)

    def _make_routes(self) -> dict[str, tuple[tuple[str, ...], Handler]]:
        get, post = ("GET", "HEAD"), ("POST",)
        routes: dict[str, tuple[tuple[str, ...], Handler]] = {
            "/v2": (get, _fixed(protocol.encode(SERVER))),
            "/v2/health/live": (get, _fixed(protocol.encode({"live": True}))),
            "/v2/health/ready": (get, self._ready({})),
        }
        for base in (f"/v2/models/{self._name}", f"/v2/models/{self._name}/versions/{protocol.VERSION}"):
            routes[base] = (get, _fixed(protocol.encode(self._metadata())))
            routes[f"{base}/ready"] = (get, self._ready({"name": self._name}))
            routes[f"{base}/infer"] = (post, self._infer)
        return routes

    def _metadata(self) -> dict[str, object]:
        return {
            "name": self._name,
            "versions": [protocol.VERSION],
            "platform": "onnxruntime_onnx",
            "inputs": [tensor.described() for tensor in self._model.inputs.values()],
            "outputs": [tensor.described() for tensor in self._model.outputs.values()],
            "parameters": self._model.description,
        }

    def _ready(self, fields: dict[str, object]) -> Handler:
        async def handler(_scope: Scope, _receive: Receive) -> Response:
            return 503 if self.draining else 200, protocol.encode({**fields, "ready": not self.draining})

        return handler

    async def _infer(self, scope: Scope, receive: Receive) -> Response:
        await refuse_announced(scope, receive)
        with Share(self._held) as share:
            body = await read(receive, share)
            if len(body) <= SMALL_BYTES:  # a thread costs it more than its answer
                return self._answer(body)
            return await asyncio.get_running_loop().run_in_executor(self._worker, self._answer, body)

    def _answer(self, body: bytes | bytearray) -> Response:
        inference = protocol.parse(body, self._model.inputs, list(self._model.outputs))
        arrays = self._model.run(inference.inputs, inference.outputs)
        return 200, protocol.answer(self._name, inference, arrays)

    async def _unknown(self, _scope: Scope, _receive: Receive) -> Response:
        return 404, protocol.error(f"no such path or model; there is: {', '.join(self._routes)}")

    async def _not_allowed(self, methods: tuple[str, ...]) -> Response:
        return 405, protocol.error(f"this method is not for this path; allowed: {', '.join(methods)}")

    def _headers(self, status: int, body: bytes, methods: tuple[str, ...]) -> list[tuple[bytes, bytes]]:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        if status == 405:
            headers.append((b"allow", ", ".join(methods).encode()))
        if self.draining or status in UNREAD_BODY:
            headers.append((b"connection", b"close"))
        return headers


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Returns once the client has taken most of a large body."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    large = len(body) > SMALL_BYTES
    await send({"type": "http.response.body", "body": body, "more_body": large})
    if large:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _fixed(body: bytes) -> Handler:
    async def handler(_scope: Scope, _receive: Receive) -> Response:
        return 200, body

    return handler
