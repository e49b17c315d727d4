"""Retired keys that an artifact may still need. If a key is deleted too early, its artifacts are lost.

A store that is not mounted, is empty, or differs from the store that the key sealed into shows nothing about the key's
artifacts. A key is therefore deleted only if it sealed into one store, and that store names the key's successor: then
the update that retired the key has wrapped the store's artifacts again. All other keys stay.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from sealift.provider import Value
from sealift.sealing import SealingError, is_in_kms, parse_identity, recipient_ids
from sealift.stores import Store, StoreError, artifact_ids, get_manifest, is_same_store, map_artifacts, open_store

KeyStores = dict[str, Value]
"""URLs of the stores that a key sealed into, by key id. A key that is missing may have sealed into any store."""
KEY_STORES: Final = "keyStores"
"""Name of this map in the state. A state of Sealift 0.1 does not have it."""


def stores_of(state: Mapping[str, Value]) -> KeyStores:
    stores = state.get(KEY_STORES)
    return dict(stores) if isinstance(stores, dict) else {}


def first_store(key_id: str, store_url: Value) -> KeyStores:
    """Returns the stores of a new key."""
    return {key_id: [store_url]} if isinstance(store_url, str) else {}


def with_store(stores: KeyStores, key_id: str, store_url: Value) -> KeyStores:
    """Adds a store that the key seals into from now on. Without a URL, it may be any store."""
    before = stores.get(key_id)
    others = {other: urls for other, urls in stores.items() if other != key_id}
    if not isinstance(before, list) or not isinstance(store_url, str):
        return others
    return others | {key_id: [*before, *([] if store_url in before else [store_url])]}


def still_needed(retired: Sequence[str], last: str, stores: KeyStores, store_url: Value) -> list[str]:
    """Returns the `retired` keys that may open an artifact. `last` is the key that the rotation retires.

    Raises StoreError or SealingError if the store cannot be read; then all keys are needed.
    """
    if not isinstance(store_url, str) or not retired:
        return [*retired]
    named = _find_named(open_store(store_url))
    if parse_identity(last).key_id not in named:
        return [*retired]
    ids = {key: parse_identity(key).key_id for key in retired}
    return [key for key in retired if ids[key] in named or not _only_in(store_url, stores.get(ids[key]))]


def find_opened_alone(keys: Sequence[str], stores: KeyStores, store_url: Value) -> list[str]:
    """Returns the ids of artifacts that only these `keys` open, in all stores that they sealed into.

    Raises StoreError if a store cannot be read.
    """
    own = {parse_identity(key).key_id for key in keys if not is_in_kms(key)}  # a key in a KMS outlives the stack
    known = [url for urls in stores.values() if isinstance(urls, list) for url in urls]
    alone: list[str] = []
    for url in {str(url) for url in [*known, store_url] if isinstance(url, str)}:
        found = map_artifacts(store := open_store(url), partial(_find_recipients, store))
        alone += [artifact for artifact, named in found if named is not None and named <= own]
    return sorted(set(alone))


def count_of_artifacts(store_url: Value) -> int:
    """Returns the number of artifacts in the store, 0 if it does not exist yet."""
    if not isinstance(store_url, str):
        return 0
    with suppress(StoreError):
        return len(artifact_ids(open_store(store_url)))
    return 0


def _only_in(store_url: str, urls: Value) -> bool:
    return isinstance(urls, list) and urls != [] and all(is_same_store(str(url), store_url) for url in urls)


def _find_named(store: Store) -> set[str]:
    found = map_artifacts(store, lambda artifact_id: recipient_ids(get_manifest(store, artifact_id)))
    return {key_id for _, named in found for key_id in named}


def _find_recipients(store: Store, artifact_id: str) -> set[str] | None:
    """Returns the ids of an artifact's recipients, or None for a damaged artifact, which no key opens."""
    with suppress(SealingError):
        return set(recipient_ids(get_manifest(store, artifact_id)))
    return None
