"""Signatures of artifacts, each beside its artifact, under the same name. A store does not know what they state.

A signature goes with its artifact: `delete_artifact` and `erase_artifact` remove both.
"""

from typing import Final

from sealift.stores.artifacts import get_manifest, version_of
from sealift.stores.audit_log import audited
from sealift.stores.erasure import find_tombstone, missing
from sealift.stores.errors import ArtifactMissing
from sealift.stores.store import SIGNATURES, Store

SIGNATURE_BYTES: Final = 1 << 20
"""Limit on signatures. A longer file is not read."""


def put_signature(store: Store, artifact_id: str, signature: bytes) -> None:
    """Stores an artifact's signature in place of an earlier one.

    Raises ArtifactMissing, or ArtifactErased, if the artifact does not exist; then no signature stays. Raises Conflict
    if another process signs it at the same time.
    """
    store.reach()
    with audited(store, "sign", artifact_id) as entry:
        _check_exists(store, artifact_id)
        entry.begin()
        store.swap(SIGNATURES, artifact_id, signature, version_of(store, SIGNATURES, artifact_id))
        try:  # an erasure or a deletion that did not see the signature began before this look
            _check_exists(store, artifact_id)
        except ArtifactMissing:
            store.purge(SIGNATURES, artifact_id)
            raise


def get_signature(store: Store, artifact_id: str) -> bytes | None:
    """Reads an artifact's signature, or returns None if it has none. Raises ArtifactDamaged if it is too long."""
    try:
        return store.get(SIGNATURES, artifact_id, SIGNATURE_BYTES)
    except ArtifactMissing:
        return None


def _check_exists(store: Store, artifact_id: str) -> None:
    """Raises ArtifactMissing or ArtifactErased. An erasure leaves its tombstone before it removes anything."""
    if find_tombstone(store, artifact_id) is not None:
        raise missing(store, artifact_id, ArtifactMissing(f"artifact {artifact_id} is missing"))
    get_manifest(store, artifact_id)
