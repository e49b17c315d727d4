"""RSA-4096 keys that the data key is wrapped to by OAEP with SHA-256 and MGF1-SHA-256."""

import hashlib
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sealift.sealing.errors import WrongKey
from sealift.sealing.recipients.recipient import Stanza

KIND: Final = "RSA-OAEP-4096-SHA256"
KEY_BITS: Final = 4096
WRAPPED_BYTES: Final = KEY_BITS // 8
EXPONENT: Final = 65537
OAEP: Final = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


class RsaRecipient:
    """A public key. Raises WrongKey on anything but RSA-4096 in PEM."""

    def __init__(self, pem: str) -> None:
        try:
            key = serialization.load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise WrongKey("this is not a public key in PEM", "it begins with -----BEGIN PUBLIC KEY-----") from None
        self._key = _rsa_4096(key)

    @property
    def pem(self) -> str:
        """SubjectPublicKeyInfo in PEM."""
        return _public_pem(self._key)

    @property
    def key_id(self) -> str:
        """Hex SHA-256 of the DER SubjectPublicKeyInfo."""
        der = self._key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    def wrap(self, data_key: bytes) -> Stanza:
        """The data key for this recipient."""
        return Stanza(KIND, self.key_id, self._key.encrypt(data_key, OAEP))

    def __repr__(self) -> str:
        return f"RsaRecipient(key_id={self.key_id[:16]}…)"


class RsaIdentity:
    """The private key. Raises WrongKey on anything but an unencrypted RSA-4096 key in PEM.

    One that is `trusted`, since it was checked when it was made, is not asked again whether its primes are: that takes
    0.3 s. If it is broken all the same, it opens nothing.
    """

    def __init__(self, pem: str, trusted: bool = False) -> None:
        try:
            key = serialization.load_pem_private_key(
                pem.encode(), password=None, unsafe_skip_rsa_key_validation=trusted
            )
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise WrongKey(
                "this is not an unencrypted private key in PEM", "it begins with -----BEGIN PRIVATE KEY-----"
            ) from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise WrongKey(*NOT_RSA_4096)
        _rsa_4096(key.public_key())
        self._key = key

    @staticmethod
    def generate() -> "RsaIdentity":
        """A new RSA-4096 key with public exponent 65537."""
        return RsaIdentity(_private_pem(rsa.generate_private_key(EXPONENT, KEY_BITS)))

    @property
    def pem(self) -> str:
        """PKCS #8 in PEM, unencrypted: a secret."""
        return _private_pem(self._key)

    @property
    def recipient(self) -> RsaRecipient:
        """The recipient that goes with it."""
        return RsaRecipient(_public_pem(self._key.public_key()))

    @property
    def key_id(self) -> str:
        """The public key's id."""
        return self.recipient.key_id

    def unwrap(self, stanza: Stanza) -> bytes:
        """The data key. Raises WrongKey if it was wrapped to another key or altered."""
        try:
            return self._key.decrypt(stanza.wrapped_key, OAEP)
        except ValueError:
            raise WrongKey(
                "the data key does not unwrap with this private key", "use the key that the artifact was sealed to"
            ) from None

    def __repr__(self) -> str:
        return f"RsaIdentity(key_id={self.key_id[:16]}…)"


NOT_RSA_4096: Final = (
    "the key is not RSA with 4096 bits and public exponent 65537",
    "make one with RsaIdentity.generate()",
)


def _rsa_4096(key: object) -> rsa.RSAPublicKey:
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size != KEY_BITS or key.public_numbers().e != EXPONENT:
        raise WrongKey(*NOT_RSA_4096)
    return key


def _public_pem(key: rsa.RSAPublicKey) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _private_pem(key: rsa.RSAPrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
