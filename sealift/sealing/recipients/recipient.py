"""The contract of a kind of recipient. The side that seals needs recipients only, and cannot open.

Reprs and errors show key ids, never keys.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Stanza:
    """A data key as one recipient gets it."""

    kind: str
    key_id: str
    wrapped_key: bytes


class Recipient(Protocol):
    """Whoever has it can seal, not open."""

    @property
    def key_id(self) -> str:
        """64 hex digits that tell keys apart, the same for a recipient and its identity."""

    def wrap(self, data_key: bytes) -> Stanza:
        """The data key for this recipient."""


class Identity(Protocol):
    """The secret that opens what was sealed to its recipient."""

    @property
    def key_id(self) -> str:
        """The recipient's."""

    def unwrap(self, stanza: Stanza) -> bytes:
        """The data key. Raises WrongKey if it was wrapped to another key or altered."""
