"""An artifact in a store: there once its manifest is, and whole if its payload has the digest that was sealed."""

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from sealift.own_keys import unwrap_with
from sealift.sealing import SealedArtifact, open_artifact, parse_identity, seal, stream_digest
from sealift.sealing.manifest import MAX_BYTES
from sealift.stores import (
    PAYLOADS,
    RECORDS,
    ArtifactDamaged,
    ArtifactMissing,
    Store,
    StoreUnwritable,
    artifact_ids,
    delete_artifact,
    delete_record,
    get_manifest,
    get_payload,
    get_record,
    has_artifact,
    has_record,
    open_store,
    put_artifact,
    verify,
)
from sealift.stores.artifact_keys import put_key
from sealift.stores.artifacts import MANIFEST_BYTES
from tests.damage import with_another_last_byte
from tests.keys import key_pair
from tests.store_files import store_files

RELEASES = Path(__file__).resolve().parents[2] / "vectors"


@pytest.fixture(scope="module")
def artifact() -> SealedArtifact:
    return seal(b"model", {}, [key_pair().recipient])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path / 'store'}")


def test_what_was_put_is_there_and_verified(store: Store, artifact: SealedArtifact) -> None:
    put_artifact(store, artifact.artifact_id, artifact.payload, artifact.manifest)

    assert get_payload(store, artifact.artifact_id) == artifact.payload
    assert get_manifest(store, artifact.artifact_id) == artifact.manifest
    assert artifact_ids(store) == [artifact.artifact_id]
    verify(store, artifact.artifact_id, artifact.payload_digest, stream_digest)


def test_the_manifest_is_the_commit_point(store: Store, artifact: SealedArtifact) -> None:
    store.put(PAYLOADS, artifact.artifact_id, artifact.payload)

    assert artifact_ids(store) == []
    assert not has_artifact(store, artifact.artifact_id)
    with pytest.raises(ArtifactMissing):
        verify(store, artifact.artifact_id, artifact.payload_digest, stream_digest)


def test_deleting_leaves_nothing_and_is_fine_twice(store: Store, artifact: SealedArtifact, tmp_path: Path) -> None:
    put_artifact(store, artifact.artifact_id, artifact.payload, artifact.manifest)

    delete_artifact(store, artifact.artifact_id)
    delete_artifact(store, artifact.artifact_id)

    assert store_files(tmp_path) == []


def test_a_flipped_bit_is_found(store: Store, artifact: SealedArtifact, tmp_path: Path) -> None:
    put_artifact(store, artifact.artifact_id, artifact.payload, artifact.manifest)
    payload = tmp_path / "store" / "payloads" / artifact.artifact_id
    payload.write_bytes(with_another_last_byte(payload.read_bytes()))

    with pytest.raises(ArtifactDamaged):
        verify(store, artifact.artifact_id, artifact.payload_digest, stream_digest)


def test_a_store_that_is_not_there_says_nothing_about_its_artifacts(store: Store, artifact: SealedArtifact) -> None:
    with pytest.raises(StoreUnwritable, match="does not exist"):
        verify(store, artifact.artifact_id, artifact.payload_digest, stream_digest)


def test_a_manifest_longer_than_any_can_be_is_refused_before_it_is_in_memory(
    store: Store, artifact: SealedArtifact, tmp_path: Path
) -> None:
    put_artifact(store, artifact.artifact_id, artifact.payload, artifact.manifest)
    (tmp_path / "store" / "manifests" / artifact.artifact_id).write_bytes(bytes(MANIFEST_BYTES + 1))
    with (tmp_path / "store" / "manifests" / artifact.artifact_id).open("r+b") as manifest:
        manifest.truncate(400 << 20)
    tracemalloc.start()
    try:
        for reach in (
            lambda: get_manifest(store, artifact.artifact_id),
            lambda: verify(store, artifact.artifact_id, artifact.payload_digest, stream_digest),
        ):
            with pytest.raises(ArtifactDamaged, match="exceeds the limit"):
                reach()
        with pytest.raises(ArtifactDamaged, match="different content"):
            put_artifact(store, artifact.artifact_id, artifact.payload, artifact.manifest)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < 8 << 20


def test_a_record_larger_than_any_list_is_refused_before_it_is_in_memory(store: Store, tmp_path: Path) -> None:
    name = "ab" * 32
    assert not has_record(store, name)
    store.swap(RECORDS, name, b"record", None)
    assert has_record(store, name) and get_record(store, name) == store.read(RECORDS, name)
    os.truncate(tmp_path / "store" / "records" / name, 1 << 42)  # it has holes

    tracemalloc.start()
    try:
        with pytest.raises(ArtifactDamaged, match=f"exceeds the limit of {64 << 20} bytes"):
            get_record(store, name)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert has_record(store, name)
    delete_record(store, name)
    assert not has_record(store, name)


def test_the_store_takes_every_manifest_that_the_format_allows() -> None:
    assert MANIFEST_BYTES == MAX_BYTES


@pytest.mark.parametrize("release", sorted(RELEASES.glob("format-v*")), ids=lambda path: path.name)
def test_a_folder_with_the_artifact_of_an_earlier_release_is_a_store_that_has_it(tmp_path: Path, release: Path) -> None:
    expected = json.loads((release / "expected.json").read_text())
    artifact_id, digest = expected["artifactId"], expected["payloadDigest"]
    for folder, part in (("payloads", "payload"), ("manifests", "manifest.json")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / artifact_id).write_bytes((release / part).read_bytes())
    own_key = release / "test-only-own-key.hex"
    keys = tmp_path.with_name("keys")
    store = open_store(f"file://{tmp_path}", f"file://{keys}" if own_key.exists() else None)
    if own_key.exists():
        put_key(store, artifact_id, bytes.fromhex(own_key.read_text()))
    manifest, key = get_manifest(store, artifact_id), parse_identity((release / "test-only-private.pem").read_text())

    assert artifact_ids(store) == [artifact_id]
    verify(store, artifact_id, digest, stream_digest)
    opened = open_artifact(
        manifest, get_payload(store, artifact_id), unwrap_with(manifest, [key], store.keys),
        artifact_id=artifact_id, payload_digest=digest,
    )  # fmt: skip
    assert len(opened.model) > 0
