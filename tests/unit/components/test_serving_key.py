"""A server gets the private key or, with a key in a KMS (a real OpenBao), its artifact's data key and no more."""

from typing import Any

import pulumi
import pytest

from sealift.sealing import SealedArtifact, data_key_text, parse_identity, parse_recipient, seal, under_key, unwrap
from sealift.sealing.kms.parse import open_key
from tests.keys import key_pair
from tests.openbao import OpenBao
from tests.unit.components.test_model_container import files, serve
from tests.unit.components.test_model_deployment import SECRET_MARK, SECRETS, deploy, event_loop, refusal_of, unknown

__all__ = ["event_loop"]


def sealed_in(bao: OpenBao) -> tuple[SealedArtifact, str]:
    """An artifact, also sealed to a key pair that can tell its data key, and the address of the key in the KMS."""
    public_key = open_key(f"hashivault://{bao.make_key()}").public_key()
    return seal(b"model", {}, [parse_recipient(public_key.pem), key_pair().recipient]), public_key.address


def given(artifact: SealedArtifact, private_key: object) -> dict[str, Any]:
    return {
        "manifest": artifact.manifest.decode(), "privateKey": private_key,
        "artifactId": artifact.artifact_id, "payloadDigest": artifact.payload_digest,
    }  # fmt: skip


@pytest.mark.parametrize("as_output", [False, True])
def test_pods_get_the_artifact_s_data_key_as_a_secret(bao: OpenBao, as_output: bool) -> None:
    artifact, address = sealed_in(bao)

    objects = deploy(**given(artifact, pulumi.Output.from_input(address) if as_output else address)).objects

    told = data_key_text(unwrap(artifact.manifest, [key_pair()]))
    assert told in repr(objects["Secret"]) and SECRET_MARK in repr(objects["Secret"])
    assert address not in repr(objects)
    assert not any(told in repr(inputs) for kind, inputs in objects.items() if kind != "Secret")
    assert {kind for kind, inputs in objects.items() if SECRET_MARK in repr(inputs)} <= {*SECRETS}


def test_a_container_gets_the_artifact_s_data_key(bao: OpenBao) -> None:
    artifact, address = sealed_in(bao)

    container = serve(**given(artifact, address))["Container"]

    told = data_key_text(unwrap(artifact.manifest, [key_pair()]))
    assert files(container)["/etc/sealift/key/private.pem"] == told


def test_a_run_s_data_key_is_handed_on_and_no_kms_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    artifact = seal(b"model", {}, [key_pair().recipient])
    data_key = data_key_text(unwrap(artifact.manifest, [key_pair()]))

    objects = deploy(**given(artifact, pulumi.Output.from_input(data_key))).objects
    assert data_key in repr(objects["Secret"])
    assert files(serve(**given(artifact, data_key))["Container"])["/etc/sealift/key/private.pem"] == data_key


def test_of_an_artifact_with_a_key_of_its_own_a_server_gets_the_data_key_or_nothing(bao: OpenBao) -> None:
    public_key = open_key(f"hashivault://{bao.make_key()}").public_key()
    artifact = seal(b"model", {}, under_key([parse_recipient(public_key.pem)], bytes(32)))
    told = data_key_text(unwrap(artifact.manifest, [parse_identity(public_key.address)], bytes(32)))

    assert told in repr(deploy(**given(artifact, told)).objects["Secret"])
    assert "has a key-encryption key of its own" in refusal_of(**given(artifact, public_key.address))


def test_a_key_that_does_not_open_the_artifact_is_a_message(bao: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact, _ = sealed_in(bao)
    other = f"hashivault://{bao.make_key()}"

    assert "no given private key belongs to a recipient" in refusal_of(**given(artifact, other))
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    refusal = refusal_of(**given(artifact, other))
    assert 'ModelDeployment "model" cannot be created' in refusal and "cannot be reached" in refusal
    assert "VAULT_ADDR" in refusal and bao.root_token not in refusal


def test_a_preview_that_does_not_know_the_artifact_asks_no_kms(bao: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    artifact, address = seal(b"model", {}, [key_pair().recipient]), "hashivault://missing"

    objects = deploy(**given(artifact, address) | {"manifest": unknown()}).objects

    assert "Deployment" in objects and address not in repr(objects)
