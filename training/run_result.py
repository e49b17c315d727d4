"""The result of a run, declared once: for the run, its result event, the resource that asked for it, and the class and
the schema that programs use (`make docs`). Standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sealift.contents.codec import decode_fields, encode
from sealift.names import camel_case


@dataclass(frozen=True, kw_only=True)
class RunOutputs:
    """Part of a run's result that the resource keeps. A docstring that ends in "Secret." makes the output a secret."""

    artifact_id: str
    """Id of the sealed artifact, 32 hex digits."""
    payload_digest: str
    """Digest of the sealed payload, 64 hex digits (docs/reference/format-v1.md)."""
    payload_size: int
    """Size of the sealed payload in bytes."""
    manifest: str
    """Manifest of the artifact: canonical JSON. Everything that identifies the model is encrypted in it."""
    metrics: Mapping[str, float]
    """Metrics of the held-out rows, by name. Secret unless `exposeMetrics` is true."""
    example: Mapping[str, object]
    """Example of a prediction: one held-out row, the model's answer, and the body of the request for it:
    {"inputs": [[…]], "expected": [[…]], "request": {…}}. Secret."""
    epochs_run: int
    """Number of epochs done when training ended."""
    stop_reason: str
    """Reason why training ended, such as early stopping."""
    duration_seconds: float
    """Wall-clock time of the training process, in seconds."""
    model_bytes: int
    """Size of the plain ONNX file in bytes."""
    rows: int
    """Number of rows of the whole data set."""
    report_artifact_id: str
    """Id of the report's artifact, sealed beside the model. `python -m training report` shows it."""
    report_payload_digest: str
    """Digest of the report's sealed payload, 64 hex digits."""
    report_manifest: str
    """Manifest of the report's artifact: canonical JSON."""
    epsilon: float | None = None
    """Privacy budget that training spent, together with `delta`. Not set without `privacy`."""
    delta: float | None = None
    """Probability that the privacy budget `epsilon` does not hold. Not set without `privacy`."""
    energy_joules: float
    """Energy that the training process used, in joules. `energySource` says whether it was measured or estimated."""
    energy_source: str
    """Source of the energy value: how it was measured or estimated."""


@dataclass(frozen=True, kw_only=True)
class RunResult(RunOutputs):
    """The whole result of a run."""

    content_digest: str
    """SHA-256 of the plain model, in hex. The owner of the store's key makes an id from it."""
    noise_multiplier: float | None = None
    """Noise that differentially private training added, as a multiple of the gradients' bound."""
    reused: bool
    """Whether the model had already been sealed."""
    lost: tuple[str, ...] = ()
    """Ids of the remains of an earlier artifact of this run that was damaged and still has owners."""


OUTPUT_NAMES: Final = tuple(camel_case(one.name) for one in fields(RunOutputs))


def write_result(result: RunResult) -> dict[str, Any]:
    """Returns JSON values by the fields' own names, without those that are None."""
    return {name: encode(value) for name, value in vars(result).items() if value is not None}


def read_result(values: Mapping[str, object]) -> RunResult:
    """Returns the result that `write_result` wrote. Raises ContentsError, which names the place."""
    return decode_fields(RunResult, values, "result")


def outputs_of(result: RunResult) -> dict[str, Any]:
    """Returns the resource's outputs by their names in camelCase, None included."""
    values = vars(result)
    return {camel_case(one.name): encode(values[one.name]) for one in fields(RunOutputs)}
