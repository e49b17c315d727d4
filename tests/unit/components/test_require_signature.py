"""With `requireSignature`, an artifact that no trusted signer signed is refused before any object is registered."""

import hashlib
from typing import Any

import pytest

from sealift.sealing import SealedArtifact, seal
from sealift.signing import SignedArtifact, SigningKey, sign
from tests.keys import key_pair
from tests.unit.components.test_model_container import serve
from tests.unit.components.test_model_deployment import deploy, event_loop, refusal_of, registered_kinds

__all__ = ["event_loop"]

KEY, OTHER = SigningKey.generate(), SigningKey.generate()


def sealed() -> SealedArtifact:
    return seal(b"model", {}, [key_pair().recipient])


def signature(artifact: SealedArtifact, key: SigningKey = KEY) -> str:
    named = SignedArtifact(artifact.artifact_id, artifact.payload_digest, len(artifact.payload))
    return sign(named, artifact.artifact_id, hashlib.sha256(artifact.payload).hexdigest(), key).decode()


def given(artifact: SealedArtifact, **changed: Any) -> dict[str, Any]:
    return {
        "manifest": artifact.manifest.decode(), "artifactId": artifact.artifact_id,
        "payloadDigest": artifact.payload_digest, "requireSignature": [KEY.signer.pem], **changed,
    }  # fmt: skip


def test_a_signed_artifact_is_served_as_without_the_setting() -> None:
    artifact = sealed()
    signed = given(artifact, signature=signature(artifact))
    both = given(artifact, signature=signature(artifact, OTHER), requireSignature=[KEY.signer.pem, OTHER.signer.pem])

    plain = deploy(**given(artifact, requireSignature=None)).objects
    assert deploy(**signed).objects.keys() == deploy(**both).objects.keys() == plain.keys()
    assert "Container" in serve(**signed)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "is not signed, and requireSignature is set"),
        ({"signature": signature(sealed())}, "the signature is of another payload"),
        ({"signature": "{}"}, "mediaType is not"),
        ({"requireSignature": [KEY.signer.pem], "manifest": sealed().manifest.decode()}, "is of another payload"),
        ({"requireSignature": [OTHER.signer.pem]}, "made with another key than the trusted"),
    ],
)
def test_any_other_is_refused_before_anything_is_registered(change: dict[str, Any], says: str) -> None:
    artifact = sealed()
    own = {"signature": signature(artifact)} if "requireSignature" in change else {}

    refusal = refusal_of(**given(artifact, **own, **change))

    assert says in refusal and artifact.artifact_id in refusal and registered_kinds() == set()


def test_an_empty_list_of_signers_does_not_mean_that_nothing_is_required() -> None:
    artifact = sealed()

    refusal = refusal_of(**given(artifact, requireSignature=[], signature=signature(artifact)))

    assert "requireSignature" in refusal and "at least one" in refusal and registered_kinds() == set()


def test_a_private_key_among_the_signers_is_not_quoted() -> None:
    refusal = refusal_of(**given(sealed(), requireSignature=[KEY.pem]))

    assert "requireSignature[0] is not usable: this is a private key" in refusal and KEY.pem[40:80] not in refusal
