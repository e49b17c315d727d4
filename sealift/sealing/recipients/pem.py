"""Keys in PEM, as OpenSSL writes them: code shared by the kinds whose keys are PEM."""

import hashlib
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from sealift.sealing.errors import NotThisKind

RECIPIENT_FORM: Final = "a public key in PEM"
IDENTITY_FORM: Final = "an unencrypted private key in PEM"


def read_public_key(text: str) -> PublicKeyTypes:
    """Parses a public key in PEM. Raises NotThisKind."""
    try:
        return serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise NotThisKind(f"the key is not {RECIPIENT_FORM}", "it begins with -----BEGIN PUBLIC KEY-----") from None


def read_private_key(text: str, trusted: bool) -> PrivateKeyTypes:
    """Parses a private key in PEM. `trusted` skips the primality check of RSA keys. Raises NotThisKind."""
    try:
        return serialization.load_pem_private_key(text.encode(), None, unsafe_skip_rsa_key_validation=trusted)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise NotThisKind(f"the key is not {IDENTITY_FORM}", "it begins with -----BEGIN PRIVATE KEY-----") from None


def key_id(key: PublicKeyTypes) -> str:
    """Returns the hex SHA-256 of the DER SubjectPublicKeyInfo."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def public_text(key: PublicKeyTypes) -> str:
    """Returns the SubjectPublicKeyInfo in PEM."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def private_text(key: PrivateKeyTypes) -> str:
    """Returns the key as PKCS #8 in PEM, unencrypted: a secret."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
