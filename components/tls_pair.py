"""Checks that a certificate and a private key belong together before a server gets them."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def mismatch(certificate: str, private_key: str) -> tuple[str, str] | None:
    """Returns the wrong property, `tlsCertificate` or `tlsPrivateKey`, and its problem; or None. Quotes no value."""
    try:
        first = x509.load_pem_x509_certificates(certificate.encode())[0].public_key()
    except (ValueError, UnsupportedAlgorithm):
        return (
            "tlsCertificate",
            "contains no readable certificate; allowed: the server's certificate, then its chain, in PEM",
        )
    try:
        key = load_pem_private_key(private_key.encode(), None)
    except TypeError:
        return "tlsPrivateKey", "is encrypted; allowed: a private key without a passphrase"
    except (ValueError, UnsupportedAlgorithm):
        return "tlsPrivateKey", "is not a readable private key; allowed: a private key in PEM"
    if key.public_key() != first:
        return "tlsPrivateKey", "does not belong to the first certificate in tlsCertificate"
    return None
