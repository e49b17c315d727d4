"""Signers' keys are ECDSA on P-256 and P-384, as OpenSSL writes them. Other keys are refused by name."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from sealift.signing import Signer, SignerInvalid, SigningKey
from tests.keys import key_pair

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


def private_text(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, password: bytes = b"") -> str:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(PEM, PKCS8, encryption).decode()


def openssl(*arguments: object, given: str = "") -> str:
    ran = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, text=True, check=True)
    return ran.stdout


@pytest.mark.parametrize("curve", ["prime256v1", "secp384r1"])
@pytest.mark.parametrize("options", [(), ("-noout",)], ids=["with parameters", "alone"])
def test_keys_of_openssl_sign_what_openssl_verifies(tmp_path: Path, curve: str, options: tuple[str, ...]) -> None:
    text = openssl("ecparam", "-name", curve, "-genkey", *options)
    key = SigningKey(text)
    (tmp_path / "public").write_text(key.signer.pem)
    (tmp_path / "message").write_bytes(b"message")
    (tmp_path / "signature").write_bytes(key.sign(b"message"))
    digest = {"prime256v1": "-sha256", "secp384r1": "-sha384"}[curve]

    files = ("-verify", tmp_path / "public", "-signature", tmp_path / "signature", tmp_path / "message")
    assert openssl("dgst", digest, *files) == "Verified OK\n"
    assert key.signer.pem == openssl("pkey", "-pubout", given=key.pem)


def test_a_key_signs_one_message() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    signature = key.sign(b"message")

    assert key.signer.has_signed(b"message", signature)
    assert not key.signer.has_signed(b"massage", signature)
    assert not key.signer.has_signed(b"message", b"no DER")
    assert not other.signer.has_signed(b"message", signature)


def test_a_key_has_two_names_one_of_ours_and_one_of_model_signing() -> None:
    signer = SigningKey.generate().signer
    der = serialization.load_pem_public_key(signer.pem.encode()).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    assert signer.key_id == hashlib.sha256(der).hexdigest()
    assert signer.hint == hashlib.sha256(signer.pem.encode()).hexdigest()
    assert Signer(signer.pem).key_id == signer.key_id


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not an unencrypted private key in PEM"),
        ("secret words", "not an unencrypted private key in PEM"),
        ("-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----", "not an unencrypted private key in PEM"),
        (private_text(ec.generate_private_key(ec.SECP256R1()), b"secret"), "not an unencrypted private key in PEM"),
        (private_text(ed25519.Ed25519PrivateKey.generate()), "not an ECDSA key on the curve P-256 or P-384"),
        (private_text(ec.generate_private_key(ec.SECP521R1())), "on the curve secp521r1"),
        (private_text(ec.generate_private_key(ec.SECP256K1())), "on the curve secp256k1"),
    ],
)
def test_other_private_keys_are_refused_and_not_quoted(text: str, says: str) -> None:
    with pytest.raises(SignerInvalid, match=says) as refused:
        SigningKey(text)

    assert "secret" not in str(refused.value) and "sealift keygen --signing" in refused.value.hint


def test_a_key_that_opens_artifacts_does_not_sign() -> None:
    with pytest.raises(SignerInvalid, match="not an ECDSA key"):
        SigningKey(key_pair().pem)
    with pytest.raises(SignerInvalid, match="not an ECDSA key"):
        Signer(key_pair().recipient.pem)


def test_a_private_key_is_not_taken_for_the_public_one() -> None:
    with pytest.raises(SignerInvalid, match="this is a private key"):
        Signer(SigningKey.generate().pem)
    with pytest.raises(SignerInvalid, match="not a public key in PEM"):
        Signer("-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n")


def test_a_key_shows_nothing_secret() -> None:
    key = SigningKey.generate()

    assert repr(key) == f"SigningKey(key_id={key.signer.key_id[:16]}…)"
    assert repr(key.signer) == f"Signer(key_id={key.signer.key_id[:16]}…)"
