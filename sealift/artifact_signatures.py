"""Signatures of stored artifacts: made after the payload was read, and checked against a manifest."""

from collections.abc import Sequence

from sealift.payload_digests import read_digests
from sealift.signing import SignedArtifact, Signer, SigningKey, sign, verify
from sealift.stores import ArtifactDamaged, Store, open_payload


def sign_stored(store: Store, artifact: SignedArtifact, key: SigningKey) -> bytes:
    """Returns a signature of the artifact. Raises ArtifactDamaged if the payload in the store is another one, and
    StoreError.
    """
    with open_payload(store, artifact.artifact_id) as payload:
        found = read_digests(payload)
    if (found.payload_digest, found.size_bytes) != (artifact.payload_digest, artifact.payload_size):
        raise ArtifactDamaged(
            f"the payload of artifact {artifact.artifact_id} differs from what was sealed, so it is not signed",
            f"find out who can write to {store.location}",
        )
    return sign(artifact, artifact.artifact_id, found.sha256, key)


def check_signature(signature: bytes, artifact: SignedArtifact, signers: Sequence[Signer]) -> Signer:
    """Returns the signer of the artifact, from what its manifest says. Raises SigningError."""
    signed, signer = verify(signature, signers)
    signed.check(artifact, None)
    return signer
