"""A sealed artifact's manifest is wrapped for other keys, in the store, and only by one who can open it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sealift.rewrapping import is_made_of, wrap_for
from sealift.sealing import ManifestInvalid, RsaIdentity, SealedArtifact, recipient_ids, rewrap, seal, unwrap
from sealift.stores import MANIFESTS, Conflict, Store, get_manifest, get_payload, open_store, put_artifact
from sealift.stores.file_store import FileStore
from tests.keys import key_pair

OLD, NEW, OTHER = (key_pair(number) for number in range(3))


@pytest.fixture
def artifact() -> SealedArtifact:
    return seal(b"model", {}, [OLD.recipient])


@pytest.fixture
def store(tmp_path: Path, artifact: SealedArtifact) -> Store:
    store = open_store(f"file://{tmp_path}/store")
    put_artifact(store, artifact.artifact_id, artifact.payload, artifact.manifest)
    return store


def wrapped(store: Store, artifact: SealedArtifact, keys: list[RsaIdentity], *recipients: RsaIdentity) -> bytes | None:
    wanted = [one.recipient for one in recipients]
    return wrap_for(store, artifact.artifact_id, artifact.manifest, keys, wanted)


def test_a_key_that_opens_it_gives_it_to_others_and_leaves_the_payload(store: Store, artifact: SealedArtifact) -> None:
    made = wrapped(store, artifact, [OTHER, OLD], NEW, OTHER)

    assert made is not None and made == get_manifest(store, artifact.artifact_id)
    assert recipient_ids(made) == {NEW.key_id, OTHER.key_id}
    assert unwrap(made, [NEW]) == unwrap(made, [OTHER]) == unwrap(artifact.manifest, [OLD])
    assert get_payload(store, artifact.artifact_id) == artifact.payload


def test_where_nothing_changes_nothing_is_written(store: Store, artifact: SealedArtifact) -> None:
    before = store.read(MANIFESTS, artifact.artifact_id).version

    assert wrapped(store, artifact, [OLD], OLD) == artifact.manifest
    assert store.read(MANIFESTS, artifact.artifact_id).version == before


def test_what_another_resource_has_made_of_it_meanwhile_is_taken_over(store: Store, artifact: SealedArtifact) -> None:
    theirs = wrapped(store, artifact, [OLD], NEW)

    assert wrapped(store, artifact, [OLD], NEW) == theirs == get_manifest(store, artifact.artifact_id)


def test_who_is_overtaken_looks_at_what_the_other_one_made(
    store: Store, artifact: SealedArtifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = rewrap(artifact.manifest, unwrap(artifact.manifest, [OLD]), [NEW.recipient])
    swap: Callable[..., str] = FileStore.swap

    def overtaken(one: FileStore, folder: str, name: str, content: bytes, expected: str | None) -> str:
        if folder != MANIFESTS:
            return swap(one, folder, name, content, expected)
        monkeypatch.setattr(FileStore, "swap", swap)
        swap(one, folder, name, theirs, expected)
        raise Conflict("another one was quicker")

    monkeypatch.setattr(FileStore, "swap", overtaken)

    assert wrapped(store, artifact, [OLD], NEW) == theirs == get_manifest(store, artifact.artifact_id)


def test_a_forged_manifest_in_the_store_is_replaced(store: Store, artifact: SealedArtifact) -> None:
    forged = seal(b"theirs", {}, [NEW.recipient], artifact.artifact_id).manifest
    store.swap(MANIFESTS, artifact.artifact_id, forged, store.read(MANIFESTS, artifact.artifact_id).version)

    made = wrapped(store, artifact, [OLD], NEW)

    assert made is not None and unwrap(made, [NEW]) == unwrap(artifact.manifest, [OLD])
    assert get_manifest(store, artifact.artifact_id) == made


@pytest.mark.parametrize(("wanted", "stays"), [([OLD], True), ([NEW], False), ([OLD, NEW], False)])
def test_without_a_key_it_stays_as_it_is_or_cannot_be_made(
    store: Store, artifact: SealedArtifact, wanted: list[RsaIdentity], stays: bool
) -> None:
    assert wrapped(store, artifact, [OTHER], *wanted) == (artifact.manifest if stays else None)
    assert get_manifest(store, artifact.artifact_id) == artifact.manifest


def test_a_manifest_that_was_not_sealed_is_refused(store: Store, artifact: SealedArtifact) -> None:
    with pytest.raises(ManifestInvalid):
        wrap_for(store, artifact.artifact_id, b"{}", [OLD], [NEW.recipient])


def test_only_who_can_open_an_artifact_makes_another_manifest_of_it(artifact: SealedArtifact) -> None:
    data_key = unwrap(artifact.manifest, [OLD])
    theirs = seal(b"theirs", {}, [OLD.recipient], artifact.artifact_id).manifest

    assert is_made_of(rewrap(artifact.manifest, data_key, [NEW.recipient]), artifact.manifest, [OLD])
    assert not is_made_of(theirs, artifact.manifest, [OLD])
    assert not is_made_of(b"{}", artifact.manifest, [OLD])
    assert not is_made_of(artifact.manifest, artifact.manifest, [NEW])
