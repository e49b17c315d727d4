"""Artifacts with a key-encryption key of their own: no private key opens them without it."""

import base64
import json
import subprocess
from importlib import resources
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from sealift.sealing import (
    Identity,
    ManifestInvalid,
    Recipient,
    RsaIdentity,
    SealedArtifact,
    WrongKey,
    data_key_text,
    has_own_key,
    open_artifact,
    parse_identity,
    parse_key,
    parse_recipient,
    rewrap,
    seal,
    under_key,
    unwrap,
)
from sealift.sealing.recipients import pem
from sealift.sealing.recipients.own_key import OwnKeyIdentity, OwnKeyRecipient
from sealift.sealing.recipients.recipient import Stanza
from sealift.sealing.recipients.rsa_oaep import RsaRecipient

KEK: Final = bytes(range(100, 132))
DATA_KEY: Final = bytes(range(32))
KINDS: Final = ("RSA-OAEP-4096-SHA256.A256KW", "HPKE-X25519-HKDF-SHA256-AES256-GCM.A256KW")


def x25519_pair() -> tuple[Recipient, Identity]:
    key = X25519PrivateKey.generate()
    return parse_recipient(pem.public_text(key.public_key())), parse_identity(pem.private_text(key))


@pytest.fixture(scope="module", params=["RSA-4096", "X25519"])
def pair(request: pytest.FixtureRequest, key: RsaIdentity) -> tuple[Recipient, Identity]:
    if request.param == "RSA-4096":
        return key.recipient, key
    return x25519_pair()


@pytest.fixture
def artifact(pair: tuple[Recipient, Identity]) -> SealedArtifact:
    return seal(b"model", {}, under_key([pair[0]], KEK))


def test_rfc_3394_s_published_wrapping_of_256_bits() -> None:
    """NIST's vectors of SP 800-38F, for a wrapped key of our size."""
    folder = resources.files("cryptography_vectors") / "keywrap" / "kwtestvectors"
    wrapped = (folder / "KW_AE_256.txt").read_text().partition("[PLAINTEXT LENGTH = 256]")[2].partition("[")[0]
    cases = [dict(line.split(" = ") for line in case.splitlines()) for case in wrapped.strip().split("\n\n")]

    assert len(cases) == 100
    for case in cases:
        kek, plain, ciphertext = (bytes.fromhex(case[name]) for name in ("K", "P", "C"))
        assert aes_key_wrap(kek, plain) == ciphertext
        assert aes_key_unwrap(kek, ciphertext) == plain
        with pytest.raises(InvalidUnwrap):
            aes_key_unwrap(kek, ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]))


def test_both_keys_open_it_and_neither_alone(pair: tuple[Recipient, Identity], artifact: SealedArtifact) -> None:
    (stanza,) = json.loads(artifact.manifest)["recipients"]
    assert stanza["kind"] in KINDS and stanza["keyId"] == pair[0].key_id
    assert has_own_key(artifact.manifest)
    pinned, digest = artifact.artifact_id, artifact.payload_digest

    data_key = unwrap(artifact.manifest, [pair[1]], KEK)

    opened = open_artifact(artifact.manifest, artifact.payload, data_key, artifact_id=pinned, payload_digest=digest)
    assert bytes(opened.model) == b"model"
    with pytest.raises(WrongKey, match="key-encryption key of its own"):
        unwrap(artifact.manifest, [pair[1]])
    with pytest.raises(WrongKey, match="key-encryption key of its own"):
        open_artifact(artifact.manifest, artifact.payload, pair[1], artifact_id=pinned, payload_digest=digest)
    with pytest.raises(WrongKey, match="does not unwrap with this key-encryption key"):
        unwrap(artifact.manifest, [pair[1]], bytes(32))
    assert parse_key(data_key_text(data_key)) == data_key


def test_a_key_of_nobody_s_is_refused_as_such(artifact: SealedArtifact, other_key: RsaIdentity) -> None:
    with pytest.raises(WrongKey, match="no given private key"):
        unwrap(artifact.manifest, [other_key], KEK)


