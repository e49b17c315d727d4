"""gRPC on its own port, in the server's event loop.

Everything a client can hold open has a limit: bytes of a message, concurrent calls, idle time. Calls without access are
refused before their message is read (guard.py).
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any, Final

# Before grpc is loaded: it would write lines of its own to standard error, of which the last is to be the reason that
# the server does not start.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
import grpc.aio

from sealift.serving.errors import StartError
from sealift.serving.grpc.service import GrpcService
from sealift.serving.served import Served

MOST_CALLS: Final = 1024
"""At a time; one more is RESOURCE_EXHAUSTED. With the window, what calls without a message take of memory; those with
one have limits of their own (arrivals.py)."""
CALLS_PER_CONNECTION: Final = 100
MOST_CONNECTIONS: Final = 1024
HANDSHAKE_SECONDS: Final = 10
HEAD_BYTES: Final = 16 << 10
"""As over HTTP."""
WINDOW_BYTES: Final = 16 << 10
"""That a client may send of a message that is not read yet."""
IDLE_SECONDS: Final = 75
LINGER_SECONDS: Final = 0.5
"""In which new calls are UNAVAILABLE, before connections are closed: a call that crosses that would be CANCELLED, after
which clients do not ask elsewhere."""


Pem = tuple[bytes, bytes]
"""A certificate's chain and its private key."""


class GrpcTransport:
    """Over one model."""

    clients = 0
    """None that a drain waits for: stop lets calls in flight end."""

    def __init__(
        self, served: Served, host: str, port: int, most_bytes: int, pem: Callable[[], Pem] | None = None
    ) -> None:
        """For messages of up to `most_bytes`; port 0 is any free one. With `pem` it speaks TLS."""
        self._pem = pem
        self._service = GrpcService(served, most_bytes)
        self._host = f"[{host}]" if ":" in host else host
        self.port = port
        self._options = [
            ("grpc.max_receive_message_length", most_bytes),
            ("grpc.max_send_message_length", -1),  # an answer is as large as the model makes it
            ("grpc.max_connection_idle_ms", IDLE_SECONDS * 1000),
            ("grpc.max_allowed_incoming_connections", MOST_CONNECTIONS),
            ("grpc.max_concurrent_streams", CALLS_PER_CONNECTION),
            ("grpc.max_metadata_size", HEAD_BYTES),
            ("grpc.absolute_max_metadata_size", HEAD_BYTES),  # or some in between would be refused by chance
            ("grpc.server_handshake_timeout_ms", HANDSHAKE_SECONDS * 1000),
            ("grpc.http2.bdp_probe", 0),  # it would widen the window
            ("grpc.http2.lookahead_bytes", WINDOW_BYTES),
            ("grpc.so_reuseport", 0),  # a second server on the port is a mistake, not a share
        ]
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listens; `port` is then the one that it has. Raises StartError."""
        server = grpc.aio.server(options=self._options, maximum_concurrent_rpcs=MOST_CALLS)
        server.add_generic_rpc_handlers((self._service.handlers(),))
        try:
            address = f"{self._host}:{self.port}"
            tls = None if self._pem is None else _credentials(self._pem)
            self.port = server.add_insecure_port(address) if tls is None else server.add_secure_port(address, tls)
        except RuntimeError:  # which says no more than that
            hint = "check whether another server uses this port"
            raise StartError(f"cannot listen on {self._host} port {self.port} for gRPC", hint) from None
        await server.start()
        self._server = server

    def tick(self) -> None:
        """Nothing: grpcio ends by itself what takes too long."""

    async def stop(self, seconds: float) -> None:
        """Takes no more calls: clients are told to go elsewhere. Returns when those in flight have ended, or are given
        up after so many seconds."""
        if self._server is None:
            return
        self._service.leaving = True
        linger = min(LINGER_SECONDS, seconds)
        await asyncio.sleep(linger)
        await self._server.stop(seconds - linger)


def _credentials(pem: Callable[[], Pem]) -> Any:
    """Asks for the certificate at each handshake, so that another one is taken over."""

    def configuration() -> Any:
        chain, key = pem()
        return grpc.ssl_server_certificate_configuration([(key, chain)])

    return grpc.dynamic_ssl_server_credentials(configuration(), configuration)
