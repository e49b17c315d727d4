"""Recipients of an artifact with a key-encryption key (KEK) of its own, which is kept apart from the artifact. AES key
wrap (RFC 3394) wraps the data key under the KEK, and each recipient wraps the result. Without the KEK no private key
opens the artifact, so destroying it makes all copies unreadable. Where the KEK is kept is the caller's matter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from sealift.sealing.errors import WrongKey
from sealift.sealing.recipients.recipient import Identity, Recipient, Stanza

SUFFIX: Final = ".A256KW"
"""End of the kinds of such stanzas. What stands before it is the kind of the recipient's own stanza."""
KEK_BYTES: Final = 32


@dataclass(frozen=True)
class OwnKeyRecipient:
    """A recipient of one artifact with the KEK `kek`."""

    inner: Recipient
    kek: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """The inner recipient's id."""
        return self.inner.key_id

    def wrap(self, data_key: bytes) -> Stanza:
        """Wraps the data key under the KEK, and the result for the inner recipient."""
        stanza = self.inner.wrap(aes_key_wrap(self.kek, data_key))
        return Stanza(stanza.kind + SUFFIX, stanza.key_id, stanza.wrapped_key)


@dataclass(frozen=True)
class OwnKeyIdentity:
    """An identity that opens one artifact with the KEK `kek`."""

    inner: Identity
    kek: bytes = field(repr=False)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The inner identity's kinds, under a KEK."""
        return tuple(kind + SUFFIX for kind in self.inner.kinds)

    @property
    def key_id(self) -> str:
        """The inner identity's id."""
        return self.inner.key_id

    def unwrap(self, stanza: Stanza) -> bytes:
        """Unwraps the data key. Raises what the inner identity raises, or WrongKey if the KEK is another one."""
        inner = Stanza(stanza.kind.removesuffix(SUFFIX), stanza.key_id, stanza.wrapped_key)
        try:
            return aes_key_unwrap(self.kek, self.inner.unwrap(inner))
        except InvalidUnwrap:
            raise WrongKey(
                "the data key does not unwrap with this key-encryption key",
                "use the store of keys that the artifact was sealed with",
            ) from None


def under_key(recipients: Sequence[Recipient], kek: bytes | None) -> Sequence[Recipient]:
    """Returns the recipients of an artifact whose own key is `kek`, or the recipients themselves if it has none."""
    return recipients if kek is None else [OwnKeyRecipient(one, kek) for one in recipients]


def is_under_key(stanzas: Iterable[Stanza]) -> bool:
    """Whether one of them needs the artifact's own key."""
    return any(stanza.kind.endswith(SUFFIX) for stanza in stanzas)
