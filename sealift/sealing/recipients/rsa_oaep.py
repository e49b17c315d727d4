"""RSA-4096 keys. The data key is wrapped with OAEP, SHA-256 and MGF1-SHA-256 (RFC 8017)."""

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sealift.sealing.errors import NotThisKind, WrongKey
from sealift.sealing.recipients import pem
from sealift.sealing.recipients.recipient import DOES_NOT_UNWRAP, KeyPair, RecipientKind, Stanza

KIND: Final = "RSA-OAEP-4096-SHA256"
KEY_BITS: Final = 4096
EXPONENT: Final = 65537
OAEP: Final = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
NOT_RSA_4096: Final = (
    "the key is not an RSA key of 4096 bits with public exponent 65537",
    "generate one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096`",
)


class RsaRecipient:
    """A public key. Raises WrongKey unless the text is RSA-4096 in PEM."""

    def __init__(self, text: str) -> None:
        self._key = _rsa_4096(pem.read_public_key(text))

    @property
    def pem(self) -> str:
        """SubjectPublicKeyInfo in PEM."""
        return pem.public_text(self._key)

    @property
    def key_id(self) -> str:
        """Hex SHA-256 of the DER SubjectPublicKeyInfo."""
        return pem.key_id(self._key)

    def wrap(self, data_key: bytes) -> Stanza:
        """Wraps the data key for this recipient."""
        return Stanza(KIND, self.key_id, self._key.encrypt(data_key, OAEP))

    def __repr__(self) -> str:
        return f"RsaRecipient(key_id={self.key_id[:16]}…)"


class RsaIdentity:
    """The private key. Raises WrongKey unless the text is an unencrypted RSA-4096 key in PEM.

    `trusted` means that the key was checked when it was made. It skips the primality check, which takes 0.3 s. A broken
    key opens nothing.
    """

    kinds = (KIND,)

    def __init__(self, text: str, trusted: bool = False) -> None:
        key = pem.read_private_key(text, trusted)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise NotThisKind(*NOT_RSA_4096)
        _rsa_4096(key.public_key())
        self._key = key

    @staticmethod
    def generate() -> "RsaIdentity":
        """Generates an RSA-4096 key with public exponent 65537."""
        return RsaIdentity(pem.private_text(rsa.generate_private_key(EXPONENT, KEY_BITS)))

    @property
    def pem(self) -> str:
        """PKCS #8 in PEM, unencrypted: a secret."""
        return pem.private_text(self._key)

    @property
    def recipient(self) -> RsaRecipient:
        """The recipient that goes with it."""
        return RsaRecipient(pem.public_text(self._key.public_key()))

    @property
    def key_id(self) -> str:
        """The public key's id."""
        return self.recipient.key_id

    def unwrap(self, stanza: Stanza) -> bytes:
        """Unwraps the data key. Raises WrongKey if the stanza is for another key or was altered."""
        try:
            return self._key.decrypt(stanza.wrapped_key, OAEP)
        except ValueError:  # also raised if the size is not the key's
            raise WrongKey(*DOES_NOT_UNWRAP) from None

    def __repr__(self) -> str:
        return f"RsaIdentity(key_id={self.key_id[:16]}…)"


def _generate() -> KeyPair:
    key = RsaIdentity.generate()
    return KeyPair(key.key_id, key.recipient.pem, key.pem)


def _rsa_4096(key: object) -> rsa.RSAPublicKey:
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotThisKind(*NOT_RSA_4096)
    if key.key_size != KEY_BITS or key.public_numbers().e != EXPONENT:
        raise WrongKey(*NOT_RSA_4096)
    return key


RSA_4096: Final = RecipientKind(
    "RSA-4096", pem.RECIPIENT_FORM, pem.IDENTITY_FORM, RsaRecipient, RsaIdentity, generate=_generate
)
