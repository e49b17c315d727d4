"""The manifest tells nothing of the model in the clear, and only the one canonical form of an authentic one is
taken.
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealift.sealing import ManifestInvalid, RsaIdentity, describe, seal
from sealift.sealing.manifest import MAX_BYTES, MAX_RECIPIENTS, parse_manifest

DESCRIPTION = {"dataset": "diabetes", "metrics": {"squaredError": 0.25}, "features": ["age", "bodyMassIndex"]}


@pytest.fixture(scope="module")
def manifest(key: RsaIdentity) -> bytes:
    return seal(b"model", DESCRIPTION, [key.recipient]).manifest


def test_the_clear_fields_are_these_and_no_others(manifest: bytes) -> None:
    fields = json.loads(manifest)

    assert sorted(fields) == [
        "artifactId",
        "description",
        "mac",
        "payloadDigest",
        "payloadSize",
        "recipients",
        "version",
    ]
    assert sorted(fields["recipients"][0]) == ["keyId", "kind", "wrappedKey"]


def test_nothing_of_the_description_is_in_the_clear(manifest: bytes, key: RsaIdentity) -> None:
    for word in (b"diabetes", b"squaredError", b"bodyMassIndex"):  # long: base64 has any three letters by chance
        assert word not in manifest
    assert describe(manifest, key) == DESCRIPTION


def changed(manifest: bytes, **fields: Any) -> bytes:
    return json.dumps(json.loads(manifest) | fields, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 2}, {"version": "1"}, {"version": True}, {"extra": 1},
        {"payloadSize": -1}, {"payloadSize": 2**63}, {"payloadSize": 1.5}, {"payloadSize": None},
        {"artifactId": "AB" * 16}, {"artifactId": "../../etc/passwd"}, {"artifactId": "ab"},
        {"payloadDigest": "x" * 64},
        {"recipients": []}, {"recipients": {}}, {"recipients": [1]},
        {"mac": ""}, {"mac": "!"}, {"mac": "é" * 44}, {"description": ""}, {"description": 5},
        {"description": "\u0661" * 44},
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_refused(manifest: bytes, fields: dict[str, Any]) -> None:
    with pytest.raises(ManifestInvalid):
        parse_manifest(changed(manifest, **fields))


def test_a_wrapped_key_that_is_not_ascii_is_refused(manifest: bytes) -> None:
    one = json.loads(manifest)["recipients"][0]

    with pytest.raises(ManifestInvalid, match="wrappedKey must be base64"):
        parse_manifest(changed(manifest, recipients=[one | {"wrappedKey": "é" * 8}]))


def test_too_many_recipients_are_refused(manifest: bytes) -> None:
    one = json.loads(manifest)["recipients"][0]

    with pytest.raises(ManifestInvalid, match=str(MAX_RECIPIENTS)):
        parse_manifest(changed(manifest, recipients=[one] * (MAX_RECIPIENTS + 1)))


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"{}",
        b"null",
        b"[" * 100_000,
        b"{" * 10,
        b"\xff\xfe",
        b'{"version":1,"version":1}',
        b"x" * (MAX_BYTES + 1),
        b"NaN",
    ],
    ids=[
        "empty",
        "no fields",
        "null",
        "nested lists",
        "nested objects",
        "not text",
        "duplicate keys",
        "too long",
        "NaN",
    ],
)
def test_what_is_no_manifest_is_refused(encoded: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        parse_manifest(encoded)


def test_a_duplicate_key_is_refused_even_with_the_same_value(manifest: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        parse_manifest(manifest[:-1] + b',"version":1}')


def test_another_spelling_of_the_same_manifest_is_refused(manifest: bytes) -> None:
    with pytest.raises(ManifestInvalid, match="canonical"):
        parse_manifest(json.dumps(json.loads(manifest)).encode())


def test_every_altered_byte_is_refused(manifest: bytes, key: RsaIdentity) -> None:
    from sealift.sealing import SealingError

    altered = bytearray(manifest)
    for position in range(0, len(manifest), 7):
        altered[position] ^= 1
        with pytest.raises(SealingError):
            describe(bytes(altered), key)
        altered[position] ^= 1


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode()),
    )
)
def test_no_bytes_from_outside_parse_or_crash(encoded: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        parse_manifest(encoded)
