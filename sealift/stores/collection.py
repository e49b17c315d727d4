"""Collection: removal of what killed writers left in a store, once it is older than a grace time."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sealift.stores.artifacts import version_of
from sealift.stores.audit_log import audited
from sealift.stores.errors import Conflict
from sealift.stores.store import MANIFESTS, PAYLOADS, Entry, Store

GRACE_SECONDS: Final = 86400.0
"""Time that a writer has between an artifact's payload and its manifest."""


@dataclass(frozen=True)
class Collected:
    """Payloads that were removed because they have no manifest, and the number of unfinished uploads."""

    payloads: tuple[Entry, ...]
    unfinished: int


def collect(store: Store, grace_seconds: float = GRACE_SECONDS, *, dry_run: bool = False) -> Collected:
    """Removes payloads without a manifest and unfinished uploads. Artifacts, records, tombstones and audit log stay.

    A payload that is replaced meanwhile stays, and so does one from the future of this machine's clock. `dry_run` only
    lists the payloads.
    """
    store.reach()
    payloads = store.entries(PAYLOADS)  # before the manifests: a payload of an artifact made meanwhile is not listed
    complete = set(store.names(MANIFESTS))
    old = [one for one in payloads if one.name not in complete and time.time() - one.modified > grace_seconds]
    if dry_run:
        return Collected(tuple(old), 0)
    removed = [one for one in old if _remove(store, one.name)]
    return Collected(tuple(removed), store.remove_unfinished(grace_seconds))


def _remove(store: Store, name: str) -> bool:
    version = version_of(store, PAYLOADS, name)
    if version is None or version_of(store, MANIFESTS, name) is not None:
        return False
    with suppress(Conflict), audited(store, "delete", name) as entry:
        entry.begin()
        store.delete(PAYLOADS, name, version)
        return True
    return False
