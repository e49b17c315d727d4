"""Key-encryption keys (KEK) of artifacts, one for each, in a store of their own: `Store.keys` of the artifacts' store.

Destroying a KEK makes all copies of its artifact unreadable, so the store of keys must keep no copies: no versions, no
replicas, no backups. It holds the keys of one store only, because collection destroys keys without an artifact.
"""

import hashlib
import secrets
from contextlib import suppress
from typing import Final

from sealift.stores.erasure import find_tombstone, missing
from sealift.stores.errors import ArtifactDamaged, ArtifactMissing, KeysUnusable, StoreError
from sealift.stores.store import KEYS, RECORDS, Store, exists

KEK_BYTES: Final = 32
PAIR: Final = hashlib.sha256(b"sealift/v1/keys-of-store\0").hexdigest()
"""Name of the record, the same in both stores, that makes them a pair."""


def new_key(store: Store) -> bytes | None:
    """Returns the KEK of a new artifact, or None if the store has no store of keys. Raises KeysUnusable."""
    if store.keys is None:
        return None
    refuse_versions(store.keys)
    _pair(store, store.keys)
    return secrets.token_bytes(KEK_BYTES)


def put_key(store: Store, artifact_id: str, kek: bytes | None) -> None:
    """Stores the KEK of an artifact, which must not have one, before its manifest: a manifest without KEK is lost, and
    a KEK without manifest is collected."""
    if store.keys is not None and kek is not None:
        store.keys.put(KEYS, artifact_id, kek)


def get_key(keys: Store | None, artifact_id: str) -> bytes:
    """Returns the KEK of an artifact that has one. Raises ArtifactErased with the tombstone's date and reason, or
    KeysUnusable: the KEK may be in another store of keys.
    """
    keys = _given(keys, artifact_id)
    try:
        kek = keys.get(KEYS, artifact_id, KEK_BYTES)
    except ArtifactMissing as error:
        reach_keys(keys)  # a store that is not mounted says nothing
        erased = missing(keys, artifact_id, error)
        raise (_gone(keys, artifact_id) if erased is error else erased) from None
    if len(kek) != KEK_BYTES:
        raise ArtifactDamaged(
            f"the key-encryption key of artifact {artifact_id} in {keys.location} does not have {KEK_BYTES} bytes",
            f"find out who can write to {keys.location}",
        )
    return kek


def check_destroyable(keys: Store | None, artifact_id: str) -> None:
    """Raises KeysUnusable if an erasure with this store of keys would miss the KEK of an artifact that has one."""
    keys = _given(keys, artifact_id)
    reach_keys(keys)
    if not exists(keys, KEYS, artifact_id) and find_tombstone(keys, artifact_id) is None:
        raise _gone(keys, artifact_id)


def _given(keys: Store | None, artifact_id: str) -> Store:
    if keys is None:
        raise KeysUnusable(
            f"artifact {artifact_id} has a key-encryption key of its own, and the store of keys is not given",
            "give the store of keys that it was sealed with: store.keysUrl (in a program: keysUrl), or --keys URL",
        )
    return keys


def _gone(keys: Store, artifact_id: str) -> KeysUnusable:
    return KeysUnusable(
        f"the key-encryption key of artifact {artifact_id} is gone from {keys.location}, and nobody opens the artifact "
        "without it",
        "give the store of keys that it was sealed with (store.keysUrl, or --keys URL); if no store has the key any "
        "more, `sealift erase --key-lost` removes the rest, and a change of training.retrainTrigger trains the model "
        "again",
    )


def destroy_key(store: Store, artifact_id: str) -> None:
    """Destroys the artifact's KEK, if there is one."""
    if store.keys is not None:
        store.keys.purge(KEYS, artifact_id)


def refuse_versions(keys: Store) -> None:
    """Raises KeysUnusable if the service says that it keeps what is deleted."""
    if keys.keeps_versions():
        raise KeysUnusable(
            f"{keys.location} is not usable for artifacts' own keys: its versioning is on, so a destroyed key stays",
            "use a bucket without versioning, replication and backup",
        )


def reach_keys(keys: Store) -> None:
    """Raises KeysUnusable if the store of keys does not exist or may not be used."""
    try:
        keys.reach()
    except StoreError as error:
        raise KeysUnusable(
            f"the store of keys cannot be used: {error.message}",
            "check store.keysUrl (--keys URL), and mount or restore that store; lost keys cannot be made again",
        ) from None


def is_paired(store: Store) -> bool:
    """Whether artifacts of this store may have keys of their own."""
    return exists(store, RECORDS, PAIR)


def check_pair(store: Store, keys: Store) -> None:
    """Raises KeysUnusable unless `keys` holds the keys of this store."""
    if not _is_pair(store, keys):
        raise _not_a_pair(store, keys)


def _is_pair(store: Store, keys: Store) -> bool:
    with suppress(ArtifactMissing):
        return store.get(RECORDS, PAIR, KEK_BYTES) == keys.get(RECORDS, PAIR, KEK_BYTES)
    return False


def _not_a_pair(store: Store, keys: Store) -> KeysUnusable:
    return KeysUnusable(
        f"{keys.location} does not hold the keys of the store {store.location}",
        "check both (--store and --keys, or store.url and store.keysUrl): a store of keys has the keys of one store of "
        "artifacts",
    )


def _pair(store: Store, keys: Store) -> None:
    """Makes them a pair. Raises KeysUnusable if the store of keys belongs to another store."""
    if _is_pair(store, keys):
        return
    if not exists(store, RECORDS, PAIR):
        with suppress(ArtifactDamaged):  # another process has just put its own
            store.put(RECORDS, PAIR, secrets.token_bytes(KEK_BYTES))
    try:
        keys.put(RECORDS, PAIR, store.get(RECORDS, PAIR, KEK_BYTES))
    except ArtifactDamaged:
        raise _not_a_pair(store, keys) from None
