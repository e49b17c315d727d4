"""A bare ASGI function on uvicorn with uvloop and httptools: the minimum of a Python server."""

import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec
import uvicorn

from benchmarks.serving.programs.net import Net


class Input(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class Body(msgspec.Struct):
    inputs: list[Input]


Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def app(net: Net) -> Callable[[dict[str, Any], Receive, Send], Coroutine[None, None, None]]:
    """Makes an app that answers every path in the same way."""
    decode, encode = msgspec.json.Decoder(Body).decode, msgspec.json.encode

    async def infer(_scope: dict[str, Any], receive: Receive, send: Send) -> None:
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        try:
            (given,) = decode(b"".join(parts)).inputs
            status, body = 200, encode(net.answer(given.name, given.datatype, given.shape, given.data))
        except ValueError as error:  # msgspec's errors are ValueErrors
            status, body = 400, encode({"error": str(error)})
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return infer


if __name__ == "__main__":
    uvicorn.run(
        app(Net(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), loop="uvloop", http="httptools", ws="none",
        lifespan="off", access_log=False, log_level="warning",
    )  # fmt: skip
