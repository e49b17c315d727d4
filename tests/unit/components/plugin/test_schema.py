"""The custom resources' inputs, outputs and secret flags: a change here is a change for every user's state."""

import asyncio
import itertools
from typing import cast

import pytest

from components.plugin.sealing_key import SealingKeyResource
from components.plugin.training_run import OUTPUTS, TrainingRunResource, _with_secrets
from components.settings.run import TrainingRunInputs
from sealift.provider import (
    UNKNOWN,
    CheckRequest,
    CreateRequest,
    DiffRequest,
    Properties,
    ResourceLog,
    Secret,
    UpdateRequest,
    Value,
    reveal,
)
from sealift.sealing import RsaIdentity
from sealift.settings.read import names_of
from tests.keys import key_pair


@pytest.fixture
def made_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes key pairs hands out another shared one each time."""
    numbers = itertools.count()
    monkeypatch.setattr(RsaIdentity, "generate", staticmethod(lambda: key_pair(next(numbers))))


URN = "urn:pulumi:dev::project::sealift:index:SealingKey::key"


def test_the_training_run_s_inputs_and_outputs_are_these() -> None:
    assert sorted(names_of(TrainingRunInputs)) == [
        "accumulateSteps", "augment", "batchSize", "checkpointSeconds", "classWeights", "compress", "compute",
        "data", "dataset", "deterministic", "device", "earlyStopping", "epochs", "exposeMetrics", "folds",
        "freeze", "gates", "gradientClip", "initFrom", "keysUrl", "learningRate", "loss", "masking", "model",
        "modelArguments", "modelCard", "modelPath", "momentum", "nesterov", "openingKeys", "precision", "privacy",
        "privateKey", "quality", "recipients", "reseal", "retainCount", "retainDays", "retention", "retrainTrigger",
        "schedule", "search", "seed", "source", "stopLoss", "storeKey", "storeUrl", "threads",
        "timeoutSeconds", "weightDecay",
    ]  # fmt: skip
    assert sorted(OUTPUTS) == [
        "artifactId", "contentId", "dataKey", "delta", "durationSeconds", "energyJoules", "energySource", "epochsRun",
        "epsilon", "example", "manifest", "metrics", "modelBytes", "payloadDigest", "payloadSize", "reportArtifactId",
        "reportManifest", "reportPayloadDigest", "rows", "runId", "stopReason",
    ]  # fmt: skip


def test_metrics_and_the_example_row_are_secret_unless_the_stack_exposes_the_metrics() -> None:
    outputs: Properties = {"metrics": {"mse": 1.0}, "example": {}, "artifactId": "ab"}

    hidden, shown = _with_secrets(outputs, {"exposeMetrics": False}), _with_secrets(outputs, {"exposeMetrics": True})

    assert isinstance(hidden["metrics"], Secret)
    assert isinstance(hidden["example"], Secret)
    assert shown["metrics"] == {"mse": 1.0}
    assert isinstance(shown["example"], Secret)


def test_check_keeps_the_store_key_secret_even_when_a_program_forgot_to() -> None:
    checked = asyncio.run(TrainingRunResource().check(CheckRequest(URN, {}, {"storeKey": "AAAA"})))

    assert isinstance(checked.inputs["storeKey"], Secret)


class SilentLog:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def status(self, message: str) -> None:
        self.lines.append(message)

    async def say(self, severity: str, message: str) -> None:
        self.lines.append(message)


def create(inputs: Properties, *, preview: bool = False) -> CreateRequest:
    log = cast(ResourceLog, SilentLog())
    return CreateRequest(urn=URN, log=log, preview=preview, cancelled=asyncio.Event(), inputs=inputs)


def update(olds: Properties, state: Properties, news: Properties, *, preview: bool = False) -> UpdateRequest:
    log = cast(ResourceLog, SilentLog())
    return UpdateRequest(
        urn=URN, log=log, preview=preview, cancelled=asyncio.Event(), old_inputs=olds, state=state, new_inputs=news
    )


def test_a_preview_on_another_type_of_machine_says_that_the_model_would_be_trained_anew() -> None:
    old: Properties = {"processor": "GenuineIntel x86-64-v3", "epochs": 5}
    preview = update(old, {}, {**old, "processor": "AuthenticAMD x86-64-v3"}, preview=True)

    asyncio.run(TrainingRunResource().update(preview))

    said = "\n".join(cast(SilentLog, preview.log).lines)
    assert "because processor changed" in said
    assert "trained on GenuineIntel x86-64-v3, but this machine is AuthenticAMD x86-64-v3" in said
    assert "trains again here" in said


def test_a_sealing_key_s_private_key_and_store_key_are_secret() -> None:
    resource = SealingKeyResource()
    inputs = asyncio.run(resource.check(CheckRequest(URN, {}, {}))).inputs

    outputs = asyncio.run(resource.create(create(inputs))).state

    secret = {name for name, value in outputs.items() if isinstance(value, Secret)}
    assert secret == {"openingKeys", "privateKey", "storeKey"}
    assert str(outputs["publicKey"]).startswith("-----BEGIN PUBLIC KEY-----")


def test_a_sealing_key_is_unknown_in_a_preview() -> None:
    created = asyncio.run(SealingKeyResource().create(create({"algorithm": "RSA-4096", "rotation": ""}, preview=True)))

    assert created.id == ""
    assert created.state["privateKey"] is UNKNOWN


@pytest.mark.usefixtures("made_before")
def test_a_rotation_makes_a_new_pair_and_keeps_the_store_key_and_the_retired_keys() -> None:
    resource = SealingKeyResource()
    first_inputs: Properties = {"algorithm": "RSA-4096", "rotation": ""}
    first = asyncio.run(resource.create(create(first_inputs))).state
    inputs = first_inputs | {"rotation": "2027"}

    assert resource.diff(DiffRequest(first_inputs, inputs)).replaces == []
    preview = asyncio.run(resource.update(update(first_inputs, first, inputs, preview=True))).state
    second = asyncio.run(resource.update(update(first_inputs, first, inputs))).state

    assert preview["storeKey"] == second["storeKey"] == first["storeKey"]
    assert preview["publicKey"] is UNKNOWN
    assert second["keyId"] != first["keyId"]
    assert reveal(second["openingKeys"]) == [reveal(second["privateKey"]), reveal(first["privateKey"])]


@pytest.mark.usefixtures("made_before")
def test_a_key_of_a_state_without_opening_keys_gets_them() -> None:
    resource, inputs = SealingKeyResource(), {"algorithm": "RSA-4096", "rotation": ""}
    state = asyncio.run(resource.create(create({**inputs}))).state
    old = {name: value for name, value in state.items() if name != "openingKeys"}

    news: Properties = {**inputs, "storeUrl": "file:///srv/sealift"}
    updated = asyncio.run(resource.update(update({**inputs}, old, news))).state

    assert updated["openingKeys"] == state["openingKeys"]
    assert updated["keyId"] == state["keyId"]


def test_another_algorithm_is_refused_with_the_one_there_is() -> None:
    checked = asyncio.run(SealingKeyResource().check(CheckRequest(URN, {}, {"algorithm": "RSA-1024"})))

    assert [(failure.property, "RSA-4096" in failure.reason) for failure in checked.failures] == [("algorithm", True)]


def test_a_secret_where_plain_text_belongs_is_named_and_not_shown() -> None:
    given: Properties = {"storeUrl": Secret("gs://hush-hush"), "data": {"target": Secret("diagnosis")}, "epochs": 0}

    failures = asyncio.run(TrainingRunResource().check(CheckRequest(URN, {}, given))).failures

    said = {failure.property: failure.reason for failure in failures}
    assert said.keys() >= {"storeUrl", "data", "epochs"}
    assert "is a secret" in said["storeUrl"] and "is a secret" in said["data"]
    assert not any("hush-hush" in reason or "diagnosis" in reason for reason in said.values())


@pytest.mark.parametrize("value", ["x", 3.5, True, [], ["x"], {}, {"x": 1.0}], ids=repr)
def test_no_value_of_any_input_is_more_than_a_message(value: Value) -> None:
    given: Properties = dict.fromkeys(names_of(TrainingRunInputs), value)

    failures = asyncio.run(TrainingRunResource().check(CheckRequest(URN, {}, given))).failures

    assert len({failure.property for failure in failures}) > 10


def test_a_secret_of_the_wrong_form_is_not_shown() -> None:
    given: Properties = {"openingKeys": Secret("hush"), "storeKey": Secret("hush"), "privateKey": Secret([1.0])}

    failures = asyncio.run(TrainingRunResource().check(CheckRequest(URN, {}, given))).failures

    said = {failure.property: failure.reason for failure in failures}
    assert said.keys() >= {"openingKeys", "storeKey", "privateKey"}
    assert not any("hush" in reason for reason in said.values())
