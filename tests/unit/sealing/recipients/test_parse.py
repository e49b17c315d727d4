"""A key's text says by itself of which kind it is, and a kind that is not known takes nothing from those that are."""

import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from sealift.sealing import (
    KEY_ALGORITHMS,
    Identity,
    ManifestInvalid,
    RsaIdentity,
    SealedArtifact,
    WrongKey,
    describe,
    generate_key_pair,
    open_artifact,
    parse_identity,
    parse_recipient,
    recipient_ids,
    rewrap,
    seal,
    unwrap,
)
from sealift.sealing.manifest import MAX_WRAPPED_BYTES, parse_manifest
from sealift.sealing.recipients import parse
from sealift.sealing.recipients.recipient import Stanza
from tests.kept_elsewhere import KEPT_ELSEWHERE

ADDRESS = "test-kms://keys/one"
NEWER = Stanza("SOMETHING-NEWER-1.0", "ab" * 32, b"who knows")


def private_text(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def with_stanza(manifest: bytes, key: RsaIdentity, stanza: Stanza, *, first: bool = True) -> bytes:
    """As a newer release would have sealed it."""
    parsed, data_key = parse_manifest(manifest), unwrap(manifest, [key])
    stanzas = (stanza, *parsed.recipients) if first else (*parsed.recipients, stanza)
    return parsed.for_recipients(stanzas, data_key).encode()


def opened(artifact: SealedArtifact, manifest: bytes, key: Identity) -> bytes:
    pinned, digest = artifact.artifact_id, artifact.payload_digest
    return bytes(open_artifact(manifest, artifact.payload, key, artifact_id=pinned, payload_digest=digest).model)


def test_a_text_is_read_as_what_it_is(key: RsaIdentity) -> None:
    assert parse_recipient(key.recipient.pem).key_id == parse_identity(key.pem).key_id == key.key_id


@pytest.mark.parametrize("text", ["", "secret words", "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----"])
def test_what_is_no_key_is_told_what_would_be_and_not_quoted(text: str) -> None:
    for read, form in ((parse_recipient, "a public key in PEM"), (parse_identity, "an unencrypted private key in PEM")):
        with pytest.raises(WrongKey, match=rf"^the key is not {form} \(RSA-4096") as refused:
            read(text)
        assert "secret" not in str(refused.value) and "begins with -----BEGIN P" in refused.value.hint


def test_a_key_that_is_too_weak_is_told_so_and_not_that_it_is_none() -> None:
    with pytest.raises(WrongKey, match="4096 bits"):
        parse_identity(private_text(rsa.generate_private_key(65537, 2048)))


def test_a_key_that_is_of_no_kind_is_told_the_kinds() -> None:
    with pytest.raises(WrongKey, match=r"private key in PEM \(RSA-4096"):
        parse_identity(private_text(ed25519.Ed25519PrivateKey.generate()))


def test_a_generated_key_is_of_its_algorithm(monkeypatch: pytest.MonkeyPatch, key: RsaIdentity) -> None:
    monkeypatch.setattr(RsaIdentity, "generate", staticmethod(lambda: key))

    pair = generate_key_pair(KEY_ALGORITHMS[0])

    assert (KEY_ALGORITHMS[0], pair.key_id, pair.recipient, pair.identity) == (
        "RSA-4096", key.key_id, key.recipient.pem, key.pem,
    )  # fmt: skip
    assert "PRIVATE" not in repr(pair)


def test_one_of_a_key_management_service_is_one_line_in_the_list(
    monkeypatch: pytest.MonkeyPatch, key: RsaIdentity
) -> None:
    monkeypatch.setattr(parse, "KINDS", [*parse.KINDS, KEPT_ELSEWHERE])
    recipients = [parse_recipient(ADDRESS), parse_recipient(key.recipient.pem)]
    artifact = seal(b"model", {"a": 1}, recipients)

    for text in (ADDRESS, key.pem):
        assert opened(artifact, artifact.manifest, parse_identity(text)) == b"model"
    with pytest.raises(WrongKey, match="does not belong to a recipient"):
        describe(artifact.manifest, parse_identity("test-kms://keys/other"))
    with pytest.raises(WrongKey, match=r"in PEM \(RSA-4096.*\) or a key's address \(TEST-KMS\)") as refused:
        parse_identity("neither")
    assert refused.value.hint.startswith("it begins with -----BEGIN PRIVATE KEY-----; it begins with awskms://")
    assert refused.value.hint.endswith("; it begins with test-kms://")


@pytest.mark.parametrize("first", [True, False])
def test_an_artifact_with_a_recipient_of_a_newer_kind_opens_with_its_other_keys(key: RsaIdentity, first: bool) -> None:
    artifact = seal(b"model", {"a": 1}, [key.recipient])
    manifest = with_stanza(artifact.manifest, key, NEWER, first=first)

    assert opened(artifact, manifest, key) == b"model"
    assert recipient_ids(manifest) == {NEWER.key_id, key.key_id}
    assert parse_manifest(manifest).encode() == manifest


def test_another_kind_s_stanza_for_the_same_key_is_not_tried(key: RsaIdentity) -> None:
    artifact = seal(b"model", {"a": 1}, [key.recipient])

    manifest = with_stanza(artifact.manifest, key, replace(NEWER, key_id=key.key_id))

    assert describe(manifest, key) == {"a": 1}


def test_who_is_wrapped_for_anew_are_these_alone(key: RsaIdentity) -> None:
    artifact = seal(b"model", {"a": 1}, [key.recipient])
    manifest = with_stanza(artifact.manifest, key, NEWER)

    assert recipient_ids(rewrap(manifest, unwrap(manifest, [key]), [key.recipient])) == {key.key_id}


@pytest.mark.parametrize("size", [0, 1, 511, 513, MAX_WRAPPED_BYTES])
def test_a_stanza_of_another_size_than_its_kind_s_opens_nothing(key: RsaIdentity, size: int) -> None:
    with pytest.raises(WrongKey, match="does not unwrap"):
        key.unwrap(Stanza(key.kinds[0], key.key_id, bytes(size)))


def stanza_fields(**changes: object) -> dict[str, object]:
    return {"kind": "K", "keyId": "ab" * 32, "wrappedKey": base64.b64encode(b"w").decode()} | changes


@pytest.mark.parametrize(
    "fields",
    [
        stanza_fields(kind=""), stanza_fields(kind="K" * 65), stanza_fields(kind="K\n"), stanza_fields(kind="K "),
        stanza_fields(kind=1), stanza_fields(kind=None), stanza_fields(kind="Ä"), stanza_fields(kind=["K"]),
        stanza_fields(wrappedKey=""), stanza_fields(wrappedKey=base64.b64encode(bytes(MAX_WRAPPED_BYTES + 1)).decode()),
        stanza_fields(keyId="ab"), stanza_fields(more=1),
    ],
)  # fmt: skip
def test_a_stanza_over_the_limits_is_refused_whatever_its_kind(key: RsaIdentity, fields: dict[str, object]) -> None:
    manifest = json.loads(seal(b"model", {}, [key.recipient]).manifest)
    manifest["recipients"].append(fields)
    with pytest.raises(ManifestInvalid):
        parse_manifest(json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode())