def test_an_artifact_without_a_key_of_its_own_is_what_it_was(key: RsaIdentity) -> None:
    artifact = seal(b"model", {}, under_key([key.recipient], None))

    (stanza,) = json.loads(artifact.manifest)["recipients"]
    assert stanza["kind"] == "RSA-OAEP-4096-SHA256"
    assert not has_own_key(artifact.manifest)
    assert len(unwrap(artifact.manifest, [key])) == 32


def test_other_recipients_need_its_key_too(artifact: SealedArtifact, pair: tuple[Recipient, Identity]) -> None:
    """Otherwise its destruction would leave a way to open the artifact."""
    recipient, identity = x25519_pair()
    data_key = unwrap(artifact.manifest, [pair[1]], KEK)

    with pytest.raises(AssertionError, match="internal error"):
        rewrap(artifact.manifest, data_key, [recipient])
    manifest = rewrap(artifact.manifest, data_key, under_key([recipient], KEK), {pair[0].key_id})

    for one in (pair[1], identity):
        assert unwrap(manifest, [one], KEK) == data_key


def test_every_altered_byte_and_every_other_size_is_refused(pair: tuple[Recipient, Identity]) -> None:
    identity = OwnKeyIdentity(pair[1], KEK)
    stanza = OwnKeyRecipient(pair[0], KEK).wrap(DATA_KEY)
    wrapped = stanza.wrapped_key
    assert identity.unwrap(stanza) == DATA_KEY

    every = range(0, len(wrapped), 1 if len(wrapped) < 100 else 64)
    flipped = [wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :] for at in every]
    without_kek = pair[0].wrap(DATA_KEY).wrapped_key
    for wrong in (*flipped, b"", wrapped[:-1], wrapped[:-8], wrapped + bytes(8), without_kek):
        with pytest.raises(WrongKey, match="does not unwrap"):
            identity.unwrap(Stanza(stanza.kind, stanza.key_id, wrong))


def test_reprs_show_no_key(key: RsaIdentity) -> None:
    for one in (OwnKeyRecipient(key.recipient, KEK), OwnKeyIdentity(key, KEK)):
        assert repr(KEK) not in repr(one) and KEK.hex() not in repr(one) and "key_id" in repr(one)


def test_openssl_unwraps_it_in_two_steps(tmp_path: Path, key: RsaIdentity) -> None:
    """As docs/reference/format-v1.md says: RSA-OAEP, then RFC 3394."""
    artifact = seal(b"model", {}, under_key([RsaRecipient(key.recipient.pem)], KEK))
    (stanza,) = json.loads(artifact.manifest)["recipients"]
    (tmp_path / "key.pem").write_text(key.pem)

    outer = subprocess.run(
        ["openssl", "pkeyutl", "-decrypt", "-inkey", tmp_path / "key.pem", "-pkeyopt", "rsa_padding_mode:oaep",
         "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"],
        input=base64.b64decode(stanza["wrappedKey"]), capture_output=True, check=True,
    ).stdout  # fmt: skip
    inner = subprocess.run(
        ["openssl", "enc", "-d", "-id-aes256-wrap", "-K", KEK.hex(), "-iv", "A6A6A6A6A6A6A6A6"],
        input=outer, capture_output=True, check=True,
    ).stdout  # fmt: skip

    assert len(outer) == 40
    assert inner == unwrap(artifact.manifest, [key], KEK)


def test_a_manifest_that_some_open_without_the_own_key_is_neither_written_nor_read(
    pair: tuple[Recipient, Identity], artifact: SealedArtifact
) -> None:
    other, _ = x25519_pair()
    with pytest.raises(ManifestInvalid, match=r"some of the manifest's recipients need the artifact's own key"):
        seal(b"model", {}, [*under_key([pair[0]], KEK), other])

    fields = json.loads(artifact.manifest)
    plain = other.wrap(DATA_KEY)
    added = {"kind": plain.kind, "keyId": plain.key_id, "wrappedKey": base64.b64encode(plain.wrapped_key).decode()}
    fields["recipients"].append(added)
    forged = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(ManifestInvalid, match=r"some of the manifest's recipients need the artifact's own key"):
        rewrap(forged, DATA_KEY, under_key([other], KEK))
