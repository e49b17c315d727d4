"""An artifact is signed on `up`, again with another key, and the signing key is nowhere but in the secret inputs."""

import asyncio
from pathlib import Path
from typing import cast

import pytest

from components.plugin.artifact_signature import ArtifactSignatureResource
from sealift.provider import (
    UNKNOWN,
    CheckRequest,
    CreateRequest,
    DiffRequest,
    PluginError,
    Properties,
    ReadRequest,
    ResourceLog,
    Secret,
    UpdateRequest,
    Value,
    reveal_all,
)
from sealift.sealing import PinMismatch, SealedArtifact, seal
from sealift.signing import SigningKey, verify
from sealift.stores import (
    PAYLOADS,
    SIGNATURES,
    ArtifactDamaged,
    ArtifactErased,
    Store,
    erase_artifact,
    get_signature,
    open_store,
    put_artifact,
)
from tests.keys import key_pair
from tests.unit.components.plugin.test_api_key import Log

URN = "urn:pulumi:dev::project::sealift:index:ArtifactSignature::signature"
KEY, OTHER = SigningKey.generate(), SigningKey.generate()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path}/store")


@pytest.fixture
def artifact(store: Store) -> SealedArtifact:
    sealed = seal(b"model", {}, [key_pair().recipient])
    put_artifact(store, sealed.artifact_id, sealed.payload, sealed.manifest)
    return sealed


def given(store: Store, artifact: SealedArtifact, **changed: Value) -> Properties:
    return {
        "storeUrl": f"file://{store.location}", "artifactId": artifact.artifact_id,
        "payloadDigest": artifact.payload_digest, "signingKey": KEY.pem, **changed,
    }  # fmt: skip


def create(inputs: Properties, *, preview: bool = False) -> Properties:
    checked = asyncio.run(ArtifactSignatureResource().check(CheckRequest(URN, {}, inputs)))
    assert checked.failures == []
    log = cast(ResourceLog, Log())
    request = CreateRequest(urn=URN, log=log, preview=preview, cancelled=asyncio.Event(), inputs=checked.inputs)
    return asyncio.run(ArtifactSignatureResource().create(request)).state


def read(state: Properties) -> Properties | None:
    log = cast(ResourceLog, Log())
    request = ReadRequest(urn=URN, id="signature-1", log=log, cancelled=asyncio.Event(), inputs={}, state=state)
    answer = asyncio.run(ArtifactSignatureResource().read(request))
    return None if answer is None else answer.state


def test_an_artifact_is_signed_in_its_store_and_the_key_is_not_in_the_state(
    store: Store, artifact: SealedArtifact
) -> None:
    state = create(given(store, artifact))

    stored = get_signature(store, artifact.artifact_id)
    assert stored is not None and state["signature"] == stored.decode()
    statement, signer = verify(stored, [KEY.signer])
    assert statement.artifact is not None and statement.artifact.payload_digest == artifact.payload_digest
    assert (state["publicKey"], state["keyId"]) == (signer.pem, signer.key_id)
    assert "signingKey" not in state and KEY.pem not in str(reveal_all(state))


def test_a_preview_signs_nothing_and_knows_the_signer(store: Store, artifact: SealedArtifact) -> None:
    state = create(given(store, artifact, artifactId=UNKNOWN, payloadDigest=UNKNOWN), preview=True)

    assert (state["signature"], state["keyId"]) == (UNKNOWN, KEY.signer.key_id)
    assert create(given(store, artifact, signingKey=UNKNOWN), preview=True)["keyId"] is UNKNOWN
    assert store.names(SIGNATURES) == []


def test_the_key_is_hidden_even_if_the_program_does_not_hide_it(store: Store, artifact: SealedArtifact) -> None:
    checked = asyncio.run(ArtifactSignatureResource().check(CheckRequest(URN, {}, given(store, artifact))))

    assert checked.inputs["signingKey"] == Secret(KEY.pem)


@pytest.mark.parametrize("key", ["secret words", KEY.signer.pem, key_pair().pem, ""])
def test_a_wrong_key_is_refused_and_not_quoted(store: Store, artifact: SealedArtifact, key: str) -> None:
    request = CheckRequest(URN, {}, given(store, artifact, signingKey=key))
    (failure,) = asyncio.run(ArtifactSignatureResource().check(request)).failures

    assert failure.property == "signingKey" and "is not usable: " in str(failure)
    assert "secret words" not in str(failure) and "PRIVATE KEY-----\nMI" not in str(failure)


def test_another_key_signs_again_and_another_artifact_is_another_resource(
    store: Store, artifact: SealedArtifact
) -> None:
    resource, inputs = ArtifactSignatureResource(), given(store, artifact)
    rotated = given(store, artifact, signingKey=OTHER.pem)
    assert resource.diff(DiffRequest(inputs, rotated)).replaces == []
    assert resource.diff(DiffRequest(inputs, {**inputs, "artifactId": "ab" * 16})).replaces == ["artifactId"]
    assert not resource.diff(DiffRequest(inputs, inputs)).detailed_diff
    state = create(inputs)

    request = UpdateRequest(
        urn=URN, log=cast(ResourceLog, Log()), cancelled=asyncio.Event(), old_inputs=inputs, state=state,
        new_inputs=rotated,
    )  # fmt: skip
    updated = asyncio.run(resource.update(request)).state

    assert updated["keyId"] == OTHER.signer.key_id
    verify(str(updated["signature"]).encode(), [OTHER.signer])
    assert get_signature(store, artifact.artifact_id) == str(updated["signature"]).encode()


def test_another_spelling_of_the_store_s_url_signs_nothing_again(store: Store, artifact: SealedArtifact) -> None:
    inputs = given(store, artifact)
    spelt = {**inputs, "storeUrl": f"file://{store.location}/../store/"}

    assert not ArtifactSignatureResource().diff(DiffRequest(inputs, spelt)).detailed_diff
    other = ArtifactSignatureResource().diff(DiffRequest(inputs, {**spelt, "storeUrl": f"file://{store.location}2"}))
    assert other.replaces == ["storeUrl"]


def test_a_damaged_another_and_an_erased_artifact_are_not_signed(
    store: Store, artifact: SealedArtifact, tmp_path: Path
) -> None:
    with pytest.raises(PinMismatch, match="expected payload digest"):
        create(given(store, artifact, payloadDigest="ab" * 32))
    (tmp_path / "store" / PAYLOADS / artifact.artifact_id).write_bytes(bytes(artifact.payload) + b"x")
    with pytest.raises(ArtifactDamaged, match="differs from what was sealed"):
        create(given(store, artifact))
    erase_artifact(store, artifact.artifact_id, "request 17")
    with pytest.raises(ArtifactErased):
        create(given(store, artifact))
    assert store.names(SIGNATURES) == []


def test_a_refresh_finds_a_signature_that_is_gone_or_another(store: Store, artifact: SealedArtifact) -> None:
    state = create(given(store, artifact))
    assert read(state) == state

    create(given(store, artifact, signingKey=OTHER.pem))
    assert read(state) is None
    store.delete(SIGNATURES, artifact.artifact_id)
    assert read(state) is None
    with pytest.raises(PluginError, match="cannot be imported"):
        read({})
