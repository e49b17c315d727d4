"""X25519 keys. The data key is wrapped by HPKE (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, mode
Base, without associated data.

Releases up to 0.2 wrapped by an exchange of their own, which is only unwrapped here: HKDF-SHA256 of the secret shared
with an ephemeral key, then AES-256-GCM.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealift.sealing.errors import NotThisKind, WrongKey
from sealift.sealing.recipients import pem
from sealift.sealing.recipients.recipient import DOES_NOT_UNWRAP, RecipientKind, Stanza

KIND: Final = "HPKE-X25519-HKDF-SHA256-AES256-GCM"
KIND_BEFORE_HPKE: Final = "X25519-HKDF-SHA256-AES256-GCM"
SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
INFO: Final = b"sealift/v1/HPKE\0"
PRIME: Final = 2**255 - 19
"""RFC 7748, 4.1: coordinates are below it."""
INFO_BEFORE_HPKE: Final = b"sealift/v1/X25519\0"
SHARE_BYTES: Final = 32
WRAPPED_BYTES: Final = {
    KIND: (SHARE_BYTES + 32 + 16, SHARE_BYTES + 40 + 16),  # encapsulated key · data key, or that under a KEK · tag
    KIND_BEFORE_HPKE: (SHARE_BYTES + 32 + 16,),  # share · data key · tag
}
NONCE: Final = bytes(12)  # each wrapping key encrypts once: the ephemeral key is always new
NOT_X25519: Final = "the key is not an X25519 key", "generate one with `openssl genpkey -algorithm X25519`"


class X25519Recipient:
    """A public key. Raises WrongKey unless the text is an X25519 key in PEM."""

    def __init__(self, text: str) -> None:
        key = pem.read_public_key(text)
        if not isinstance(key, X25519PublicKey):
            raise NotThisKind(*NOT_X25519)
        if int.from_bytes(key.public_bytes_raw(), "little") >= PRIME:  # a second encoding of a key, with another id
            raise WrongKey(*NOT_X25519)
        try:
            X25519PrivateKey.generate().exchange(key)
        except ValueError:  # a point of low order: the shared secret would be known
            raise WrongKey(*NOT_X25519) from None
        self._key = key

    @property
    def key_id(self) -> str:
        """Hex SHA-256 of the DER SubjectPublicKeyInfo."""
        return pem.key_id(self._key)

    def wrap(self, data_key: bytes) -> Stanza:
        """Wraps the data key for this recipient."""
        return Stanza(KIND, self.key_id, SUITE.encrypt(data_key, self._key, info=INFO))

    def __repr__(self) -> str:
        return f"X25519Recipient(key_id={self.key_id[:16]}…)"


class X25519Identity:
    """The private key. Raises WrongKey unless the text is an unencrypted X25519 key in PEM."""

    kinds = (KIND, KIND_BEFORE_HPKE)

    def __init__(self, text: str, trusted: bool = False) -> None:
        key = pem.read_private_key(text, trusted)
        if not isinstance(key, X25519PrivateKey):
            raise NotThisKind(*NOT_X25519)
        self._key = key

    @property
    def key_id(self) -> str:
        """The public key's id."""
        return pem.key_id(self._key.public_key())

    def unwrap(self, stanza: Stanza) -> bytes:
        """Unwraps the data key. Raises WrongKey if the stanza is for another key or was altered."""
        # GCM does not commit to its key: a longer ciphertext could be made to open under many keys, which would let an
        # attacker test many keys with one query.
        if len(stanza.wrapped_key) not in WRAPPED_BYTES[stanza.kind]:
            raise WrongKey(*DOES_NOT_UNWRAP)
        try:
            if stanza.kind == KIND:
                return SUITE.decrypt(stanza.wrapped_key, self._key, info=INFO)
            return self._unwrap_before_hpke(stanza.wrapped_key)
        except (ValueError, InvalidTag):  # ValueError includes a share of low order
            raise WrongKey(*DOES_NOT_UNWRAP) from None

    def _unwrap_before_hpke(self, wrapped: bytes) -> bytes:
        share, sealed = wrapped[:SHARE_BYTES], wrapped[SHARE_BYTES:]
        shared = self._key.exchange(X25519PublicKey.from_public_bytes(share))
        return AESGCM(_wrapping_key(shared, share, self._key.public_key())).decrypt(NONCE, sealed, None)

    def __repr__(self) -> str:
        return f"X25519Identity(key_id={self.key_id[:16]}…)"


def _wrapping_key(shared: bytes, share: bytes, recipient: X25519PublicKey) -> bytes:
    """Derives the wrapping key. The salt binds it to both public keys, which the shared secret does not (RFC 7748,
    6.1)."""
    return HKDF(hashes.SHA256(), 32, share + recipient.public_bytes_raw(), INFO_BEFORE_HPKE).derive(shared)


X25519: Final = RecipientKind("X25519", pem.RECIPIENT_FORM, pem.IDENTITY_FORM, X25519Recipient, X25519Identity)
