"""MODEL → a smaller or sparser MODEL, if it stays nearly as good: int8 with ONNX Runtime, or pruning by magnitude.

The model exists only in memory: files that ONNX Runtime's tools need are in TMPDIR, which is in memory too.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

from training.errors import ModelError
from training.options import METRICS, Compress
from training.recipe.export import clear_origins

CALIBRATION_BATCH: Final = 32
MULTIPLYING: Final = ("Conv", "Gemm", "MatMul")
"""Operators whose weights are matrices or kernels, not biases or scales."""
WEIGHTS: Final = quantization.QuantType.QUInt8
"""Weight type. Signed weights times unsigned activations overflow on processors without VNNI and make the model wrong
there (onnxruntime.ai/docs/performance/model-optimizations/quantization.html, "Data type selection").
"""

Measure = Callable[[bytes], Mapping[str, float]]
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class CompressedModel:
    """Result of a compression. `model` is the compressed one if it was accepted, otherwise the original."""

    model: bytes
    reason: str
    """The decision and its numbers, in one sentence."""
    bytes_before: int
    bytes_after: int
    metrics_before: Mapping[str, float]
    metrics_after: Mapping[str, float]
    objection: str
    """Reason against the compressed model, without metrics, which may be private. Empty if it was accepted."""

    @property
    def accepted(self) -> bool:
        """Whether the compressed model is used."""
        return not self.objection


def compress(content: bytes, wanted: Compress, calibration: Array, measure: Measure) -> CompressedModel:
    """Compresses a model. `calibration` has raw training rows (R, *S). `measure` returns a model's metrics on held-out
    rows. Raises ModelError.
    """
    before = measure(content)
    metric = wanted.metric or ("accuracy" if "accuracy" in before else "mae")
    if metric not in before:
        raise ModelError(
            f"compress.metric is {metric!r}, which is not available for these rows", f"allowed: {', '.join(before)}"
        )
    try:
        smaller = _METHODS[wanted.method](content, wanted, calibration)
        after = measure(smaller)
    except Exception as error:  # noqa: BLE001 - whatever ONNX Runtime cannot do with a model that is good as it is
        said = f"{wanted.method} is not possible for this model: {type(error).__name__}: {error}".splitlines()[0]
        objection = "ONNX Runtime cannot compress this model with it"
        return CompressedModel(content, said, len(content), len(content), before, before, objection)
    objection = _find_objection(wanted, metric, before[metric], after[metric], len(content), len(smaller))
    numbers = f"{metric} {before[metric]:.6g} → {after[metric]:.6g}, {len(content):,} → {len(smaller):,} bytes"
    return CompressedModel(
        content if objection else smaller, f"{f'undone, since {objection}' if objection else 'accepted'}: {numbers}",
        len(content), len(smaller), before, after, objection,
    )  # fmt: skip


def _find_objection(
    wanted: Compress, metric: str, before: float, after: float, bytes_before: int, bytes_after: int
) -> str:
    """Returns the reason against the compressed model, or "". The loss is relative to the metric before, or absolute
    if that was 0.
    """
    lost = (before - after) * (1 if METRICS[metric] == "up" else -1) / (abs(before) or 1.0)
    if not lost <= wanted.maximum_loss:
        return f"the metric got worse by more than {wanted.maximum_loss:.2%} (compress.maximumLoss)"
    if wanted.method != "prune" and bytes_after >= bytes_before:
        return "the model did not get smaller"
    return ""


def _quantise_dynamically(content: bytes, wanted: Compress, calibration: Array) -> bytes:
    """Stores weights as int8. Activations are quantised at run time (Jacob et al. 2018)."""
    return _quantise(content, lambda model, output: quantization.quantize_dynamic(model, output, weight_type=WEIGHTS))


def _quantise_statically(content: bytes, wanted: Compress, calibration: Array) -> bytes:
    """Stores weights and activations as int8, with ranges taken from the calibration rows."""

    def quantise(model: onnx.ModelProto, output: Path) -> None:
        rows = CalibrationRows(model.graph.input[0].name, calibration)
        quantization.quantize_static(
            model, output, rows, activation_type=quantization.QuantType.QUInt8, weight_type=WEIGHTS
        )

    return _quantise(content, quantise)


def _prune(content: bytes, wanted: Compress, calibration: Array) -> bytes:
    """Sets the smallest weights of every matrix and kernel to 0 (Han et al. 2015)."""
    proto = onnx.ModelProto.FromString(content)
    multiplied = {name for node in proto.graph.node if node.op_type in MULTIPLYING for name in node.input[1:2]}
    for tensor in proto.graph.initializer:
        if tensor.name in multiplied and len(tensor.dims) >= 2:
            weight = numpy_helper.to_array(tensor).copy()
            count = int(weight.size * wanted.sparsity)
            weight.ravel()[np.argsort(np.abs(weight), axis=None, kind="stable")[:count]] = 0
            tensor.CopyFrom(numpy_helper.from_array(weight, tensor.name))
    return _serialise(proto)


_METHODS: Final[Mapping[str, Callable[[bytes, Compress, Array], bytes]]] = {
    "dynamicInt8": _quantise_dynamically,
    "staticInt8": _quantise_statically,
    "prune": _prune,
}


class CalibrationRows(quantization.CalibrationDataReader):  # type: ignore[misc]  # it has no types
    """Feeds calibration rows in batches."""

    def __init__(self, name: str, rows: Array) -> None:
        self._batches: Iterator[dict[str, Array]] = (
            {name: rows[start : start + CALIBRATION_BATCH]} for start in range(0, len(rows), CALIBRATION_BATCH)
        )

    def get_next(self) -> dict[str, Array] | None:
        """Returns the next rows, or None at the end."""
        return next(self._batches, None)


def _quantise(content: bytes, quantise: Callable[[onnx.ModelProto, Path], None]) -> bytes:
    """Infers shapes and quantises, since ONNX Runtime's tools need the shapes."""
    with tempfile.TemporaryDirectory() as folder:
        inferred, output = Path(folder, "inferred"), Path(folder, "quantised")
        quant_pre_process(onnx.ModelProto.FromString(content), inferred, skip_symbolic_shape=True)
        quantise(onnx.load(inferred), output)
        return _serialise(onnx.load(output))


def _serialise(proto: onnx.ModelProto) -> bytes:
    clear_origins(proto)
    content: bytes = proto.SerializeToString(deterministic=True)
    return content
