"""Artifacts and records in any store. An artifact is a payload and a manifest of one name; a record is replaced as a
whole.

The payload is written first and the manifest last. The manifest is the commit point: an artifact exists once its
manifest does. Each change of an artifact has its line in the store's audit log before it happens.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, Final, Protocol, TypeVar

from sealift.durable.new_file import Buffer
from sealift.stores.artifact_keys import destroy_key, new_key, put_key
from sealift.stores.audit_log import audited
from sealift.stores.erasure import Tombstone, erase, missing, refuse_erased
from sealift.stores.errors import ArtifactDamaged, ArtifactMissing, StoreError
from sealift.stores.lease import Fence, hold_lease
from sealift.stores.store import KEYS, MANIFESTS, PAYLOADS, RECORDS, SIGNATURES, Folder, Store, Versioned, exists

OWNERS_CONTEXT: Final = b"sealift/v1/owners\0"
MANIFEST_BYTES: Final = 1 << 20
"""Limit on manifests of every format version. A longer file is not read."""
RECORD_BYTES: Final = 64 << 20
"""Limit on records that are lists. The record of a run may hold a model, and has a limit of its own."""


class Manifested(Protocol):
    """The result of sealing a payload."""

    @property
    def manifest(self) -> bytes:
        """The artifact's manifest."""

    @property
    def payload_digest(self) -> str:
        """The digest of the payload that the manifest names."""


Written = TypeVar("Written", bound=Manifested)
Seal = Callable[[Callable[[Buffer], object], bytes | None], Written]
"""Passes a payload in pieces to the given function and returns the result of sealing. The second input is the
artifact's own key, which is stored already, or None: see artifact_keys.py."""


def put_artifact(store: Store, artifact_id: str, payload: Buffer, manifest: bytes) -> None:
    """Stores payload and manifest. Storing the same again is allowed; a different artifact of this id is refused.
    Raises ArtifactErased if it was erased.
    """
    with audited(store, "seal", artifact_id) as entry:
        refuse_erased(store, artifact_id)
        entry.begin()
        store.put(PAYLOADS, artifact_id, payload)
        store.put(MANIFESTS, artifact_id, manifest)


def create_artifact(store: Store, artifact_id: str, seal: Seal[Written]) -> Written:
    """Stores what `seal` seals under a new id. After an error, the artifact does not exist.
    Raises ArtifactErased if one of this id was erased.
    """
    with audited(store, "seal", artifact_id) as entry:
        refuse_erased(store, artifact_id)
        entry.begin()
        kek = new_key(store)
        with store.create(PAYLOADS, artifact_id) as file:
            sealed = seal(file.write, kek)
        try:
            put_key(store, artifact_id, kek)
            store.put(MANIFESTS, artifact_id, sealed.manifest)
        except BaseException:
            with suppress(StoreError):  # the manifest first: in spite of the error, it may be there
                store.delete(MANIFESTS, artifact_id)
                store.delete(PAYLOADS, artifact_id)
                destroy_key(store, artifact_id)
            raise
        entry.payload_digest = sealed.payload_digest
    return sealed


def open_payload(store: Store, artifact_id: str) -> BinaryIO:
    """Opens the payload as a stream, which the caller closes. Raises ArtifactMissing."""
    return store.open(PAYLOADS, artifact_id)


def get_payload(store: Store, artifact_id: str) -> bytes:
    """Reads the whole payload into memory, for opening it. Raises ArtifactMissing."""
    return store.get(PAYLOADS, artifact_id)


def get_manifest(store: Store, artifact_id: str) -> bytes:
    """Reads the manifest. Raises ArtifactMissing, or ArtifactErased with the tombstone's date and reason."""
    try:
        return store.get(MANIFESTS, artifact_id, MANIFEST_BYTES)
    except ArtifactMissing as error:
        raise missing(store, artifact_id, error) from None


def has_artifact(store: Store, artifact_id: str) -> bool:
    """Whether the artifact's manifest exists. `verify` checks the whole artifact."""
    try:
        get_manifest(store, artifact_id)
    except ArtifactMissing:
        return False
    return True


