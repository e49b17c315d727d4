"""Listening sockets, made before there is an event loop: clients that come before the model is open wait in them."""

import socket
from typing import Final

from sealift.serving.errors import StartError

BACKLOG: Final = 1024
EVERY_ADDRESS: Final = "::"
"""Of IPv6, and of IPv4 with it."""


def every_address() -> str:
    """The host that stands for all of IPv6 and IPv4, or for all of IPv4 on a machine that has no IPv6."""
    try:
        with listen(EVERY_ADDRESS, 0):
            return EVERY_ADDRESS
    except StartError:
        return "0.0.0.0"  # noqa: S104 - in a pod; what reaches it is the Service's matter


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == EVERY_ADDRESS and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        hint = "if another server uses this port, choose another one with --port"
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}", hint) from None
