"""Free TCP ports of loopback."""

import contextlib
import socket

LOOPBACK = "127.0.0.1"


def free(port: int) -> bool:
    """Whether no program listens on the port now."""
    with contextlib.closing(socket.socket()) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections in TIME_WAIT do not count
        try:
            trial.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def first_free(candidates: range) -> int | None:
    return next((port for port in candidates if free(port)), None)