def artifact_ids(store: Store) -> list[str]:
    """Returns the sorted ids of the artifacts with a manifest. Raises StoreUnwritable if the store does not exist."""
    store.reach()
    return store.names(MANIFESTS)


def delete_artifact(store: Store, artifact_id: str) -> None:
    """Deletes the manifest, then payload, signature and the artifact's own key. Does nothing if they do not exist."""
    with audited(store, "delete", artifact_id) as entry:
        if not exists(store, MANIFESTS, artifact_id) and not exists(store, PAYLOADS, artifact_id):
            return
        entry.begin()
        store.delete(MANIFESTS, artifact_id)
        store.delete(PAYLOADS, artifact_id)
        store.delete(SIGNATURES, artifact_id)
        destroy_key(store, artifact_id)


def verify(store: Store, artifact_id: str, payload_digest: str, digest_of: Callable[[BinaryIO], str]) -> None:
    """Raises ArtifactMissing or ArtifactDamaged unless manifest and payload exist and the payload has this digest.

    The format defines the digest: `digest_of` is sealing.stream_digest.
    """
    store.reach()
    get_manifest(store, artifact_id)
    with open_payload(store, artifact_id) as payload:
        found = digest_of(payload)
    if found != payload_digest:
        raise ArtifactDamaged(
            f"the payload of artifact {artifact_id} differs from what was sealed",
            f"find out who can write to {store.location}",
        )


def remake_artifact(fence: Fence, artifact_id: str, seal: Seal[Written]) -> Written:
    """Stores what `seal` seals, replacing what a killed attempt left. Raises LeaseLost, Conflict or ArtifactErased.

    It removes only versions that it saw before it checked the lease. What a process that took the lease over stored
    since then is another version, and stays.
    """
    store = fence.store
    places: list[tuple[Store, Folder]] = [(store, MANIFESTS), (store, PAYLOADS), (store, SIGNATURES)]
    if store.keys is not None:
        places.append((store.keys, KEYS))
    with audited(store, "seal", artifact_id) as entry:
        refuse_erased(store, artifact_id)
        left = [(place, folder, version_of(place, folder, artifact_id)) for place, folder in places]
        fence.check()
        entry.begin()
        for place, folder, version in left:
            if version is not None:
                place.delete(folder, artifact_id, version)
        kek = new_key(store)
        with store.create(PAYLOADS, artifact_id) as file:
            sealed = seal(file.write, kek)
        fence.check()
        put_key(store, artifact_id, kek)
        store.put(MANIFESTS, artifact_id, sealed.manifest)
        entry.payload_digest = sealed.payload_digest
    return sealed


def version_of(store: Store, folder: Folder, name: str) -> str | None:
    """Returns the version of a stored file, or None if it does not exist, as `Store.swap` expects it."""
    try:
        return store.stat(folder, name).version
    except ArtifactMissing:
        return None


def owners_name(artifact_id: str) -> str:
    """Name of the record that lists the artifact's users. Without its key one sees only that it exists."""
    return hashlib.sha256(OWNERS_CONTEXT + bytes.fromhex(artifact_id)).hexdigest()


def delete_record(store: Store, name: str) -> None:
    """Deletes a record under its lease, so that no process loses it while working. Does nothing if it does not
    exist."""
    if has_record(store, name):
        with hold_lease(store, name):
            store.delete(RECORDS, name)


def has_record(store: Store, name: str) -> bool:
    """Whether the record exists, whatever its size."""
    return exists(store, RECORDS, name)


def get_record(store: Store, name: str, at_most: int = RECORD_BYTES) -> Versioned | None:
    """Reads a record. None if it does not exist. Raises ArtifactDamaged, without reading it, if it exceeds the
    limit."""
    try:
        return store.read(RECORDS, name, at_most)
    except ArtifactMissing:
        return None


def erase_artifact(store: Store, artifact_id: str, reason: str) -> Tombstone:
    """Destroys an artifact and leaves a tombstone: see erasure.erase."""
    with audited(store, "erase", artifact_id) as entry:
        return erase(store, artifact_id, reason, owners_name(artifact_id), entry.begin)
