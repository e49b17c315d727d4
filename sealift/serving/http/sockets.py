"""Listening sockets, made before the event loop starts. Early clients wait in them until the model is open."""

import socket
from typing import Final

from sealift.serving.errors import StartError

BACKLOG: Final = 1024
EVERY_ADDRESS: Final = "::"
"""All addresses of IPv6 and IPv4."""


def every_address() -> str:
    """The host for all addresses of IPv6 and IPv4, or only of IPv4 on a machine without IPv6."""
    try:
        with listen(EVERY_ADDRESS, 0):
            return EVERY_ADDRESS
    except StartError:
        return "0.0.0.0"  # noqa: S104 - in a pod, where the Service controls what reaches it


def listen(host: str, port: int) -> socket.socket:
    """Makes a listening socket. Port 0 picks a free one. Raises StartError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == EVERY_ADDRESS and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        hint = "if another server uses this port, choose another one with --port"
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}", hint) from None
