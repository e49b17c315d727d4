"""Signs artifacts in a store. The payload is compared with its manifest first: no damaged artifact is signed."""

from sealift.payload_digests import read_digests
from sealift.sealing import PinMismatch
from sealift.sealing.manifest import Manifest, parse_manifest
from sealift.signing import SignedArtifact, SigningKey, sign
from sealift.stores import ArtifactDamaged, Store, get_manifest, open_payload, put_signature


def signed_artifact(manifest: Manifest) -> SignedArtifact:
    """Returns the artifact of a manifest, as signatures name it."""
    return SignedArtifact(manifest.artifact_id, manifest.payload_digest, manifest.payload_size)


def sign_stored(store: Store, artifact_id: str, payload_digest: str, key: SigningKey) -> bytes:
    """Signs an artifact, in place of an earlier signature. Returns the signature. Raises SealingError or StoreError."""
    store.reach()
    manifest = parse_manifest(get_manifest(store, artifact_id))
    if (manifest.artifact_id, manifest.payload_digest) != (artifact_id, payload_digest):
        raise PinMismatch(
            f"artifact {artifact_id} in the store does not have the expected payload digest",
            f"find out who can write to {store.location}",
        )
    with open_payload(store, artifact_id) as payload:
        found = read_digests(payload)
    if (found.payload_digest, found.size_bytes) != (manifest.payload_digest, manifest.payload_size):
        raise ArtifactDamaged(
            f"the payload of artifact {artifact_id} differs from what was sealed",
            f"find out who can write to {store.location}",
        )
    signature = sign(signed_artifact(manifest), artifact_id, found.sha256, key)
    put_signature(store, artifact_id, signature)
    return signature
