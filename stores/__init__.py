"""Bytes by name: where sealed artifacts and records are kept. Knows no keys, and nothing but the standard library.

store.py is the contract and open.py the way from a URL to a backend, one file each (file_store.py); artifacts.py says,
once for all of them, what an artifact in a store is and whether it is whole.
"""

from stores.artifacts import (
    artifact_ids,
    delete_artifact,
    get_manifest,
    get_payload,
    get_record,
    has_artifact,
    put_artifact,
    verify,
)
from stores.errors import ArtifactDamaged, ArtifactMissing, StoreError, StoreUnwritable, StoreUrlInvalid
from stores.open import absolute_url, is_same_store, open_store
from stores.store import MANIFESTS, PAYLOADS, RECORDS, Store

__all__ = [
    "MANIFESTS",
    "PAYLOADS",
    "RECORDS",
    "ArtifactDamaged",
    "ArtifactMissing",
    "Store",
    "StoreError",
    "StoreUnwritable",
    "StoreUrlInvalid",
    "absolute_url",
    "artifact_ids",
    "delete_artifact",
    "get_manifest",
    "get_payload",
    "get_record",
    "has_artifact",
    "is_same_store",
    "open_store",
    "put_artifact",
    "verify",
]
