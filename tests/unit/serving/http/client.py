"""A client of one service, over the server's own connections: each request is asked through a socket of its own."""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from sealift.serving.http.connection import Connection, Connections
from sealift.serving.http.service import HttpService

INFER = "/v2/models/tiny/infer"
TICK_SECONDS = 0.02


class Client:
    """Asks as the host `tiny`."""

    def __init__(self, service: HttpService) -> None:
        self.service = service

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self.ask(method, path, **options))

    def get(self, path: str) -> httpx.Response:
        return self.send("GET", path)

    def infer(self, body: object, path: str = INFER) -> httpx.Response:
        return self.send("POST", path, content=json.dumps(body).encode())

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The same in a loop that runs already."""
        async with listening(self.service) as socket:
            transport = httpx.AsyncHTTPTransport(uds=str(socket))
            async with httpx.AsyncClient(transport=transport, base_url="http://tiny", timeout=60) as client:
                return await client.request(method, path, **options)


@contextlib.asynccontextmanager
async def listening(service: HttpService) -> AsyncIterator[Path]:
    """The socket that it listens on."""
    connections = Connections(service)
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "socket"
        server = await loop.create_unix_server(lambda: Connection(connections), socket)
        ticking = loop.create_task(_tick(connections))
        try:
            yield socket
        finally:
            ticking.cancel()
            server.close()
            for client in list(connections.clients):
                client.abort()
            await asyncio.sleep(0)


async def _tick(connections: Connections) -> None:
    while True:
        connections.tick()
        await asyncio.sleep(TICK_SECONDS)
