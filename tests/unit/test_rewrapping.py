"""A sealed artifact's manifest is wrapped for other keys, in the store, and only by one who can open it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sealift.own_keys import find_own_key, unwrap_with
from sealift.rewrapping import change_recipients, is_made_of, with_and_without, with_only, wrap_for
from sealift.sealing import (
    ManifestInvalid,
    RsaIdentity,
    SealedArtifact,
    WrongKey,
    recipient_ids,
    rewrap,
    seal,
    seal_into,
    under_key,
    unwrap,
)
from sealift.stores import (
    MANIFESTS,
    Conflict,
    KeysUnusable,
    Store,
    create_artifact,
    get_manifest,
    get_payload,
    open_store,
    put_artifact,
)
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


def test_only_who_can_open_an_artifact_makes_another_manifest_of_it(store: Store, artifact: SealedArtifact) -> None:
    data_key = unwrap(artifact.manifest, [OLD])
    theirs = seal(b"theirs", {}, [OLD.recipient], artifact.artifact_id).manifest

    assert is_made_of(store, rewrap(artifact.manifest, data_key, [NEW.recipient]), artifact.manifest, [OLD])
    assert not is_made_of(store, theirs, artifact.manifest, [OLD])
    assert not is_made_of(store, b"{}", artifact.manifest, [OLD])
    assert not is_made_of(store, artifact.manifest, artifact.manifest, [NEW])


def test_an_artifact_with_a_key_of_its_own_keeps_needing_it(tmp_path: Path) -> None:
    plain, keyed = (open_store(f"file://{tmp_path}/store", url) for url in (None, f"file://{tmp_path}/keys"))
    sealed = create_artifact(
        keyed, "ab" * 16, lambda write, kek: seal_into(write, b"model", {}, under_key([OLD.recipient], kek), "ab" * 16)
    )
    kek = find_own_key(sealed.manifest, keyed.keys)

    with pytest.raises(KeysUnusable, match="has a key-encryption key of its own"):
        wrap_for(plain, "ab" * 16, sealed.manifest, [OLD], [NEW.recipient])
    made = wrap_for(keyed, "ab" * 16, sealed.manifest, [OLD], [NEW.recipient])
    assert made is not None and unwrap(made, [NEW], kek) == unwrap(sealed.manifest, [OLD], kek)
    assert is_made_of(keyed, made, sealed.manifest, [OLD])
    changes = (with_and_without([OTHER.recipient], ()), with_only([OTHER.recipient, OLD.recipient]))
    for change in changes:
        made, changed = change_recipients(keyed, "ab" * 16, lambda m: unwrap_with(m, [NEW, OTHER], keyed.keys), change)
        assert changed and unwrap(made, [OTHER], kek) == unwrap(sealed.manifest, [OLD], kek)
        with pytest.raises(WrongKey, match="key-encryption key of its own"):
            unwrap(made, [OTHER])
    with pytest.raises(AssertionError, match="internal error"):
        rewrap(made, unwrap(made, [OTHER], kek), [OTHER.recipient])
