"""Seal and open: only the pinned artifact, whole, with one of its recipients' keys."""

import io
import json
import os
import secrets
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sealift.durable.new_file import NewFile
from sealift.sealing import (
    ArtifactCorrupt,
    ManifestInvalid,
    PinMismatch,
    RangeSource,
    RsaIdentity,
    SealedArtifact,
    SealingError,
    WrongKey,
    is_authentic,
    new_artifact_id,
    open_artifact,
    open_into,
    open_range,
    open_reader,
    parse_identity,
    parse_recipient,
    recipient_ids,
    rewrap,
    seal,
    seal_into,
    unwrap,
)
from sealift.sealing.artifact import PAYLOAD_CONTEXT
from sealift.sealing.stream import seal_stream
from sealift.stores.file_store import FileStore
from sealift.stores.store import PAYLOADS

MODEL = secrets.token_bytes(3000)


@pytest.fixture(scope="module")
def artifact(key: RsaIdentity) -> SealedArtifact:
    return seal(MODEL, {"a": 1}, [key.recipient])


def opened(artifact: SealedArtifact, key: RsaIdentity, **changes: Any) -> bytes:
    parts = {
        "manifest": artifact.manifest, "payload": artifact.payload,
        "artifact_id": artifact.artifact_id, "payload_digest": artifact.payload_digest,
    } | changes  # fmt: skip
    return bytes(open_artifact(parts.pop("manifest"), parts.pop("payload"), key, **parts).model)


def test_what_was_sealed_comes_back(artifact: SealedArtifact, key: RsaIdentity) -> None:
    assert opened(artifact, key) == MODEL


def test_every_recipient_opens_it(key: RsaIdentity, other_key: RsaIdentity) -> None:
    artifact = seal(MODEL, {}, [key.recipient, other_key.recipient])

    assert opened(artifact, key) == opened(artifact, other_key) == MODEL


def test_another_key_does_not(artifact: SealedArtifact, other_key: RsaIdentity) -> None:
    with pytest.raises(WrongKey, match="recipients"):
        opened(artifact, other_key)


def test_an_attacker_s_own_valid_artifact_is_refused_by_the_pins(artifact: SealedArtifact, key: RsaIdentity) -> None:
    theirs = seal(b"their model", {}, [key.recipient])

    with pytest.raises(PinMismatch):
        opened(artifact, key, manifest=theirs.manifest, payload=theirs.payload)


def test_an_attacker_s_artifact_under_the_pinned_id_is_refused_by_the_digest(
    artifact: SealedArtifact, key: RsaIdentity
) -> None:
    theirs = seal(MODEL, {}, [key.recipient], artifact_id=artifact.artifact_id)

    with pytest.raises(PinMismatch):
        opened(artifact, key, manifest=theirs.manifest, payload=theirs.payload)


def test_another_payload_under_the_manifest_is_refused(artifact: SealedArtifact, key: RsaIdentity) -> None:
    theirs = seal(MODEL, {}, [key.recipient], artifact_id=artifact.artifact_id)

    with pytest.raises(ArtifactCorrupt):
        opened(artifact, key, payload=theirs.payload)


def test_another_payload_under_the_artifact_s_own_data_key_is_refused_by_the_digest(
    artifact: SealedArtifact, key: RsaIdentity
) -> None:
    """Whoever may open an artifact has its data key, and could seal another model of this size under it."""
    theirs = io.BytesIO()
    context = PAYLOAD_CONTEXT + bytes.fromhex(artifact.artifact_id)
    seal_stream(secrets.token_bytes(len(MODEL)), unwrap(artifact.manifest, [key]), context, theirs.write)

    with pytest.raises(ArtifactCorrupt, match="digest differs from the manifest's"):
        opened(artifact, key, payload=theirs.getvalue())


