"""A signature is of one artifact and by one key; a changed byte, another form and another signer are refused."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealift.signing import (
    MAX_BYTES,
    AnotherSigner,
    SignatureInvalid,
    SignedArtifact,
    SignedOther,
    SigningError,
    SigningKey,
    sign,
    verify,
)
from sealift.signing.bundle import Bundle, signed_message

KEY, OTHER = SigningKey.generate(), SigningKey.generate()
ARTIFACT = SignedArtifact("ab" * 16, "cd" * 32, 1000)
SHA256 = hashlib.sha256(b"payload").hexdigest()
SIGNATURE = sign(ARTIFACT, ARTIFACT.artifact_id, SHA256, KEY)
STATEMENT = base64.b64decode(json.loads(SIGNATURE)["dsseEnvelope"]["payload"])

Change = Callable[[dict[str, Any]], object]


def changed_bundle(change: Change) -> bytes:
    fields = json.loads(SIGNATURE)
    change(fields)
    return json.dumps(fields).encode()


def signed(statement: bytes) -> bytes:
    """A valid signature of any statement."""
    return Bundle(statement, KEY.sign(signed_message(statement)), KEY.signer.hint).encode()


def changed_statement(change: Change) -> bytes:
    fields = json.loads(STATEMENT)
    change(fields)
    return signed(json.dumps(fields).encode())


def test_a_signature_names_the_artifact_its_file_and_its_signer() -> None:
    statement, signer = verify(SIGNATURE, [OTHER.signer, KEY.signer])

    assert (statement.name, statement.sha256, statement.artifact) == (ARTIFACT.artifact_id, SHA256, ARTIFACT)
    assert signer.key_id == KEY.signer.key_id
    statement.check(ARTIFACT, None)
    statement.check(ARTIFACT, SHA256)


@pytest.mark.parametrize(
    ("artifact", "sha256"),
    [
        (replace(ARTIFACT, artifact_id="ba" * 16), None),
        (replace(ARTIFACT, payload_digest="dc" * 32), None),
        (replace(ARTIFACT, payload_size=1001), SHA256),
        (ARTIFACT, "00" * 32),
    ],
)
def test_it_is_of_no_other_artifact(artifact: SignedArtifact, sha256: str | None) -> None:
    statement, _ = verify(SIGNATURE, [KEY.signer])

    with pytest.raises(SignedOther, match=f"another payload than that of artifact {artifact.artifact_id}"):
        statement.check(artifact, sha256)


def test_another_signer_is_refused_by_name() -> None:
    with pytest.raises(AnotherSigner, match=OTHER.signer.key_id[:16]):
        verify(SIGNATURE, [OTHER.signer])
    with pytest.raises(AnotherSigner):
        verify(SIGNATURE, [])


def test_the_hint_is_not_trusted() -> None:
    """Whoever writes the file can write any hint: a right one helps no other key, and a wrong or no one harms none."""
    forged = json.loads(sign(ARTIFACT, "payload", SHA256, OTHER))
    forged["verificationMaterial"]["publicKey"]["hint"] = KEY.signer.hint
    with pytest.raises(SignatureInvalid, match="one of them was altered"):
        verify(json.dumps(forged).encode(), [KEY.signer])

    without = changed_bundle(lambda fields: fields["verificationMaterial"].update(publicKey={}))
    assert verify(without, [KEY.signer])[0].artifact == ARTIFACT


@given(at=st.integers(0, len(SIGNATURE) - 1), bit=st.integers(0, 7))
def test_a_changed_bit_of_the_file_is_one_error_or_changes_nothing_that_is_signed(at: int, bit: int) -> None:
    content = bytearray(SIGNATURE)
    content[at] ^= 1 << bit

    try:
        statement, signer = verify(bytes(content), [KEY.signer])
    except SigningError as error:
        assert error.message
    else:
        assert (statement.encode(), signer.key_id) == (STATEMENT, KEY.signer.key_id)


@given(content=st.binary(max_size=200))
def test_anything_is_one_error(content: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify(content, [KEY.signer])


def second_signature(fields: dict[str, Any]) -> None:
    fields["dsseEnvelope"]["signatures"] *= 2


BUNDLES: list[tuple[str, Change]] = [
    ("mediaType", lambda fields: fields.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.2")),
    ("not made with a plain key", lambda fields: fields["verificationMaterial"].pop("publicKey")),
    ("hint is not a text", lambda fields: fields["verificationMaterial"]["publicKey"].update(hint=1)),
    ("verificationMaterial is not", lambda fields: fields.update(verificationMaterial=[])),
    ("payloadType", lambda fields: fields["dsseEnvelope"].update(payloadType="application/json")),
    ("dsseEnvelope is not", lambda fields: fields.pop("dsseEnvelope")),
    ("payload is not base64", lambda fields: fields["dsseEnvelope"].update(payload="é")),
    ("payload is not base64", lambda fields: fields["dsseEnvelope"].update(payload="")),
    ("payload is not base64", lambda fields: fields["dsseEnvelope"].update(payload="QR==")),
    ("exactly one", second_signature),
    ("exactly one", lambda fields: fields["dsseEnvelope"].update(signatures=[])),
    ("sig is not base64", lambda fields: fields["dsseEnvelope"]["signatures"][0].update(sig=None)),
]


@pytest.mark.parametrize(("says", "change"), BUNDLES)
def test_another_form_of_file_is_refused(says: str, change: Change) -> None:
    with pytest.raises(SignatureInvalid, match=says):
        verify(changed_bundle(change), [KEY.signer])


@pytest.mark.parametrize(
    "content",
    [
        SIGNATURE[:-1] + b',"mediaType":"x"}',
        b'{"a":NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff",
        b"[]",
        b"",
    ],
)
def test_odd_json_is_refused(content: bytes) -> None:
    with pytest.raises(SignatureInvalid, match="the signature is not"):
        verify(content, [KEY.signer])


def test_a_huge_file_is_refused_by_its_size() -> None:
    with pytest.raises(SignatureInvalid, match=f"exceeds the limit of {MAX_BYTES} bytes"):
        verify(SIGNATURE + b" " * MAX_BYTES, [KEY.signer])


STATEMENTS: list[tuple[str, Change]] = [
    ("_type is not", lambda fields: fields.update(_type="https://in-toto.io/Statement/v0.1")),
    ("predicateType is not", lambda fields: fields.update(predicateType="https://slsa.dev/provenance/v1")),
    ("predicate is not", lambda fields: fields.pop("predicate")),
    ("whole files", lambda fields: fields["predicate"]["serialization"].update(method="shards")),
    ("whole files", lambda fields: fields["predicate"]["serialization"].update(hash_type="blake3")),
    ("exactly one", lambda fields: fields["predicate"].update(resources=[])),
    ("exactly one", lambda fields: fields["predicate"].update(resources=fields["predicate"]["resources"] * 2)),
    ("algorithm", lambda fields: fields["predicate"]["resources"][0].update(algorithm="blake2b")),
    ("has no name", lambda fields: fields["predicate"]["resources"][0].pop("name")),
    ("digest is not", lambda fields: fields["predicate"]["resources"][0].update(digest="AB" * 32)),
    ("contradicts itself", lambda fields: fields["predicate"]["resources"][0].update(digest="00" * 32)),
    ("contradicts itself", lambda fields: fields["subject"][0]["digest"].update(sha256="00" * 32)),
    ("exactly one", lambda fields: fields.update(subject=[])),
    ("artifactId is not", lambda fields: fields["predicate"]["sealift"].update(artifactId="../x")),
    ("payloadDigest is not", lambda fields: fields["predicate"]["sealift"].pop("payloadDigest")),
    ("payloadSize is not", lambda fields: fields["predicate"]["sealift"].update(payloadSize=True)),
    ("payloadSize is not", lambda fields: fields["predicate"]["sealift"].update(payloadSize=1 << 63)),
]


@pytest.mark.parametrize(("says", "change"), STATEMENTS)
def test_another_statement_is_refused_even_if_it_is_signed(says: str, change: Change) -> None:
    with pytest.raises(SignatureInvalid, match=says):
        verify(changed_statement(change), [KEY.signer])


def test_a_statement_with_a_field_twice_is_refused_even_if_it_is_signed() -> None:
    with pytest.raises(SignatureInvalid, match="duplicate keys"):
        verify(signed(STATEMENT[:-1] + b',"_type":"https://in-toto.io/Statement/v1"}'), [KEY.signer])
