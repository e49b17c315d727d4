"""The text of a data key: it opens its artifact alone, and is not taken for another kind of key."""

import pytest

from sealift.sealing import (
    ManifestInvalid,
    RsaIdentity,
    WrongKey,
    data_key_text,
    open_artifact,
    parse_identity,
    parse_key,
    seal,
    unwrap,
)


def test_it_opens_its_own_artifact_and_no_other(key: RsaIdentity) -> None:
    artifact, other = (seal(b"model", {"a": 1}, [key.recipient]) for _ in range(2))

    read = parse_key(data_key_text(unwrap(artifact.manifest, [key])) + "\n")

    opened = open_artifact(
        artifact.manifest, artifact.payload, read,
        artifact_id=artifact.artifact_id, payload_digest=artifact.payload_digest,
    )  # fmt: skip
    assert bytes(opened.model) == b"model"
    with pytest.raises(ManifestInvalid):
        open_artifact(
            other.manifest, other.payload, read,
            artifact_id=other.artifact_id, payload_digest=other.payload_digest,
        )  # fmt: skip


def test_an_identity_is_read_as_one(key: RsaIdentity) -> None:
    read = parse_key(key.pem, trusted=True)

    assert not isinstance(read, bytes) and read.key_id == key.key_id


@pytest.mark.parametrize(
    "text",
    ["sealift-data-key:", "sealift-data-key:c2VjcmV0", "sealift-data-key:secret words", "sealift-data-key:" + "Ä" * 44],
)
def test_what_is_no_data_key_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(WrongKey, match="the data key is not 32 bytes in base64") as refused:
        parse_key(text)
    assert "c2VjcmV0" not in str(refused.value) and "secret" not in str(refused.value)


def test_a_data_key_is_no_identity() -> None:
    with pytest.raises(WrongKey, match="the key is not an unencrypted private key"):
        parse_identity(data_key_text(bytes(32)))