@pytest.mark.parametrize("field", ["artifactId", "payloadDigest", "description", "mac", "recipients"])
def test_a_manifest_that_was_changed_is_refused_though_it_fits_what_is_pinned(
    artifact: SealedArtifact, key: RsaIdentity, field: str
) -> None:
    theirs = json.loads(seal(MODEL, {"a": 2}, [key.recipient, key.recipient]).manifest)
    manifest = json.loads(artifact.manifest) | {field: theirs[field]}
    pins = {"artifact_id": manifest["artifactId"], "payload_digest": manifest["payloadDigest"]}

    with pytest.raises(ManifestInvalid, match="differs from what was sealed"):
        opened(artifact, key, manifest=json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode(), **pins)


def test_a_truncated_payload_is_refused(artifact: SealedArtifact, key: RsaIdentity) -> None:
    with pytest.raises(ArtifactCorrupt, match="size"):
        opened(artifact, key, payload=artifact.payload[:-1])


def test_a_manifest_with_another_s_data_key_is_refused_before_the_payload(
    artifact: SealedArtifact, key: RsaIdentity
) -> None:
    """The MAC commits to the data key: a stanza put in by someone else opens nothing."""
    theirs = json.loads(seal(b"x", {}, [key.recipient]).manifest)
    mixed = json.loads(artifact.manifest) | {"recipients": theirs["recipients"]}

    with pytest.raises(ManifestInvalid, match="differs from what was sealed"):
        opened(artifact, key, manifest=json.dumps(mixed, sort_keys=True, separators=(",", ":")).encode())


def test_an_artifact_without_recipients_is_not_made() -> None:
    with pytest.raises(ValueError, match="recipient"):
        seal(MODEL, {}, [])


