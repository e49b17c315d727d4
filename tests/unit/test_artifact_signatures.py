"""A stored artifact is signed as it is, or not at all."""

import hashlib
from dataclasses import replace

import pytest

from sealift.artifact_signatures import check_signature, sign_stored
from sealift.sealing import seal
from sealift.signing import SignedArtifact, SignedOther, SigningKey, verify
from sealift.stores import PAYLOADS, ArtifactDamaged, ArtifactMissing, Store, open_store, put_artifact
from tests.keys import key_pair

KEY = SigningKey.generate()


@pytest.fixture
def store(tmp_path: object) -> Store:
    return open_store(f"file://{tmp_path}/store")


def put(store: Store, size: int = (1 << 20) + 5) -> tuple[SignedArtifact, bytes]:
    sealed = seal(bytes(size), {}, [key_pair(0).recipient])
    put_artifact(store, sealed.artifact_id, sealed.payload, sealed.manifest)
    return SignedArtifact(sealed.artifact_id, sealed.payload_digest, len(sealed.payload)), bytes(sealed.payload)


def test_the_signature_names_the_payload_file_and_the_artifact(store: Store) -> None:
    artifact, payload = put(store)

    signature = sign_stored(store, artifact, KEY)

    assert verify(signature, [KEY.signer])[0].sha256 == hashlib.sha256(payload).hexdigest()
    assert check_signature(signature, artifact, [SigningKey.generate().signer, KEY.signer]).pem == KEY.signer.pem
    with pytest.raises(SignedOther):
        check_signature(signature, put(store)[0], [KEY.signer])


def test_another_payload_is_not_signed(store: Store) -> None:
    artifact, payload = put(store)
    changed = bytearray(payload)
    changed[-1] ^= 1
    store.delete(PAYLOADS, artifact.artifact_id)
    with pytest.raises(ArtifactMissing):
        sign_stored(store, artifact, KEY)
    store.put(PAYLOADS, artifact.artifact_id, bytes(changed))

    with pytest.raises(ArtifactDamaged, match="is not signed"):
        sign_stored(store, artifact, KEY)
    with pytest.raises(ArtifactDamaged, match="is not signed"):
        sign_stored(store, replace(artifact, payload_size=1), KEY)
