"""Artifacts and records in any store: a payload and a manifest of one name, and notes that are replaced as a whole.

Payload first, manifest last: the manifest is the commit point, an artifact is there once its manifest is.
"""

import hashlib
from collections.abc import Callable
from typing import BinaryIO, Final, Protocol, TypeVar

from sealift.durable.new_file import Buffer
from sealift.stores.errors import ArtifactDamaged, ArtifactMissing
from sealift.stores.lease import Fence, hold_lease
from sealift.stores.store import MANIFESTS, PAYLOADS, RECORDS, Folder, Store, Versioned

OWNERS_CONTEXT: Final = b"sealift/v1/owners\0"
MANIFEST_BYTES: Final = 1 << 20
"""No manifest of any format version is longer: what is longer is not even read."""


class Manifested(Protocol):
    """What is known of a payload once it is written."""

    @property
    def manifest(self) -> bytes:
        """The artifact's manifest."""


Written = TypeVar("Written", bound=Manifested)
Seal = Callable[[Callable[[Buffer], object]], Written]
"""Passes a payload in pieces to the function that it is given, and returns what was sealed."""


def put_artifact(store: Store, artifact_id: str, payload: Buffer, manifest: bytes) -> None:
    """Puts both; the same again is fine, another artifact of this id is refused."""
    store.put(PAYLOADS, artifact_id, payload)
    store.put(MANIFESTS, artifact_id, manifest)


def open_payload(store: Store, artifact_id: str) -> BinaryIO:
    """The payload as a stream; to be closed. Raises ArtifactMissing."""
    return store.open(PAYLOADS, artifact_id)


def get_payload(store: Store, artifact_id: str) -> bytes:
    """The payload, whole: only for one who opens it. Raises ArtifactMissing."""
    return store.get(PAYLOADS, artifact_id)


def get_manifest(store: Store, artifact_id: str) -> bytes:
    return store.get(MANIFESTS, artifact_id, MANIFEST_BYTES)


def has_artifact(store: Store, artifact_id: str) -> bool:
    """Whether its manifest is there; whether the whole is, `verify` says."""
    try:
        get_manifest(store, artifact_id)
    except ArtifactMissing:
        return False
    return True


def artifact_ids(store: Store) -> list[str]:
    """Sorted ids of the artifacts with a manifest. Raises StoreUnwritable where the store itself is not there."""
    store.reach()
    return store.names(MANIFESTS)


def delete_artifact(store: Store, artifact_id: str) -> None:
    """Manifest first, then payload; fine where there is none."""
    store.delete(MANIFESTS, artifact_id)
    store.delete(PAYLOADS, artifact_id)


def verify(store: Store, artifact_id: str, payload_digest: str, digest_of: Callable[[BinaryIO], str]) -> None:
    """Raises ArtifactMissing or ArtifactDamaged unless manifest and payload are there and the payload has this digest.

    What a digest is, is the format's to say: `digest_of` is sealing.stream_digest.
    """
    store.reach()
    get_manifest(store, artifact_id)
    with open_payload(store, artifact_id) as payload:
        found = digest_of(payload)
    if found != payload_digest:
        raise ArtifactDamaged(
            f"the payload of artifact {artifact_id} is not what was sealed",
            f"find out who can write to {store.location}",
        )


def remake_artifact(fence: Fence, artifact_id: str, seal: Seal[Written]) -> Written:
    """Puts what `seal` seals, instead of what an attempt that was killed left of them. Raises LeaseLost, Conflict.

    What it removes it has seen before it checks the lease: what a process that took the lease over has put since then
    is another version, and stays.
    """
    store = fence.store
    folders: tuple[Folder, ...] = (MANIFESTS, PAYLOADS)
    left = [(folder, version_of(store, folder, artifact_id)) for folder in folders]
    fence.check()
    for folder, version in left:
        if version is not None:
            store.delete(folder, artifact_id, version)
    with store.create(PAYLOADS, artifact_id) as file:
        sealed = seal(file.write)
    fence.check()
    store.put(MANIFESTS, artifact_id, sealed.manifest)
    return sealed


def version_of(store: Store, folder: Folder, name: str) -> str | None:
    """None where there is none, which is what `swap` expects then."""
    try:
        return store.stat(folder, name).version
    except ArtifactMissing:
        return None


def owners_name(artifact_id: str) -> str:
    """The name of the record that lists who uses the artifact; whoever has not its key sees that there is one."""
    return hashlib.sha256(OWNERS_CONTEXT + bytes.fromhex(artifact_id)).hexdigest()


def delete_record(store: Store, name: str) -> None:
    """Under its lease, so that nobody who works on it is surprised; fine where there is none."""
    if get_record(store, name) is not None:
        with hold_lease(store, name):
            store.delete(RECORDS, name)


def get_record(store: Store, name: str) -> Versioned | None:
    """None where there is none."""
    try:
        return store.read(RECORDS, name)
    except ArtifactMissing:
        return None
