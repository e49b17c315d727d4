"""What a serving protocol gives a transport: operations by path, bytes in and JSON bytes out.

A transport decides how an operation is asked for, how a client hears that one failed, and whether the server is ready.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from serving.model import Model

Body = bytes | bytearray


@dataclass(frozen=True)
class Fixed:
    """Says the same for as long as the server runs."""

    answer: bytes


@dataclass(frozen=True)
class Readiness:
    """Whether requests should come here."""

    ready: bytes
    draining: bytes


@dataclass(frozen=True)
class Computed:
    """Makes an answer out of a body; any thread may call it. Raises RequestError."""

    answer: Callable[[Body], bytes]


Operation = Fixed | Readiness | Computed


class ServingProtocol(Protocol):
    """A module of this folder."""

    def operations(self, name: str, model: Model) -> Mapping[str, Operation]:
        """By path; a path does not end in a slash. Clients call the model `name`."""

    def error(self, message: str) -> bytes:
        """An answer that says what went wrong."""
