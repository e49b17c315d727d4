"""Bytes by name: where sealed artifacts and records are kept. Knows no keys, and nothing but the standard library.

store.py is the contract and open.py the way from a URL to a backend, one file each (file_store.py); artifacts.py says,
once for all of them, what an artifact in a store is and whether it is whole; lease.py lets one process at a time work.
"""

from sealift.stores.artifacts import (
    artifact_ids,
    delete_artifact,
    delete_record,
    get_manifest,
    get_payload,
    get_record,
    has_artifact,
    open_payload,
    owners_name,
    put_artifact,
    remake_artifact,
    verify,
    version_of,
)
from sealift.stores.errors import (
    ArtifactDamaged,
    ArtifactMissing,
    Conflict,
    LeaseLost,
    StoreError,
    StoreUnwritable,
    StoreUrlInvalid,
)
from sealift.stores.lease import Fence, hold_lease
from sealift.stores.open import absolute_url, is_same_store, open_store
from sealift.stores.store import MANIFESTS, PAYLOADS, RECORDS, Stat, Store, Versioned, Writer

__all__ = [
    "MANIFESTS",
    "PAYLOADS",
    "RECORDS",
    "ArtifactDamaged",
    "ArtifactMissing",
    "Conflict",
    "Fence",
    "LeaseLost",
    "Stat",
    "Store",
    "StoreError",
    "StoreUnwritable",
    "StoreUrlInvalid",
    "Versioned",
    "Writer",
    "absolute_url",
    "artifact_ids",
    "delete_artifact",
    "delete_record",
    "get_manifest",
    "get_payload",
    "get_record",
    "has_artifact",
    "hold_lease",
    "is_same_store",
    "open_payload",
    "open_store",
    "owners_name",
    "put_artifact",
    "remake_artifact",
    "verify",
    "version_of",
]
