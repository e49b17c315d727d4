"""Stores of sealed artifacts and records: bytes by name. Knows no keys; uses only the standard library.

store.py is the contract. open.py maps a URL to a backend; each backend is one file (file_store.py). artifacts.py
defines for all backends what an artifact in a store is and when it is complete; signatures.py keeps signatures beside
them. lease.py lets one process work at a time. audit_log.py writes down each use of an artifact, and audit_check.py
checks what is written. artifact_keys.py keeps artifacts' own keys in a second store.
"""

from sealift.stores.artifact_keys import check_destroyable, get_key, is_paired, refuse_versions
from sealift.stores.artifacts import (
    artifact_ids,
    create_artifact,
    delete_artifact,
    delete_record,
    erase_artifact,
    get_manifest,
    get_payload,
    get_record,
    has_artifact,
    has_record,
    open_payload,
    owners_name,
    put_artifact,
    remake_artifact,
    verify,
    version_of,
)
from sealift.stores.audit_check import NO_LINES, AuditDamage, AuditFile, AuditHead, check_log, parse_head, read_log
from sealift.stores.audit_log import Action, AuditEntry, AuditLine, audited
from sealift.stores.collection import GRACE_SECONDS, Collected, collect
from sealift.stores.erasure import Tombstone, find_tombstone
from sealift.stores.errors import (
    ArtifactDamaged,
    ArtifactErased,
    ArtifactMissing,
    Conflict,
    KeysUnusable,
    LeaseLost,
    StoreError,
    StoreForbidden,
    StoreFull,
    StoreUnwritable,
    StoreUrlInvalid,
)
from sealift.stores.every_artifact import map_artifacts
from sealift.stores.lease import Fence, hold_lease
from sealift.stores.objects import is_object_url, open_object
from sealift.stores.open import absolute_url, is_same_store, open_store
from sealift.stores.signatures import get_signature, put_signature
from sealift.stores.signed_urls import sign_url
from sealift.stores.store import (
    INPUTS,
    MANIFESTS,
    PAYLOADS,
    RECORDS,
    SIGNATURES,
    TOMBSTONES,
    Entry,
    Stat,
    Store,
    Versioned,
    Writer,
)

__all__ = [
    "GRACE_SECONDS",
    "INPUTS",
    "MANIFESTS",
    "NO_LINES",
    "PAYLOADS",
    "RECORDS",
    "SIGNATURES",
    "TOMBSTONES",
    "Action",
    "ArtifactDamaged",
    "ArtifactErased",
    "ArtifactMissing",
    "AuditDamage",
    "AuditEntry",
    "AuditFile",
    "AuditHead",
    "AuditLine",
    "Collected",
    "Conflict",
    "Entry",
    "Fence",
    "KeysUnusable",
    "LeaseLost",
    "Stat",
    "Store",
    "StoreError",
    "StoreForbidden",
    "StoreFull",
    "StoreUnwritable",
    "StoreUrlInvalid",
    "Tombstone",
    "Versioned",
    "Writer",
    "absolute_url",
    "artifact_ids",
    "audited",
    "check_destroyable",
    "check_log",
    "collect",
    "create_artifact",
    "delete_artifact",
    "delete_record",
    "erase_artifact",
    "find_tombstone",
    "get_key",
    "get_manifest",
    "get_payload",
    "get_record",
    "get_signature",
    "has_artifact",
    "has_record",
    "hold_lease",
    "is_object_url",
    "is_paired",
    "is_same_store",
    "map_artifacts",
    "open_object",
    "open_payload",
    "open_store",
    "owners_name",
    "parse_head",
    "put_artifact",
    "put_signature",
    "read_log",
    "refuse_versions",
    "remake_artifact",
    "sign_url",
    "verify",
    "version_of",
]
