"""A TrainingRun's outputs: from the declaration of a run's result (training/run_result.py), by `make docs`."""

from collections.abc import Mapping

import pulumi


class TrainingRunOutputs:
    """What a run told at its end."""

    artifact_id: pulumi.Output[str]
    """Id of the sealed artifact, 32 hex digits."""
    payload_digest: pulumi.Output[str]
    """Digest of the sealed payload, 64 hex digits (docs/format-v1.md)."""
    payload_size: pulumi.Output[int]
    """Size of the sealed payload in bytes."""
    manifest: pulumi.Output[str]
    """Manifest of the artifact: canonical JSON. Everything that identifies the model is encrypted in it."""
    metrics: pulumi.Output[Mapping[str, float]]
    """Metrics of the held-out rows, by name. Secret unless `expose_metrics` is true."""
    example: pulumi.Output[Mapping[str, object]]
    """Example of a prediction: one held-out row, the model's answer, and the body of the request for it:
    {"inputs": [[…]], "expected": [[…]], "request": {…}}. Secret."""
    epochs_run: pulumi.Output[int]
    """Number of epochs done when training ended."""
    stop_reason: pulumi.Output[str]
    """Reason why training ended, such as early stopping."""
    duration_seconds: pulumi.Output[float]
    """Wall-clock time of the training process, in seconds."""
    model_bytes: pulumi.Output[int]
    """Size of the plain ONNX file in bytes."""
    rows: pulumi.Output[int]
    """Number of rows of the whole data set."""
    report_artifact_id: pulumi.Output[str]
    """Id of the report's artifact, sealed beside the model. `python -m training report` shows it."""
    report_payload_digest: pulumi.Output[str]
    """Digest of the report's sealed payload, 64 hex digits."""
    report_manifest: pulumi.Output[str]
    """Manifest of the report's artifact: canonical JSON."""
    epsilon: pulumi.Output[float | None]
    """Privacy budget that training spent, together with `delta`. Not set without `privacy`."""
    delta: pulumi.Output[float | None]
    """Probability that the privacy budget `epsilon` does not hold. Not set without `privacy`."""
    energy_joules: pulumi.Output[float]
    """Energy that the training process used, in joules. `energy_source` says whether it was measured or estimated."""
    energy_source: pulumi.Output[str]
    """Source of the energy value: how it was measured or estimated."""
