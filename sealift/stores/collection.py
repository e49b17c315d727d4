"""Collection: removal of what killed writers left in a store, once it is older than a grace time."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sealift.stores.artifacts import version_of
from sealift.stores.audit_log import audited
from sealift.stores.errors import Conflict
from sealift.stores.store import MANIFESTS, PAYLOADS, SIGNATURES, Entry, Folder, Store

GRACE_SECONDS: Final = 86400.0
"""Time that a writer has between an artifact's payload and its manifest."""


@dataclass(frozen=True)
class Collected:
    """Payloads and signatures that were removed because they have no manifest, and the number of unfinished uploads."""

    payloads: tuple[Entry, ...]
    signatures: tuple[Entry, ...]
    unfinished: int


def collect(store: Store, grace_seconds: float = GRACE_SECONDS, *, dry_run: bool = False) -> Collected:
    """Removes payloads and signatures without a manifest, and unfinished uploads. Artifacts, records, tombstones and
    audit log stay.

    What is replaced meanwhile stays, and so does what is from the future of this machine's clock. `dry_run` only lists
    payloads and signatures.
    """
    store.reach()
    folders: tuple[Folder, ...] = (PAYLOADS, SIGNATURES)
    listed = [store.entries(folder) for folder in folders]  # before the manifests: no artifact made meanwhile is in it
    complete = set(store.names(MANIFESTS))
    old = [
        [one for one in entries if one.name not in complete and time.time() - one.modified > grace_seconds]
        for entries in listed
    ]
    if not dry_run:
        old = [
            [one for one in entries if _remove(store, folder, one.name)]
            for folder, entries in zip(folders, old, strict=True)
        ]
    payloads, signatures = (tuple(entries) for entries in old)
    return Collected(payloads, signatures, 0 if dry_run else store.remove_unfinished(grace_seconds))


def _remove(store: Store, folder: Folder, name: str) -> bool:
    version = version_of(store, folder, name)
    if version is None or version_of(store, MANIFESTS, name) is not None:
        return False
    with suppress(Conflict), audited(store, "delete", name) as entry:
        entry.begin()
        store.delete(folder, name, version)
        return True
    return False
