"""gRPC on its own port, in the server's event loop.

Everything a client can hold open has a limit: bytes of a message, concurrent calls, idle time. Calls without access are
refused before their message is read (guard.py).
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any, Final

# This must be set before grpc is imported. Otherwise grpc writes its own lines to standard error, whose last line must
# be the reason why the server does not start.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
import grpc.aio

from sealift.serving.errors import StartError
from sealift.serving.grpc.service import GrpcService
from sealift.serving.served import Served

MOST_CALLS: Final = 1024
"""Largest number of calls at a time. A further one gets RESOURCE_EXHAUSTED. Times WINDOW_BYTES, this bounds the memory
of calls whose message is not read yet. Messages that are being read have their own limits (arrivals.py)."""
CALLS_PER_CONNECTION: Final = 100
MOST_CONNECTIONS: Final = 1024
HANDSHAKE_SECONDS: Final = 10
HEAD_BYTES: Final = 16 << 10
"""Largest size of a call's metadata, as over HTTP."""
WINDOW_BYTES: Final = 16 << 10
"""Flow-control window: bytes that a client may send of a message that is not read yet."""
IDLE_SECONDS: Final = 75
LINGER_SECONDS: Final = 0.5
"""Time in which new calls get UNAVAILABLE before connections are closed. A call that arrives while they are closed gets
CANCELLED, which clients do not repeat on another server."""


Pem = tuple[bytes, bytes]
"""A certificate chain and its private key, in PEM."""


class GrpcTransport:
    """The gRPC server over one model."""

    clients = 0
    """Number of clients that a drain waits for. Always 0, because `stop` lets calls in flight end."""

    def __init__(
        self, served: Served, host: str, port: int, most_bytes: int, pem: Callable[[], Pem] | None = None
    ) -> None:
        """Accepts messages of up to `most_bytes` bytes. Port 0 means any free port. With `pem`, it uses TLS."""
        self._pem = pem
        self._service = GrpcService(served, most_bytes)
        self._host = f"[{host}]" if ":" in host else host
        self.port = port
        self._options = [
            ("grpc.max_receive_message_length", most_bytes),
            ("grpc.max_send_message_length", -1),  # the model determines the size of a response
            ("grpc.max_connection_idle_ms", IDLE_SECONDS * 1000),
            ("grpc.max_allowed_incoming_connections", MOST_CONNECTIONS),
            ("grpc.max_concurrent_streams", CALLS_PER_CONNECTION),
            ("grpc.max_metadata_size", HEAD_BYTES),
            ("grpc.absolute_max_metadata_size", HEAD_BYTES),  # else sizes in between are refused at random
            ("grpc.server_handshake_timeout_ms", HANDSHAKE_SECONDS * 1000),
            ("grpc.http2.bdp_probe", 0),  # the probe would widen the window
            ("grpc.http2.lookahead_bytes", WINDOW_BYTES),
            ("grpc.so_reuseport", 0),  # a second server on the port is a mistake, not a share
        ]
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Starts to listen, and sets `port` to the actual port. Raises StartError if it cannot listen there."""
        server = grpc.aio.server(options=self._options, maximum_concurrent_rpcs=MOST_CALLS)
        server.add_generic_rpc_handlers((self._service.handlers(),))
        try:
            address = f"{self._host}:{self.port}"
            tls = None if self._pem is None else _credentials(self._pem)
            self.port = server.add_insecure_port(address) if tls is None else server.add_secure_port(address, tls)
        except RuntimeError:  # its text has no details
            hint = "check whether another server uses this port"
            raise StartError(f"cannot listen on {self._host} port {self.port} for gRPC", hint) from None
        await server.start()
        self._server = server

    def tick(self) -> None:
        """Does nothing, because grpcio itself ends calls that take too long."""

    async def stop(self, seconds: float) -> None:
        """Refuses new calls, which makes clients use another server. Returns when the calls in flight have ended, or
        after `seconds`, when the rest are cancelled."""
        if self._server is None:
            return
        self._service.leaving = True
        linger = min(LINGER_SECONDS, seconds)
        await asyncio.sleep(linger)
        await self._server.stop(seconds - linger)


def _credentials(pem: Callable[[], Pem]) -> Any:
    """Returns credentials that get the certificate at each handshake, so that a renewed one is used."""

    def configuration() -> Any:
        chain, key = pem()
        return grpc.ssl_server_certificate_configuration([(key, chain)])

    return grpc.dynamic_ssl_server_credentials(configuration(), configuration)
