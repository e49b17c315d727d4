"""`TrainingRun`: the program's side of the resource that trains and seals (components/plugin/training_run.py)."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.args import TrainingRunArgs
from components.settings.run import SECRET_INPUTS
from sealift.names import snake_case


class TrainingRun(pulumi.CustomResource):
    """One run of gradient descent, sealed into a store. Unchanged inputs train nothing; a preview never trains."""

    run_id: pulumi.Output[str]
    """Keyed identity of the run: all that shapes the artifact, and nothing that would confirm a thief's guess."""
    artifact_id: pulumi.Output[str]
    """The sealed artifact's id, 32 hex digits."""
    payload_digest: pulumi.Output[str]
    """Digest of the sealed payload, 64 hex digits (docs/format-v1.md)."""
    payload_size: pulumi.Output[int]
    """Size of the sealed payload in bytes."""
    manifest: pulumi.Output[str]
    """The artifact's manifest: canonical JSON, with all that tells which model it is encrypted."""
    content_id: pulumi.Output[str]
    """Keyed digest of the plain model: equal for bit-for-bit equal models sealed into one store."""
    metrics: pulumi.Output[Mapping[str, float]]
    """Metrics on held-out rows. Secret unless `expose_metrics`."""
    example: pulumi.Output[Mapping[str, Any]]
    """One held-out row, the model's answer to it, and the body of a request that asks the service for it:
    {"inputs": [[…]], "expected": [[…]], "request": {…}}. Secret."""
    epochs_run: pulumi.Output[int]
    """Epochs done when training stopped."""
    stop_reason: pulumi.Output[str]
    """Why training stopped."""
    duration_seconds: pulumi.Output[float]
    """Wall-clock time of the training process."""
    model_bytes: pulumi.Output[int]
    """Size of the plain ONNX file."""
    rows: pulumi.Output[int]
    """Rows of the whole data set."""
    report_artifact_id: pulumi.Output[str]
    """The report, sealed beside the model: `python -m training report` shows it."""
    report_payload_digest: pulumi.Output[str]
    """Digest of the report's sealed payload."""
    report_manifest: pulumi.Output[str]
    """The report's manifest."""
    epsilon: pulumi.Output[float | None]
    """What differentially private training spent, with `delta`; none without `privacy`."""
    delta: pulumi.Output[float | None]
    """The probability with which that bound may not hold."""
    energy_joules: pulumi.Output[float]
    """Of the training process; `energy_source` says whether it was measured or estimated."""
    energy_source: pulumi.Output[str]
    """How the energy was come by."""

    def __init__(self, resource_name: str, args: TrainingRunArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """What is wrong with `args` is told by the plugin's check. Objects among them are dicts."""
        given: Mapping[str, Any] = dict(args)
        hidden = {name: pulumi.Output.secret(given[name]) for name in SECRET_INPUTS if given.get(name) is not None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["example", "privateKey", "openingKeys"])
        super().__init__(
            "sealift:index:TrainingRun",
            resource_name,
            {**dict.fromkeys(TrainingRun.__annotations__), **given, **hidden},
            pulumi.ResourceOptions.merge(secret, opts),
        )

    def translate_input_property(self, prop: str) -> str:
        """As it is: `args` are camelCase already, and names inside them are the user's."""
        return prop

    def translate_output_property(self, prop: str) -> str:
        """Back again; names inside an output, such as a metric's, are data and stay."""
        name = snake_case(prop)
        return name if name in self.__annotations__ else prop
