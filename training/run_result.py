"""What a run tells at its end, declared once: for the run, its result event, the resource that asked for it, and the
class and the schema that programs use (`make docs`). Standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sealift.contents.codec import decode_fields, encode
from sealift.names import camel_case


@dataclass(frozen=True, kw_only=True)
class RunOutputs:
    """What the resource keeps of a run's result. A docstring that ends in "Secret." makes the output a secret."""

    artifact_id: str
    """The sealed artifact's id, 32 hex digits."""
    payload_digest: str
    """Digest of the sealed payload, 64 hex digits (docs/format-v1.md)."""
    payload_size: int
    """Size of the sealed payload in bytes."""
    manifest: str
    """The artifact's manifest: canonical JSON, with all that tells which model it is encrypted."""
    metrics: Mapping[str, float]
    """Metrics on held-out rows. Secret unless `expose_metrics`."""
    example: Mapping[str, object]
    """One held-out row, the model's answer to it, and the body of a request that asks the service for it:
    {"inputs": [[…]], "expected": [[…]], "request": {…}}. Secret."""
    epochs_run: int
    """Epochs done when training stopped."""
    stop_reason: str
    """Why training stopped."""
    duration_seconds: float
    """Wall-clock time of the training process."""
    model_bytes: int
    """Size of the plain ONNX file."""
    rows: int
    """Rows of the whole data set."""
    report_artifact_id: str
    """The report, sealed beside the model: `python -m training report` shows it."""
    report_payload_digest: str
    """Digest of the report's sealed payload."""
    report_manifest: str
    """The report's manifest."""
    epsilon: float | None = None
    """What differentially private training spent, with `delta`; none without `privacy`."""
    delta: float | None = None
    """The probability with which that bound may not hold."""
    energy_joules: float
    """Of the training process; `energy_source` says whether it was measured or estimated."""
    energy_source: str
    """How the energy was come by."""


@dataclass(frozen=True, kw_only=True)
class RunResult(RunOutputs):
    """All of it."""

    content_digest: str
    """SHA-256 of the plain model, in hex: for one who has the store's key to make an id of it."""
    noise_multiplier: float | None = None
    """What differentially private training added, as a multiple of the gradients' bound."""
    reused: bool
    """Whether the model was sealed already."""
    lost: tuple[str, ...] = ()
    """Ids of what is left of an earlier artifact of this run that was damaged and has owners."""


OUTPUT_NAMES: Final = tuple(camel_case(one.name) for one in fields(RunOutputs))


def write_result(result: RunResult) -> dict[str, Any]:
    """JSON values by the fields' own names; what is None is left out."""
    return {name: encode(value) for name, value in vars(result).items() if value is not None}


def read_result(values: Mapping[str, object]) -> RunResult:
    """The result that `write_result` wrote. Raises ContentsError, which names the place."""
    return decode_fields(RunResult, values, "result")


def outputs_of(result: RunResult) -> dict[str, Any]:
    """The resource's outputs by their names in camelCase, None included."""
    values = vars(result)
    return {camel_case(one.name): encode(values[one.name]) for one in fields(RunOutputs)}
