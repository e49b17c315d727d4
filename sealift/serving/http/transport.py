"""HTTP on one listening socket: accepts and dismisses clients.

When it stops, it closes idle connections, each with a 408 in case a request is on its way. The 408 means that the
request was not processed and may be sent again.
"""

import asyncio
import socket
from typing import Final

from sealift.serving.certificate import Certificate
from sealift.serving.http.connection import Connection, Connections
from sealift.serving.http.handshakes import Handshakes
from sealift.serving.http.messages import Handler
from sealift.serving.http.sockets import BACKLOG

TICK_SECONDS: Final = 0.05


class HttpTransport:
    """The transport of one handler. It speaks HTTPS with a certificate, and HTTP without."""

    def __init__(self, handler: Handler, listening: socket.socket, certificate: Certificate | None = None) -> None:
        self.connections = Connections(handler)
        self._listening = listening
        self._certificate = certificate
        self._accepting: asyncio.Server | Handshakes | None = None

    @property
    def clients(self) -> int:
        """Number of connected clients."""
        return len(self.connections.clients)

    async def start(self) -> None:
        """Starts to accept clients."""
        if self._certificate is not None:
            self._accepting = Handshakes(self._listening, self._connect, self._certificate.context)
        else:
            loop = asyncio.get_running_loop()
            self._accepting = await loop.create_server(self._connect, sock=self._listening, backlog=BACKLOG)

    def tick(self) -> None:
        """Ends connections that exceed a time limit."""
        self.connections.tick()

    async def stop(self, seconds: float) -> None:
        """Accepts no more clients. Returns when all have left, or cuts them off after `seconds`."""
        if self._accepting is not None:
            self._accepting.close()
            self._accepting = None
        for client in list(self.connections.clients):
            client.dismiss()
        while self.connections.clients and seconds > 0:
            await asyncio.sleep(TICK_SECONDS)
            seconds -= TICK_SECONDS
        for client in list(self.connections.clients):
            client.abort()

    def _connect(self) -> Connection:
        return Connection(self.connections)
