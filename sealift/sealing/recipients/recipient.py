"""The contract of a kind of recipient. The side that seals needs recipients only, and cannot open.

A kind says everything about its keys itself: how their texts look, and what its stanzas hold. A manifest keeps a stanza
of a kind that is not known here as it is, and who has another key of the artifact still opens it. Reprs and errors show
key ids, never keys.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

DOES_NOT_UNWRAP: Final = (
    "the data key does not unwrap with this private key",
    "use the key that the artifact was sealed to",
)
"""Of every kind, whatever is wrong with the stanza."""


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
    """What opens that which was sealed to its recipient: a private key, or the way to one that is kept elsewhere."""

    @property
    def kind(self) -> str:
        """Of the stanzas that it unwraps, as manifests say it."""

    @property
    def key_id(self) -> str:
        """The recipient's."""

    def unwrap(self, stanza: Stanza) -> bytes:
        """The data key. Raises WrongKey if it was wrapped to another key or altered, its size included."""


@dataclass(frozen=True)
class KeyPair:
    """A new key, as texts that `parse_recipient` and `parse_identity` read."""

    key_id: str
    recipient: str
    identity: str = field(repr=False)


@dataclass(frozen=True)
class RecipientKind:
    """One kind of key that artifacts are sealed to. Its readers raise NotThisKind at what is another kind's text, and
    WrongKey at a key of this kind that is not good enough.
    """

    name: str
    """Of its keys, in messages and as SealingKey's `algorithm`."""
    recipient_form: str
    """What a recipient's text is, such as "a public key in PEM"."""
    identity_form: str
    read_recipient: Callable[[str], Recipient]
    read_identity: Callable[[str, bool], Identity]
    """True says that it was read once before, and found to be good."""
    generate: Callable[[], KeyPair] | None = None
    """None where keys of this kind are made elsewhere."""
