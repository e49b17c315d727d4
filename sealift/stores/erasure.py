"""Erasure of an artifact, and the tombstone that stays in its place. A tombstone is readable without a key.

The tombstone is written first: an erasure that was killed shows, and can be done again. On a full disk the payload goes
before it, to make space; the manifest stays until there is a tombstone, so it can be done again then too.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from sealift.stores.errors import ArtifactDamaged, ArtifactErased, ArtifactMissing, StoreError, StoreFull
from sealift.stores.store import (
    KEYS,
    MANIFESTS,
    PAYLOADS,
    RECORDS,
    SIGNATURES,
    TOMBSTONES,
    Folder,
    Store,
    exists,
)

REASON_CHARACTERS: Final = 500
TOMBSTONE_BYTES: Final = 4096
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")


@dataclass(frozen=True)
class Tombstone:
    """What is known of an erased artifact: when it was erased (UTC, as in 2026-11-30T12:00:00Z), and why."""

    erased_at: str
    reason: str


UNREADABLE: Final = Tombstone("an unknown date", "the tombstone cannot be read")


def erase(store: Store, artifact_id: str, reason: str, owners: str, begin: Callable[[], None]) -> Tombstone:
    """Destroys an artifact in all versions that the store keeps, with its signature and the list of its owners, and
    leaves a tombstone. Its own key, if it has one, is destroyed first, and the store of keys gets the tombstone too: no
    copy of the store can be opened after that.

    `owners` is the name of the record that lists the artifact's owners. `begin` is called before the first change, and
    on a full disk again once there is space. Erasing again keeps the first tombstone. Raises ArtifactMissing if the
    store never had the artifact, and StoreError if a part of it can still be read afterwards.
    """
    if not _is_reason(reason):
        raise StoreError(
            f"the reason must be one line of 1 to {REASON_CHARACTERS} printable characters",
            "say why, such as a request's number, without personal data: everybody who reads the store can read it",
        )
    store.reach()
    tombstone = find_tombstone(store, artifact_id)
    parts: list[tuple[Store, Folder, str]] = [
        (store, MANIFESTS, artifact_id),
        (store, PAYLOADS, artifact_id),
        (store, SIGNATURES, artifact_id),
        (store, RECORDS, owners),
    ]
    if store.keys is not None:
        store.keys.reach()
        parts.insert(0, (store.keys, KEYS, artifact_id))
    if tombstone is None and not any(exists(*part) for part in parts if part[1] in (KEYS, MANIFESTS, PAYLOADS)):
        raise ArtifactMissing(f"artifact {artifact_id} is not in the store {store.location}", "check the id")
    begin()
    told = tombstone or (store.keys and find_tombstone(store.keys, artifact_id)) or _new_tombstone(reason)
    if store.keys is not None:  # first: if it cannot be written, nothing has changed
        try:
            _put_tombstone(store.keys, artifact_id, told)
        except StoreFull:
            store.keys.purge(KEYS, artifact_id)
            _put_tombstone(store.keys, artifact_id, told)
        store.keys.purge(KEYS, artifact_id)
    if tombstone is None:
        try:
            tombstone = _leave_tombstone(store, artifact_id, told)
        except StoreFull:
            store.purge(PAYLOADS, artifact_id)
            begin()
            tombstone = _leave_tombstone(store, artifact_id, told)
    for place, folder, name in parts:
        place.purge(folder, name)
    for place, folder, name in parts:
        if exists(place, folder, name):
            raise StoreError(
                f"{folder}/{name} is still in the store {place.location} after its deletion",
                "find out who writes it or what retains it, then erase the artifact again",
            )
    return tombstone


def _leave_tombstone(store: Store, artifact_id: str, tombstone: Tombstone) -> Tombstone:
    """Returns the tombstone: of two erasures at once, that of the first."""
    if _put_tombstone(store, artifact_id, tombstone):
        return tombstone
    return find_tombstone(store, artifact_id) or UNREADABLE


def _new_tombstone(reason: str) -> Tombstone:
    return Tombstone(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), reason)


def _put_tombstone(store: Store, artifact_id: str, tombstone: Tombstone) -> bool:
    """Returns False if another one is there."""
    try:
        store.put(TOMBSTONES, artifact_id, json.dumps(asdict(tombstone), sort_keys=True).encode())
    except ArtifactDamaged:
        return False
    return True


def find_tombstone(store: Store, artifact_id: str) -> Tombstone | None:
    """Returns an erased artifact's tombstone, or None."""
    try:
        fields = json.loads(store.get(TOMBSTONES, artifact_id, TOMBSTONE_BYTES))
        tombstone = Tombstone(fields["erased_at"], fields["reason"])
        if DATE.match(tombstone.erased_at) and _is_reason(tombstone.reason):
            return tombstone
    except ArtifactMissing:
        return None
    except (ArtifactDamaged, ValueError, KeyError, TypeError, RecursionError):
        pass
    return UNREADABLE


def _is_reason(text: object) -> bool:
    """Whether it is a line of text. Whoever can write to the store can forge a tombstone, whose text people read."""
    return isinstance(text, str) and text.strip() != "" and text.isprintable() and len(text) <= REASON_CHARACTERS


def missing(store: Store, artifact_id: str, error: ArtifactMissing) -> ArtifactMissing:
    """Returns the error for a missing artifact: with date and reason if it was erased."""
    tombstone = find_tombstone(store, artifact_id)
    return error if tombstone is None else _make_erased_error(artifact_id, tombstone)


def refuse_erased(store: Store, artifact_id: str) -> None:
    """Raises ArtifactErased if an artifact of this id was erased: it must not come back."""
    tombstone = find_tombstone(store, artifact_id)
    if tombstone is not None:
        raise _make_erased_error(artifact_id, tombstone)


def _make_erased_error(artifact_id: str, tombstone: Tombstone) -> ArtifactErased:
    return ArtifactErased(
        f"artifact {artifact_id} was erased on {tombstone.erased_at}: {tombstone.reason}",
        "nothing can restore it; to train a model again, first remove from the data what had to be erased",
    )
