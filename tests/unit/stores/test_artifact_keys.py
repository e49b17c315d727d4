"""Artifacts' own keys, in a store beside the store: there before a manifest needs them, gone with the artifact, and
never those of another store.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from sealift.durable.new_file import Buffer
from sealift.own_keys import check_erasable, find_own_key, unwrap_with
from sealift.sealing import Sealed, named_payload_digest, open_artifact, seal_into, under_key
from sealift.stores import (
    ArtifactDamaged,
    ArtifactErased,
    KeysUnusable,
    Store,
    StoreError,
    StoreUnwritable,
    StoreUrlInvalid,
    collect,
    create_artifact,
    delete_artifact,
    erase_artifact,
    find_tombstone,
    get_key,
    get_manifest,
    get_payload,
    hold_lease,
    open_store,
    put_artifact,
    remake_artifact,
)
from sealift.stores.errors import StoreFull
from sealift.stores.store import KEYS, MANIFESTS, PAYLOADS, TOMBSTONES, Folder
from tests.documented import PROJECT_ROOT
from tests.keys import key_pair

KEY: Final = key_pair()
ID, OTHER = "ab" * 16, "cd" * 16


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path}/store", f"file://{tmp_path}/keys")


def keys_of(store: Store) -> Store:
    assert store.keys is not None
    return store.keys


def put(store: Store, artifact_id: str = ID) -> Sealed:
    return create_artifact(
        store,
        artifact_id,
        lambda write, kek: seal_into(write, b"model", {}, under_key([KEY.recipient], kek), artifact_id),
    )


def opened(store: Store, artifact_id: str = ID, keys: Store | None = None) -> bytes:
    manifest = get_manifest(store, artifact_id)
    digest = named_payload_digest(manifest)
    data_key = unwrap_with(manifest, [KEY], keys or store.keys)
    payload = get_payload(store, artifact_id)
    return bytes(open_artifact(manifest, payload, data_key, artifact_id=artifact_id, payload_digest=digest).model)


@pytest.fixture
def sealed(store: Store) -> Sealed:
    return put(store)


def make_old(store: Store, artifact_id: str, tmp_path: Path) -> None:
    then = time.time() - 100_000
    os.utime(tmp_path / "keys" / "keys" / artifact_id, (then, then))


def test_an_artifact_gets_a_key_that_only_its_owner_can_read(store: Store, sealed: Sealed, tmp_path: Path) -> None:
    assert find_own_key(sealed.manifest, store.keys) == get_key(store.keys, ID)
    assert opened(store) == b"model"
    assert (tmp_path / "keys" / "keys" / ID).stat().st_mode & 0o777 == 0o600
    assert get_key(store.keys, ID) != keys_of(put_other(store)).get(KEYS, OTHER)


def put_other(store: Store) -> Store:
    put(store, OTHER)
    return store


def test_a_store_of_keys_has_the_folders_that_the_format_s_page_names(
    store: Store, sealed: Sealed, tmp_path: Path
) -> None:
    put_other(store)
    erase_artifact(store, OTHER, "request 17")
    page = (PROJECT_ROOT / "docs/reference/format-v1.md").read_text().partition("\n    keys/<artifact id>")
    said = {word.partition("/")[0] for word in f"keys/{page[2]}".partition("\n")[0].split() if "/" in word}

    assert page[1] and {path.name for path in (tmp_path / "keys").iterdir()} | {"locks"} == said
    assert {path.name for path in (tmp_path / "keys" / "records").iterdir()} == {
        hashlib.sha256(b"sealift/v1/keys-of-store\0").hexdigest()
    }


def test_without_the_store_of_keys_the_way_out_is_named(store: Store, sealed: Sealed, tmp_path: Path) -> None:
    for fails in (
        lambda: unwrap_with(sealed.manifest, [KEY], None),
        lambda: check_erasable(open_store(f"file://{tmp_path}/store"), ID),
    ):
        with pytest.raises(KeysUnusable) as caught:
            fails()
        assert ID in caught.value.message and "store.keysUrl" in caught.value.hint and "--keys" in caught.value.hint


def test_after_an_erasure_a_backup_does_not_open(store: Store, sealed: Sealed, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "store", tmp_path / "backup")
    backup = open_store(f"file://{tmp_path}/backup", f"file://{tmp_path}/keys")
    assert opened(backup) == b"model"

    erase_artifact(store, ID, "request 17")

    with pytest.raises(ArtifactErased, match=r"was erased on .*: request 17"):
        opened(backup)
    assert [store.names(MANIFESTS), store.names(PAYLOADS), keys_of(store).names(KEYS)] == [[], [], []]
    assert not any(
        get == sealed.manifest for get in (path.read_bytes() for path in (tmp_path / "keys").rglob("?" * 32))
    )


def test_without_a_tombstone_the_key_is_said_to_be_gone(store: Store, sealed: Sealed, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "store", tmp_path / "backup")
    delete_artifact(store, ID)

    with pytest.raises(KeysUnusable, match=f"key-encryption key of artifact {ID} is gone"):
        opened(open_store(f"file://{tmp_path}/backup"), keys=store.keys)


def test_a_store_of_keys_that_is_not_mounted_is_not_said_to_have_lost_a_key(
    store: Store, sealed: Sealed, tmp_path: Path
) -> None:
    (tmp_path / "keys").rename(tmp_path / "elsewhere")

    with pytest.raises(KeysUnusable, match=r"store of keys cannot be used: .* does not exist"):
        opened(store)
    with pytest.raises(StoreUnwritable, match="does not exist"):
        erase_artifact(store, ID, "request 17")
    assert store.names(MANIFESTS) == [ID] and store.names(TOMBSTONES) == []


@pytest.mark.parametrize("killed_after", [KEYS, MANIFESTS])
def test_an_erasure_that_was_killed_has_destroyed_the_key_first(
    store: Store, sealed: Sealed, killed_after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    purged = list[str]()
    purge = type(store).purge

    def killed(self: Store, folder: str, name: str) -> None:
        if killed_after in purged:
            raise KeyboardInterrupt
        purge(self, folder, name)  # type: ignore[arg-type]
        purged.append(folder)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(type(store), "purge", killed)
        erase_artifact(store, ID, "request 17")

    assert purged[0] == KEYS and keys_of(store).names(KEYS) == []
    with pytest.raises(ArtifactErased, match="request 17"):
        unwrap_with(sealed.manifest, [KEY], store.keys)
    assert erase_artifact(store, ID, "again").reason == "request 17"
    assert store.names(PAYLOADS) == []


def test_the_key_is_there_before_the_manifest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest that could be read without it would be of an artifact that is lost."""
    there = list[bool]()
    put_it = type(store).put

    def watched(self: Store, folder: str, name: str, content: bytes) -> None:
        if folder == MANIFESTS:
            there.append(keys_of(store).names(KEYS) == [ID])
        put_it(self, folder, name, content)  # type: ignore[arg-type]

    monkeypatch.setattr(type(store), "put", watched)
    put(store)

    assert there == [True]


