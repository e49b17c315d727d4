"""A TrainingRun's outputs: from the declaration of a run's result (training/run_result.py), by `make docs`."""

from collections.abc import Mapping

import pulumi


class TrainingRunOutputs:
    """What a run told at its end."""

    artifact_id: pulumi.Output[str]
    """The sealed artifact's id, 32 hex digits."""
    payload_digest: pulumi.Output[str]
    """Digest of the sealed payload, 64 hex digits (docs/format-v1.md)."""
    payload_size: pulumi.Output[int]
    """Size of the sealed payload in bytes."""
    manifest: pulumi.Output[str]
    """The artifact's manifest: canonical JSON, with all that tells which model it is encrypted."""
    metrics: pulumi.Output[Mapping[str, float]]
    """Metrics on held-out rows. Secret unless `expose_metrics`."""
    example: pulumi.Output[Mapping[str, object]]
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
