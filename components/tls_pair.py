"""Whether a certificate and a private key belong together, before a server is given them."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def mismatch(certificate: str, private_key: str) -> tuple[str, str] | None:
    """Which of `tlsCertificate` and `tlsPrivateKey` is wrong, and how, with nothing of either quoted; or None."""
    try:
        first = x509.load_pem_x509_certificates(certificate.encode())[0].public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "tlsCertificate", "holds no certificate that can be read; expected the server's, then its chain, in PEM"
    try:
        key = load_pem_private_key(private_key.encode(), None)
    except TypeError:
        return "tlsPrivateKey", "is encrypted; expected the key without a passphrase"
    except (ValueError, UnsupportedAlgorithm):
        return "tlsPrivateKey", "is no private key that can be read; expected one in PEM"
    if key.public_key() != first:
        return "tlsPrivateKey", "is not the key of tlsCertificate's first certificate"
    return None