def test_what_cannot_be_sealed_leaves_no_key(store: Store) -> None:
    def fails(write: object, kek: bytes | None) -> Sealed:
        raise StoreError("no")

    with pytest.raises(StoreError, match="no"):
        create_artifact(store, ID, fails)

    assert keys_of(store).names(KEYS) == []


def test_what_is_made_again_gets_a_new_key(store: Store, sealed: Sealed) -> None:
    before = get_key(store.keys, ID)
    with hold_lease(store, "ef" * 16) as fence:
        remake_artifact(
            fence, ID, lambda write, kek: seal_into(write, b"again", {}, under_key([KEY.recipient], kek), ID)
        )

    assert opened(store) == b"again" and get_key(store.keys, ID) != before


def test_a_key_without_an_artifact_is_collected_after_the_grace_time(
    store: Store, sealed: Sealed, tmp_path: Path
) -> None:
    def end(write: Callable[[Buffer], object], kek: bytes | None) -> Sealed:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # as a kill would end it
        create_artifact(store, OTHER, end)
    keys_of(store).put(KEYS, OTHER, bytes(32))
    make_old(store, ID, tmp_path)

    assert collect(store).keys == ()
    make_old(store, OTHER, tmp_path)
    assert [one.name for one in collect(store, dry_run=True).keys] == [OTHER]
    assert keys_of(store).names(KEYS) == [ID, OTHER]
    assert [one.name for one in collect(store).keys] == [OTHER]
    assert keys_of(store).names(KEYS) == [ID] and opened(store) == b"model"


def test_an_earlier_copy_and_a_store_without_its_manifests_collect_no_key(
    store: Store, sealed: Sealed, tmp_path: Path
) -> None:
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    put_other(store)
    make_old(store, ID, tmp_path)
    make_old(store, OTHER, tmp_path)

    assert collect(open_store(f"file://{tmp_path}/copy", f"file://{tmp_path}/keys")).keys == ()
    (tmp_path / "store" / "manifests").rename(tmp_path / "away")
    assert collect(store).keys == ()
    (tmp_path / "away").rename(tmp_path / "store" / "manifests")
    assert keys_of(store).names(KEYS) == [ID, OTHER] and opened(store) == b"model"


def test_an_erasure_without_the_store_of_keys_does_not_believe_the_manifest(
    store: Store, sealed: Sealed, tmp_path: Path
) -> None:
    file = tmp_path / "store" / "manifests" / ID
    for altered in (file.read_bytes().replace(b".A256KW", b""), b"no manifest"):
        file.write_bytes(altered)
        with pytest.raises(KeysUnusable, match="may have a key-encryption key of its own"):
            check_erasable(open_store(f"file://{tmp_path}/store"), ID)


def test_an_artifact_whose_key_is_lost_can_be_erased_explicitly(store: Store, sealed: Sealed) -> None:
    keys_of(store).delete(KEYS, ID)
    with pytest.raises(KeysUnusable, match="erase --key-lost"):
        check_erasable(store, ID)
    check_erasable(store, ID, key_lost=True)
    erase_artifact(store, ID, "request 17")
    assert (store.names(MANIFESTS), store.names(PAYLOADS)) == ([], [])