@pytest.mark.parametrize(
    "make",
    [
        lambda: parse_recipient("hush-hush"),
        lambda: parse_identity("hush-hush"),
        lambda: RsaIdentity("-----BEGIN PRIVATE KEY-----\nhush-hush\n-----END PRIVATE KEY-----"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(make: Callable[[], object]) -> None:
    with pytest.raises(WrongKey) as caught:
        make()

    assert "hush" not in str(caught.value)


def test_a_short_rsa_key_is_refused() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    short = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    with pytest.raises(WrongKey, match="4096"):
        RsaIdentity(short.decode())


def test_neither_keys_nor_the_model_show_in_reprs_and_errors(
    artifact: SealedArtifact, key: RsaIdentity, other_key: RsaIdentity
) -> None:
    secret_line = other_key.pem.splitlines()[3]
    try:
        opened(artifact, other_key)
    except SealingError as error:
        shown = "".join(traceback.format_exception(error)) + repr(other_key) + repr(other_key.recipient)

    assert secret_line not in shown
    held = open_artifact(
        artifact.manifest,
        artifact.payload,
        key,
        artifact_id=artifact.artifact_id,
        payload_digest=artifact.payload_digest,
    )
    assert str(MODEL[:8]) not in repr(held)


def test_the_data_key_of_an_artifact_opens_it_and_no_other(artifact: SealedArtifact, key: RsaIdentity) -> None:
    other = seal(MODEL, {}, [key.recipient])
    data_key = unwrap(artifact.manifest, [key])
    pins: dict[str, Any] = {"artifact_id": artifact.artifact_id, "payload_digest": artifact.payload_digest}
    other_pins: dict[str, Any] = {"artifact_id": other.artifact_id, "payload_digest": other.payload_digest}

    assert bytes(open_artifact(artifact.manifest, artifact.payload, data_key, **pins).model) == MODEL
    with pytest.raises(ManifestInvalid):
        open_artifact(other.manifest, other.payload, data_key, **other_pins)


def test_rewrapping_gives_the_artifact_to_others_and_leaves_the_payload(
    artifact: SealedArtifact, key: RsaIdentity, other_key: RsaIdentity
) -> None:
    data_key = unwrap(artifact.manifest, [other_key, key])

    manifest = rewrap(artifact.manifest, data_key, [other_key.recipient])

    assert is_authentic(manifest, data_key) and not is_authentic(b"garbage", data_key)
    assert recipient_ids(manifest) == {other_key.key_id}
    assert opened(artifact, other_key, manifest=manifest) == MODEL
    with pytest.raises(WrongKey):
        opened(artifact, key, manifest=manifest)
    with pytest.raises(WrongKey, match="no given private key belongs"):
        unwrap(artifact.manifest, [other_key])


def test_a_stream_is_sealed_and_opened_from_a_store_s_stream(key: RsaIdentity, tmp_path: Path) -> None:
    model, store = secrets.token_bytes(3 << 20), FileStore(tmp_path)
    artifact_id = new_artifact_id()
    with store.create(PAYLOADS, artifact_id) as file:
        sealed = seal_into(file.write, io.BytesIO(model), {"a": 1}, [key.recipient], artifact_id)
    pins: dict[str, Any] = {"artifact_id": artifact_id, "payload_digest": sealed.payload_digest}

    with store.open(PAYLOADS, artifact_id) as payload:
        opened = open_artifact(sealed.manifest, payload, key, **pins)
        assert (bytes(opened.model), opened.description) == (model, {"a": 1})
    source = RangeSource(partial(store.get_range, PAYLOADS, artifact_id), sealed.payload_size)
    assert open_artifact(sealed.manifest, source, key, **pins).model == model
    assert open_range(sealed.manifest, source, key, 2_000_000, 1024, **pins) == model[2_000_000:2_001_024]
    with open_reader(sealed.manifest, source, key, **pins) as reader:
        assert reader.read() == model


def test_a_file_gets_its_name_only_when_all_is_authentic(
    artifact: SealedArtifact, key: RsaIdentity, tmp_path: Path
) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    pins: dict[str, Any] = {"artifact_id": artifact.artifact_id, "payload_digest": artifact.payload_digest}
    damaged = bytearray(artifact.payload)
    damaged[-1] ^= 1
    theirs = io.BytesIO()
    seal_stream(MODEL, unwrap(artifact.manifest, [key]), PAYLOAD_CONTEXT + bytes.fromhex(artifact.artifact_id),
                theirs.write)  # fmt: skip
    for payload in (damaged, theirs.getvalue(), io.BytesIO(damaged), io.BytesIO(bytes(artifact.payload) + b"x")):
        with NewFile(folder, "model") as file, pytest.raises(ArtifactCorrupt):
            open_into(file, artifact.manifest, payload, key, **pins)
        assert list(tmp_path.iterdir()) == []

    with NewFile(folder, "model") as file:
        assert open_into(file, artifact.manifest, artifact.payload, key, **pins) == {"a": 1}
    os.close(folder)
    assert (tmp_path / "model").read_bytes() == MODEL


def test_a_range_needs_the_pinned_artifact_and_a_payload_of_its_size(
    artifact: SealedArtifact, key: RsaIdentity, other_key: RsaIdentity
) -> None:
    pins: dict[str, Any] = {"artifact_id": artifact.artifact_id, "payload_digest": artifact.payload_digest}

    assert open_range(artifact.manifest, artifact.payload, key, 5, 10, **pins) == MODEL[5:15]
    with pytest.raises(ArtifactCorrupt, match="size"):
        open_range(artifact.manifest, artifact.payload[:-1], key, 5, 10, **pins)
    with pytest.raises(WrongKey):
        open_range(artifact.manifest, artifact.payload, other_key, 5, 10, **pins)
    with pytest.raises(PinMismatch):
        open_range(artifact.manifest, artifact.payload, key, 5, 10, **{**pins, "payload_digest": "0" * 64})
    with pytest.raises(TypeError, match="open_artifact"):
        open_range(artifact.manifest, io.BytesIO(artifact.payload), key, 5, 10, **pins)  # type: ignore[arg-type]


def test_a_stream_is_not_sealed_in_memory(key: RsaIdentity) -> None:
    with pytest.raises(TypeError, match="seal_into"):
        seal(io.BytesIO(MODEL), {}, [key.recipient])  # type: ignore[arg-type]
