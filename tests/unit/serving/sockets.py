"""A client of the model server that says exactly these bytes."""

import contextlib
import socket

SECONDS = 60
INFER = "/v2/models/tiny/infer"
GET = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n"


def dial(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)


def answer(client: socket.socket) -> bytes:
    """All that it sends until it closes."""
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := client.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)