def test_an_erasure_that_cannot_write_to_the_store_of_keys_changes_nothing(
    store: Store, sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise StoreUnwritable("read-only")

    monkeypatch.setattr(keys_of(store), "put", refuse)
    with pytest.raises(StoreUnwritable, match="read-only"):
        erase_artifact(store, ID, "request 17")
    assert find_tombstone(store, ID) is None
    assert opened(store) == b"model"


def test_a_full_store_of_keys_still_loses_the_key(
    store: Store, sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keys_of(store)
    put = keys.put

    def put_if_there_is_space(folder: Folder, name: str, content: Buffer) -> None:
        if keys.names(KEYS):
            raise StoreFull("no space left")
        put(folder, name, content)

    monkeypatch.setattr(keys, "put", put_if_there_is_space)
    erase_artifact(store, ID, "request 17")
    assert keys.names(KEYS) == []
    assert find_tombstone(keys, ID) == find_tombstone(store, ID)


def test_keys_of_another_store_are_neither_mixed_nor_collected(store: Store, sealed: Sealed, tmp_path: Path) -> None:
    make_old(store, ID, tmp_path)
    other = open_store(f"file://{tmp_path}/other", f"file://{tmp_path}/keys")
    put_artifact(other, OTHER, b"payload", b"manifest")

    for fails in (lambda: collect(other), lambda: put(other, "ef" * 16)):
        with pytest.raises(KeysUnusable, match="does not hold the keys of the store"):
            fails()
    assert get_key(store.keys, ID)


def test_an_erasure_needs_the_store_of_keys_that_has_the_key(store: Store, sealed: Sealed, tmp_path: Path) -> None:
    """Also if another one belongs to the store too, as after a change of `keysUrl`."""
    later = open_store(f"file://{tmp_path}/store", f"file://{tmp_path}/later")
    put(later, OTHER)

    with pytest.raises(KeysUnusable, match=f"{ID} is gone from .*/later"):
        check_erasable(later, ID)
    for right, artifact_id in ((store, ID), (later, OTHER)):
        check_erasable(right, artifact_id)
        erase_artifact(right, artifact_id, "request 17")
        check_erasable(right, artifact_id)
    for keys in (store.keys, later.keys):
        assert keys is not None and keys.names(KEYS) == []


def test_an_erasure_that_was_killed_is_done_again(store: Store, sealed: Sealed) -> None:
    erase_artifact(store, ID, "request 17")
    store.put(MANIFESTS, ID, sealed.manifest)

    check_erasable(store, ID)
    erase_artifact(store, ID, "request 17")
    assert store.names(MANIFESTS) == []


def test_a_store_of_keys_that_was_never_used_has_nothing_to_collect(store: Store, tmp_path: Path) -> None:
    put_artifact(open_store(f"file://{tmp_path}/store"), ID, b"payload", b"manifest")
    (tmp_path / "keys").mkdir()

    assert collect(store, -10).keys == ()


def test_an_artifact_without_a_key_of_its_own_is_erased_whatever_the_store_of_keys(tmp_path: Path) -> None:
    plain = open_store(f"file://{tmp_path}/store")
    put(plain)
    (tmp_path / "keys").mkdir()
    store = open_store(f"file://{tmp_path}/store", f"file://{tmp_path}/keys")

    check_erasable(store, ID)
    erase_artifact(store, ID, "request 17")

    assert store.names(MANIFESTS) == []


def test_a_key_of_another_size_is_refused(store: Store, sealed: Sealed, tmp_path: Path) -> None:
    for content in (b"", bytes(31), bytes(33)):
        (tmp_path / "keys" / "keys" / ID).write_bytes(content)
        with pytest.raises(ArtifactDamaged):
            get_key(store.keys, ID)


@pytest.mark.parametrize(
    ("store_url", "keys_url"),
    [
        ("file:///srv/store", "file:///srv/store"),
        ("file:///srv/store", "file:///srv/./store/"),
        ("file:///srv/store", "file:///srv/store/keys"),
        ("file:///srv/store/models", "file:///srv/store"),
        ("s3://my-bucket/models", "s3://my-bucket/models/"),
        ("s3://my-bucket/models", "s3://my-bucket/models/keys"),
        ("s3://my-bucket", "s3://my-bucket/keys?region=eu-west-1"),
    ],
)
def test_the_keys_are_not_in_the_store(store_url: str, keys_url: str) -> None:
    with pytest.raises(StoreUrlInvalid, match="in one another"):
        open_store(store_url, keys_url)


@pytest.mark.parametrize(
    ("store_url", "keys_url"),
    [
        ("file:///srv/store", "file:///srv/store-keys"),
        ("s3://my-bucket/models", "s3://my-keys/models"),
        ("s3://my-bucket/models", "gs://my-bucket/models"),
        ("az://my-bucket/models?account=one", "az://my-bucket/models?account=two"),
    ],
)
def test_another_place_is_fine(store_url: str, keys_url: str) -> None:
    assert open_store(store_url, keys_url).keys is not None
