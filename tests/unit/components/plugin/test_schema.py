"""The custom resources' inputs, outputs and secret flags: a change here is a change for every user's state."""

import asyncio
from typing import cast

from components.plugin.engine_log import ResourceLog
from components.plugin.resource import Check, Operation
from components.plugin.sealing_key import SealingKey
from components.plugin.training_run import INPUTS, OUTPUTS, TrainingRun, _with_secrets
from components.plugin.values import UNKNOWN, Properties, Secret


def test_the_training_run_s_inputs_and_outputs_are_these() -> None:
    assert sorted(INPUTS) == [
        "augment", "batchSize", "checkpointSeconds", "compress", "compute", "data", "dataset", "deterministic",
        "device", "earlyStopping", "epochs", "exposeMetrics", "folds", "freeze", "gates", "gradientClip", "initFrom",
        "learningRate", "loss", "masking", "model", "modelArguments", "modelCard", "momentum", "nesterov", "precision",
        "privacy", "privateKey", "quality", "recipients", "retention", "retrainTrigger", "schedule", "search", "seed",
        "source", "stopLoss", "storeKey", "storeUrl", "threads", "timeoutSeconds", "weightDecay",
    ]  # fmt: skip
    assert sorted(OUTPUTS) == [
        "artifactId", "contentId", "delta", "durationSeconds", "energyJoules", "energySource", "epochsRun", "epsilon",
        "example", "manifest", "metrics", "modelBytes", "payloadDigest", "payloadSize", "reportArtifactId",
        "reportManifest", "reportPayloadDigest", "runId", "stopReason",
    ]  # fmt: skip


def test_metrics_and_the_example_row_are_secret_unless_the_stack_exposes_the_metrics() -> None:
    outputs: Properties = {"metrics": {"mse": 1.0}, "example": {}, "artifactId": "ab"}

    hidden, shown = _with_secrets(outputs, {"exposeMetrics": False}), _with_secrets(outputs, {"exposeMetrics": True})

    assert isinstance(hidden["metrics"], Secret)
    assert isinstance(hidden["example"], Secret)
    assert shown["metrics"] == {"mse": 1.0}
    assert isinstance(shown["example"], Secret)


def test_check_keeps_the_store_key_secret_even_when_a_program_forgot_to() -> None:
    checked = asyncio.run(TrainingRun().check(Check("key"), {}, {"storeKey": "AAAA"}))

    assert isinstance(checked.inputs["storeKey"], Secret)


class SilentLog:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def status(self, message: str) -> None:
        self.lines.append(message)

    async def say(self, severity: str, message: str) -> None:
        self.lines.append(message)


URN = "urn:pulumi:dev::project::sealift:index:SealingKey::key"


def operation(*, preview: bool) -> Operation:
    log = cast(ResourceLog, SilentLog())
    return Operation(URN, "", log, preview=preview, timeout_seconds=0, cancelled=asyncio.Event())


def test_a_sealing_key_s_private_key_and_store_key_are_secret() -> None:
    resource = SealingKey()
    inputs = asyncio.run(resource.check(Check("key"), {}, {})).inputs

    outputs = asyncio.run(resource.create(operation(preview=False), inputs)).outputs

    assert {name for name, value in outputs.items() if isinstance(value, Secret)} == {"privateKey", "storeKey"}
    assert str(outputs["publicKey"]).startswith("-----BEGIN PUBLIC KEY-----")


def test_a_sealing_key_is_unknown_in_a_preview() -> None:
    created = asyncio.run(SealingKey().create(operation(preview=True), {"algorithm": "RSA-4096", "rotation": ""}))

    assert created.id == ""
    assert created.outputs["privateKey"] is UNKNOWN


def test_a_changed_rotation_replaces_the_key() -> None:
    difference = SealingKey().diff(
        {"algorithm": "RSA-4096", "rotation": ""}, {"algorithm": "RSA-4096", "rotation": "2027"}
    )

    assert difference.replaces == ["rotation"]


def test_another_algorithm_is_refused_with_the_one_there_is() -> None:
    checked = asyncio.run(SealingKey().check(Check("key"), {}, {"algorithm": "RSA-1024"}))

    assert [(failure.property, "RSA-4096" in failure.reason) for failure in checked.failures] == [("algorithm", True)]
