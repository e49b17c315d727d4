"""What the training process is given: its own run's key, and nothing that opens anything older."""

import asyncio
import base64
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from bootstrap.steps.object_store import BUCKET
from components.plugin.training_run import TrainingRunResource
from sealift.own_keys import unwrap_with
from sealift.provider import CheckRequest, CreateRequest, PluginError, Properties, ResourceLog, Secret
from sealift.sealing import (
    ArtifactCorrupt,
    RsaIdentity,
    open_record,
    record_key,
    seal,
    seal_into,
    seal_record,
    under_key,
)
from sealift.stores import KeysUnusable, create_artifact, get_key, open_store, put_artifact
from tests.keys import key_pair
from tests.object_store import running
from tests.unit.components.plugin.fake_launcher import FakeLauncher
from training.options import InitFrom
from training.request import RunRequest, write_request

STORE_KEY = b"0123456789abcdef0123456789abcdef"
OLDER = "cd" * 32
URN = "urn:pulumi:dev::p::t::run"


class SilentLog:
    async def status(self, message: str) -> None: ...

    async def say(self, severity: str, message: str) -> None: ...


def asked(inputs: Properties) -> RunRequest:
    """The request that create would send."""
    launcher = FakeLauncher()
    resource = TrainingRunResource(launcher)
    checked = asyncio.run(resource.check(CheckRequest(URN, {}, inputs)))
    assert checked.failures == []
    log = cast(ResourceLog, SilentLog())
    request = CreateRequest(urn=URN, log=log, cancelled=asyncio.Event(), inputs=checked.inputs)
    with pytest.raises(PluginError, match="not trained here"):
        asyncio.run(resource.create(request))
    (submission,) = launcher.submissions
    assert submission.code_folder == Path.cwd()
    return submission.request


@pytest.fixture(scope="module")
def key() -> RsaIdentity:
    return key_pair()


def given(store: Path, key: RsaIdentity, **inputs: Any) -> Properties:
    return {
        "storeUrl": f"file://{store}",
        "storeKey": Secret(base64.b64encode(STORE_KEY).decode()),
        "recipients": [key.recipient.pem],
        **inputs,
    }


def keys_in(request: RunRequest) -> list[bytes]:
    return [key for key in (request.run_key, request.mask_key, request.init_key) if key]


def test_a_training_machine_opens_no_record_but_its_own(tmp_path: Path, key: RsaIdentity) -> None:
    older = seal_record(record_key(STORE_KEY, OLDER), OLDER, b"metrics and a row of data")

    request = asked(given(tmp_path, key, masking={"sex": {"method": "hash"}}))

    keys = keys_in(request)
    assert len(keys) == 2, "the record's and the masks'"
    assert base64.b64encode(STORE_KEY).decode() not in write_request(request).decode()
    for own in keys:
        with pytest.raises(ArtifactCorrupt):
            open_record(own, OLDER, older)


def test_a_run_without_hashed_masks_gets_no_key_for_them(tmp_path: Path, key: RsaIdentity) -> None:
    assert len(keys_in(asked(given(tmp_path, key)))) == 1


def test_a_run_that_starts_from_an_artifact_gets_that_one_s_data_key_and_not_the_private_key(
    tmp_path: Path, key: RsaIdentity
) -> None:
    artifact = seal(b"model", {}, [key.recipient])
    store = open_store(f"file://{tmp_path}")
    put_artifact(store, artifact.artifact_id, artifact.payload, artifact.manifest)
    init = {"artifactId": artifact.artifact_id, "payloadDigest": artifact.payload_digest}

    request = asked(given(tmp_path, key, initFrom=init, privateKey=Secret(key.pem)))

    assert request.init_key is not None
    assert "PRIVATE KEY" not in write_request(request).decode()


def test_a_run_that_starts_from_an_artifact_with_a_key_of_its_own_gets_its_data_key_alone(
    tmp_path: Path, key: RsaIdentity
) -> None:
    urls = [f"file://{tmp_path / name}" for name in ("store", "keys")]
    store, pinned = open_store(*urls), "ab" * 16
    artifact = create_artifact(
        store, pinned, lambda write, kek: seal_into(write, b"model", {}, under_key([key.recipient], kek), pinned)
    )
    init = {"artifactId": artifact.artifact_id, "payloadDigest": artifact.payload_digest}
    inputs = {"initFrom": init, "privateKey": Secret(key.pem), "storeUrl": urls[0]}

    request = asked(given(tmp_path, key, keysUrl=urls[1], **inputs))

    assert request.keys_url == urls[1]
    assert request.init_key == unwrap_with(artifact.manifest, [key], store.keys)
    assert get_key(store.keys, pinned) not in write_request(request)
    with pytest.raises(KeysUnusable, match="the store of keys is not given"):
        asked(given(tmp_path, key, **inputs))


def test_the_store_of_keys_is_another_place_and_keeps_no_versions(
    tmp_path: Path, key: RsaIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal_of(keys_url: str) -> str:
        checked = asyncio.run(
            TrainingRunResource().check(CheckRequest(URN, {}, given(tmp_path, key, keysUrl=keys_url)))
        )
        (failure,) = checked.failures
        assert failure.property == "keysUrl"
        return failure.reason

    assert "in one another" in refusal_of(f"file://{tmp_path}/keys")
    assert "not a store's URL" in refusal_of("ftp://somewhere")
    (tmp_path / "versions").mkdir()
    with running(tmp_path, "--versioning-dir", str(tmp_path / "versions")) as server:
        for name, value in server.variables.items():
            monkeypatch.setenv(name, value)
        client = boto3.session.Session().client("s3", endpoint_url=server.endpoint)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        assert "its versioning is on" in refusal_of(f"{server.url}/keys")


def test_a_run_that_starts_from_a_file_needs_no_private_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: RsaIdentity
) -> None:
    (tmp_path / "first.safetensors").write_bytes(b"weights")
    monkeypatch.chdir(tmp_path)

    request = asked(given(tmp_path / "store", key, initFrom={"path": "first.safetensors"}))

    assert request.init_key is None
    assert request.job.init_from == InitFrom(path="first.safetensors")


def test_an_opening_key_is_read_when_it_is_new_and_refused_if_it_is_none(tmp_path: Path, key: RsaIdentity) -> None:
    inputs = given(tmp_path, key, openingKeys=Secret([key.pem, "none"]))
    old: Properties = {"openingKeys": Secret([key.pem])}

    for olds in ({}, old):
        checked = asyncio.run(TrainingRunResource().check(CheckRequest(URN, olds, inputs)))
        assert [failure.property for failure in checked.failures] == ["openingKeys[1]"]


@pytest.mark.parametrize(
    ("inputs", "path", "value"),
    [
        ({"dataset": "memory://none.csv", "data": {"target": "y"}}, "dataset", "memory://none.csv"),
        ({"initFrom": {"path": "memory://none.safetensors"}}, "initFrom.path", "memory://none.safetensors"),
        ({"source": "onnx", "model": "memory://none.onnx"}, "model", "memory://none.onnx"),
    ],
)
def test_a_url_that_cannot_be_read_is_told_under_the_property_that_names_it(
    tmp_path: Path, key: RsaIdentity, inputs: dict[str, Any], path: str, value: str
) -> None:
    checked = asyncio.run(TrainingRunResource().check(CheckRequest(URN, {}, given(tmp_path, key, **inputs))))

    assert [failure.property for failure in checked.failures] == [path]
    assert checked.failures[0].reason.startswith(f"is {value!r}; {value} cannot be read: ")
