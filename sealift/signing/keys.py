"""Keys of signers: ECDSA on the curves P-256 and P-384, in PEM, as model-signing's method "key" reads them.

They open nothing, and a key that opens artifacts signs nothing.
"""

import hashlib
import re
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sealift.signing.errors import SignerInvalid

CURVES: Final[dict[str, hashes.HashAlgorithm]] = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384()}
"""Curves, and the hash that signatures on each are made over (Sigstore's algorithm registry)."""
PRIVATE_PEM: Final = re.compile(
    r"-----BEGIN (?P<kind>(?:[A-Z]+ )?PRIVATE KEY)-----.*?-----END (?P=kind)-----\n?", re.DOTALL
)
"""`openssl ecparam -genkey` writes a block with the curve's parameters before it."""
GENERATE: Final = "make one with `sealift keygen --signing -o FILE`"
ALLOWED: Final = "an ECDSA key on the curve P-256 or P-384"
NOT_ECDSA: Final = (f"the signer's key is not {ALLOWED}", GENERATE)


class Signer:
    """A public key: it checks signatures. Raises SignerInvalid unless the text is such a key in PEM."""

    def __init__(self, text: str) -> None:
        if "PRIVATE KEY-----" in text:
            raise SignerInvalid(
                "this is a private key, and signatures are checked with a public key",
                "give the public key, which `openssl pkey -in FILE -pubout` prints",
            )
        try:
            key = serialization.load_pem_public_key(text.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise SignerInvalid(
                "the signer's key is not a public key in PEM", "it begins with -----BEGIN PUBLIC KEY-----"
            ) from None
        self._key = _on_curve(key)

    @property
    def pem(self) -> str:
        """SubjectPublicKeyInfo in PEM."""
        return self._bytes(serialization.Encoding.PEM).decode()

    @property
    def key_id(self) -> str:
        """Hex SHA-256 of the DER SubjectPublicKeyInfo, as of all keys."""
        return hashlib.sha256(self._bytes(serialization.Encoding.DER)).hexdigest()

    @property
    def hint(self) -> str:
        """Hex SHA-256 of the PEM text, by which model-signing names a key."""
        return hashlib.sha256(self.pem.encode()).hexdigest()

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this key's owner signed exactly this message."""
        try:
            self._key.verify(signature, message, ec.ECDSA(CURVES[self._key.curve.name]))
        except InvalidSignature:
            return False
        return True

    def __repr__(self) -> str:
        return f"Signer(key_id={self.key_id[:16]}…)"

    def _bytes(self, encoding: serialization.Encoding) -> bytes:
        return self._key.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


class SigningKey:
    """A private key: it signs. Raises SignerInvalid unless the text is such a key in PEM, unencrypted."""

    def __init__(self, text: str) -> None:
        found = PRIVATE_PEM.search(text)
        try:
            key = serialization.load_pem_private_key(found[0].encode() if found else b"", None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise SignerInvalid(
                "the signing key is not an unencrypted private key in PEM",
                f"it begins with -----BEGIN PRIVATE KEY-----; {GENERATE}",
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SignerInvalid(*NOT_ECDSA)
        _on_curve(key.public_key())
        self._key = key

    @staticmethod
    def generate() -> "SigningKey":
        """Generates a key on P-256."""
        return SigningKey(_private_text(ec.generate_private_key(ec.SECP256R1())))

    @property
    def pem(self) -> str:
        """PKCS #8 in PEM, unencrypted: a secret."""
        return _private_text(self._key)

    @property
    def signer(self) -> Signer:
        """The public key that goes with it."""
        public = self._key.public_key()
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return Signer(public.public_bytes(encoding, form).decode())

    def sign(self, message: bytes) -> bytes:
        """Returns an ECDSA signature of this message, in DER."""
        return self._key.sign(message, ec.ECDSA(CURVES[self._key.curve.name]))

    def __repr__(self) -> str:
        return f"SigningKey(key_id={self.signer.key_id[:16]}…)"


def _on_curve(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise SignerInvalid(*NOT_ECDSA)
    if key.curve.name not in CURVES:
        raise SignerInvalid(f"the signer's key is on the curve {key.curve.name}; allowed: {ALLOWED}", GENERATE)
    return key


def _private_text(key: ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
