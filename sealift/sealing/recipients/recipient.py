"""The contract of a kind of recipient. Sealing needs only recipients, which cannot open.

A kind defines everything about its keys: the form of their texts and the content of its stanzas. A manifest keeps
stanzas of unknown kinds unchanged, and holders of another key of the artifact can still open it. Reprs and errors show
key ids, never keys.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

DOES_NOT_UNWRAP: Final = (
    "the data key does not unwrap with this private key",
    "use the key that the artifact was sealed to",
)
"""Message and hint for every kind, whatever is wrong with the stanza."""


@dataclass(frozen=True)
class Stanza:
    """A data key wrapped for one recipient."""

    kind: str
    key_id: str
    wrapped_key: bytes


class Recipient(Protocol):
    """A public key. It seals and cannot open."""

    @property
    def key_id(self) -> str:
        """Id of the key: 64 hex digits, the same for a recipient and its identity."""

    def wrap(self, data_key: bytes) -> Stanza:
        """Wraps the data key for this recipient."""


class Identity(Protocol):
    """A private key, or access to one kept elsewhere. It opens artifacts that were sealed to its recipient."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the stanzas that the key unwraps, as in manifests, the current one first."""

    @property
    def key_id(self) -> str:
        """Id of the recipient's key."""

    def unwrap(self, stanza: Stanza) -> bytes:
        """Unwraps the data key. Raises WrongKey if the stanza is for another key or was altered, its size included, and
        KeyUnavailable if the key is kept elsewhere and cannot be used now.
        """


@dataclass(frozen=True)
class KeyPair:
    """A new key pair, as texts for `parse_recipient` and `parse_identity`."""

    key_id: str
    recipient: str
    identity: str = field(repr=False)


@dataclass(frozen=True)
class RecipientKind:
    """One kind of key that artifacts are sealed to. Its readers raise NotThisKind if the text belongs to another kind,
    and WrongKey if it is an invalid or too weak key of this kind.
    """

    name: str
    """Name of the algorithm, in messages and as SealingKey's `algorithm`."""
    recipient_form: str | None
    """Form of a recipient's text, such as "a public key in PEM". None if recipients are of another kind."""
    identity_form: str
    read_recipient: Callable[[str], Recipient] | None
    read_identity: Callable[[str, bool], Identity]
    """True means that the key was read before and found valid."""
    generate: Callable[[], KeyPair] | None = None
    """None if keys of this kind are made elsewhere."""
