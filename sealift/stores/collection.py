"""Collection: removal of what killed writers left in a store, once it is older than a grace time."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sealift.stores.artifact_keys import check_pair, reach_keys
from sealift.stores.artifacts import version_of
from sealift.stores.audit_check import read_log
from sealift.stores.audit_log import AuditLine, audited
from sealift.stores.errors import Conflict
from sealift.stores.signed_urls import LONGEST_SECONDS
from sealift.stores.store import INPUTS, KEYS, MANIFESTS, PAYLOADS, SIGNATURES, Entry, Folder, Store

GRACE_SECONDS: Final = 86400.0
"""Time that a writer has between an artifact's payload and its manifest."""


@dataclass(frozen=True)
class Collected:
    """Payloads, signatures and keys that were removed because they have no manifest, and the number of unfinished
    uploads."""

    payloads: tuple[Entry, ...]
    signatures: tuple[Entry, ...]
    unfinished: int
    keys: tuple[Entry, ...] = ()
    inputs: tuple[Entry, ...] = ()
    """Files of runs in a cluster that no pod can read any more."""


def collect(store: Store, grace_seconds: float = GRACE_SECONDS, *, dry_run: bool = False) -> Collected:
    """Removes payloads and signatures without a manifest, own keys of artifacts that were deleted or never complete (by
    the audit log), unfinished uploads, and files of runs in a cluster once their signed URLs have ended. Artifacts,
    records, tombstones and audit log stay.

    What is replaced meanwhile stays, and so does what is from the future of this machine's clock. `dry_run` only lists.
    Raises KeysUnusable if the store of keys is another store's.
    """
    store.reach()
    places: list[tuple[Store, Folder]] = [(store, PAYLOADS), (store, SIGNATURES)]
    if store.keys is not None:
        reach_keys(store.keys)
        places.append((store.keys, KEYS))
    listed = [place.entries(folder) for place, folder in places]  # first: no artifact made meanwhile is in it
    if store.keys is not None and listed[-1]:
        check_pair(store, store.keys)
    complete = set(store.names(MANIFESTS))
    old = [
        [one for one in entries if one.name not in complete and time.time() - one.modified > grace_seconds]
        for entries in listed
    ]
    if store.keys is not None and old[-1]:
        ended = _find_ended(store)
        old[-1] = [one for one in old[-1] if one.name in ended]
    if not dry_run:
        old = [
            [one for one in entries if _remove(store, place, folder, one.name)]
            for (place, folder), entries in zip(places, old, strict=True)
        ]
    payloads, signatures, *keys = (tuple(entries) for entries in old)
    inputs = _collect_inputs(store, max(grace_seconds, LONGEST_SECONDS), dry_run=dry_run)
    unfinished = 0 if dry_run else store.remove_unfinished(grace_seconds)
    return Collected(payloads, signatures, unfinished, keys[0] if keys else (), inputs)


def _collect_inputs(store: Store, grace_seconds: float, *, dry_run: bool) -> tuple[Entry, ...]:
    old = [one for one in store.entries(INPUTS) if time.time() - one.modified > grace_seconds]
    for one in [] if dry_run else old:
        store.delete(INPUTS, one.name)
    return tuple(old)


def _find_ended(store: Store) -> set[str]:
    """Returns the ids of the artifacts that are not there by the audit log: deleted, or never sealed to the end.

    A key is irreplaceable. The absence of a manifest does not show that it is needed no more: this may be an earlier
    copy of the store, or a part of it that was restored.
    """
    last: dict[str, AuditLine] = {}
    for file in read_log(store):
        if isinstance(file.line, AuditLine) and file.line.action in ("seal", "delete", "erase"):
            last[file.line.artifact_id] = file.line
    return {name for name, line in last.items() if line.action != "seal" or line.outcome != "done"}


def _remove(store: Store, place: Store, folder: Folder, name: str) -> bool:
    version = version_of(place, folder, name)
    if version is None or version_of(store, MANIFESTS, name) is not None:
        return False
    with suppress(Conflict), audited(store, "delete", name) as entry:
        entry.begin()
        place.delete(folder, name, version)
        return True
    return False
