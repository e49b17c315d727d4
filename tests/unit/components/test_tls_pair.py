"""A certificate and a key that do not belong together are refused before anything is made."""

import pytest
from cryptography.hazmat.primitives import serialization

from components.tls_pair import mismatch
from tests.certificates import self_signed

ONE, OTHER = self_signed(), self_signed(2)


def encrypted(pem: str) -> str:
    key = serialization.load_pem_private_key(pem.encode(), None)
    kind, how = serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    return key.private_bytes(serialization.Encoding.PEM, kind, how).decode()


def test_a_pair_fits_with_whatever_chain_follows() -> None:
    assert mismatch(ONE.certificate, ONE.key) is None
    assert mismatch(ONE.certificate + OTHER.certificate, ONE.key) is None


@pytest.mark.parametrize(
    ("certificate", "key", "wrong", "words"),
    [
        (OTHER.certificate, ONE.key, "tlsPrivateKey", "does not belong to the first certificate in"),
        (OTHER.certificate + ONE.certificate, ONE.key, "tlsPrivateKey", "does not belong to the first certificate in"),
        (ONE.certificate, encrypted(ONE.key), "tlsPrivateKey", "is encrypted"),
        (ONE.certificate, "-----BEGIN PRIVATE KEY-----", "tlsPrivateKey", "is not a readable private key"),
        (ONE.certificate, ONE.certificate, "tlsPrivateKey", "is not a readable private key"),
        ("-----BEGIN CERTIFICATE-----", ONE.key, "tlsCertificate", "contains no readable certificate"),
        (ONE.key, ONE.key, "tlsCertificate", "contains no readable certificate"),
    ],
    ids=["another's", "a chain in another order", "encrypted", "half a key", "no key", "half a one", "no certificate"],
)
def test_what_does_not_fit_is_named_and_nothing_of_it_is_quoted(
    certificate: str, key: str, wrong: str, words: str
) -> None:
    found = mismatch(certificate, key)
    assert found is not None
    assert found[0] == wrong and found[1].startswith(words)
    assert "BEGIN" not in found[1]
