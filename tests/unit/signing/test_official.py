"""Signatures go both ways between Sealift and the official program of model-signing."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from sealift.signing import SignatureInvalid, SignedArtifact, SignedOther, Signer, SigningKey, sign, verify
from tests.unit.signing.official import model_signing, needs_official, official_verify

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
SEALED = VECTORS / "format-v1-small"
PAYLOAD = (SEALED / "payload").read_bytes()
OFFICIAL = sorted(path.stem for path in VECTORS.glob("model-signing-*/*.sig"))


def artifact() -> SignedArtifact:
    fields = json.loads((SEALED / "manifest.json").read_bytes())
    return SignedArtifact(fields["artifactId"], fields["payloadDigest"], fields["payloadSize"])


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_there_are_signatures_of_the_official_program() -> None:
    assert OFFICIAL == ["one-file", "p256", "p384"]


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_signature_that_the_official_program_made_is_checked_with_the_payload(name: str) -> None:
    (file,) = VECTORS.glob(f"model-signing-*/{name}.sig")
    signer = Signer(file.with_suffix(".pub").read_text())

    statement, found = verify(file.read_bytes(), [signer])

    assert (statement.artifact, statement.sha256, found.key_id) == (None, sha256(PAYLOAD), signer.key_id)
    statement.check(artifact(), sha256(PAYLOAD))
    with pytest.raises(SignedOther, match="another payload"):
        statement.check(artifact(), sha256(PAYLOAD[1:]))
    with pytest.raises(SignedOther, match="not the artifact"):
        statement.check(artifact(), None)


def folder_with_payload(folder: Path, name: str) -> Path:
    folder.mkdir()
    shutil.copy(SEALED / "payload", folder / name)
    return folder


@needs_official
def test_the_official_program_verifies_ours_over_the_folder_of_the_payload(tmp_path: Path) -> None:
    key, named = SigningKey.generate(), artifact()
    folder = folder_with_payload(tmp_path / "payloads", named.artifact_id)
    signature, public_key = tmp_path / "signature", tmp_path / "signer.pub"
    signature.write_bytes(sign(named, named.artifact_id, sha256(PAYLOAD), key))
    public_key.write_text(key.signer.pem)

    verified = official_verify(folder, signature, public_key)
    assert verified.returncode == 0, verified.stdout + verified.stderr

    (folder / "another").write_bytes(b"payload")
    assert official_verify(folder, signature, public_key).returncode != 0
    assert official_verify(folder, signature, public_key, "--ignore_unsigned_files").returncode == 0

    (folder / named.artifact_id).write_bytes(PAYLOAD[:-1])
    assert official_verify(folder, signature, public_key, "--ignore_unsigned_files").returncode != 0


@needs_official
def test_ours_verifies_what_the_official_program_signs_now(tmp_path: Path) -> None:
    """Also with the key that `sealift keygen --signing` makes."""
    key = SigningKey.generate()
    (tmp_path / "signer.pem").write_text(key.pem)
    folder, signature = folder_with_payload(tmp_path / "model", "payload"), tmp_path / "signature"

    signed = model_signing("sign", "key", folder, "--signature", signature, "--private_key", tmp_path / "signer.pem")

    assert signed.returncode == 0, signed.stdout + signed.stderr
    statement, _ = verify(signature.read_bytes(), [key.signer])
    statement.check(artifact(), sha256(PAYLOAD))

    (folder / "second").write_bytes(b"file")
    model_signing("sign", "key", folder, "--signature", signature, "--private_key", tmp_path / "signer.pem")
    with pytest.raises(SignatureInvalid, match="exactly one"):
        verify(signature.read_bytes(), [key.signer])
