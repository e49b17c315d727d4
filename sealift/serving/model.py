"""The plain model that was opened → a session that answers, in memory only.

The plain ONNX file is zeroed and dropped as soon as ONNX Runtime has parsed it; the weights it made of it stay, of
course, for as long as the server runs. So do the weights beside a graph (plain_model.py), where they were opened.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

# Before onnxruntime is loaded: it would send its makers a model's name and hashes of its weights, and keep a database
# of what is not sent yet in the home folder (its Privacy.md, "Disabling Telemetry"). Later calls cannot stop all of it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

from sealift.contents.description import Description, read_description
from sealift.contents.errors import ContentsError
from sealift.contents.onnx_tensors import NotOnnxError, external_locations
from sealift.serving.errors import InvalidInput, StartError
from sealift.serving.log import log
from sealift.serving.opening import Opening, Source
from sealift.serving.plain_model import read_plain_model
from sealift.serving.row_schema import Row, make_rows, make_usual_row
from sealift.serving.statistics import Statistics
from sealift.serving.tensor import ANY, KINDS, Array, Tensor

DATATYPES: Final = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}
"""By ONNX Runtime's names."""
FATAL: Final = 4
"""Of ONNX Runtime's levels. An error of a run quotes what a client sent, and is told as an exception anyway."""
BY_INPUTS: Final = (Fail, RuntimeException)
"""What a run ends with where an operator cannot take these shapes or values."""
NO_MEMORY: Final = ("bad_alloc", "allocate")
"""In their messages, where it is the server that cannot."""
MADE_UP: Final = (("", 0), ("text", 1))
"""Texts and numbers for what training said nothing of, in the order in which they are tried."""
UNTRIED_SECONDS: Final = 0.001
"""What a run is taken for where the model refuses all rows that it was tried with: too long for the event loop."""


class Model:
    """A model that is ready to answer. Raises StartError for what cannot be served."""

    def __init__(
        self,
        onnx: bytes,
        description: Mapping[str, Any],
        source: Source | None = None,
        weights: Mapping[str, Array] | None = None,
    ) -> None:
        """`description`: the artifact's, as JSON. `weights`: inputs of the graph that are the model's own, and no
        client's.
        """
        self._session = _session(onnx)
        self._weights = weights or {}
        self.source = source
        self.statistics = Statistics()
        self.description = _read_description(description)
        given = self._session.get_inputs()
        _check_weights(self._weights, {value.name: value for value in given})
        clients = (value for value in given if value.name not in self._weights)
        self.inputs = {tensor.name: tensor for tensor in map(_tensor, clients)}
        self.outputs = {tensor.name: tensor for tensor in map(_tensor, self._session.get_outputs())}
        self.run_seconds = self._warm_up()
        """What one run of one row takes, at its quickest: others on this processor may hold it up."""

    @property
    def rows(self) -> list[Row]:
        """What each input takes for one row."""
        return make_rows(self.inputs.values(), self.description)

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> dict[str, Array]:
        """The named outputs for inputs in the model's shapes. Any thread may call it. Raises InvalidInput."""
        try:
            fed = {**inputs, **self._weights} if self._weights else inputs
            return dict(zip(outputs, self._session.run(outputs, fed), strict=True))
        except InvalidArgument:
            raise InvalidInput("the model cannot process these inputs; check that it knows every id in them") from None
        except BY_INPUTS as error:
            if any(word in str(error) for word in NO_MEMORY):
                raise
            # Their messages quote names inside the model, and sometimes numbers of the request.
            raise InvalidInput(
                "the model does not run on these inputs; check that their shapes fit each other"
            ) from None

    def _warm_up(self) -> float:
        """So that the first client does not wait, and a model that cannot run is not rolled out. Seconds.

        Training knows what a row usually is; what it does not tell is made up, and no model has to take that.
        """
        for row in self._rows_to_try():
            try:
                self._seconds(row)  # the first run takes longer
                quickest = self._seconds(row)
                while quickest > (again := self._seconds(row)):
                    quickest = again
            except InvalidInput:
                continue
            except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no base class of their own
                raise StartError(f"the model does not run: {type(error).__name__}", "train it again") from None
            return quickest
        log("warning", "the model did not accept the trial rows, so the first request takes longer")
        return UNTRIED_SECONDS

    def _rows_to_try(self) -> Iterator[dict[str, Array]]:
        for text, number in MADE_UP:
            yield {row.tensor.name: make_usual_row(row, text, number) for row in self.rows}

    def _seconds(self, row: Mapping[str, Array]) -> float:
        begun = time.perf_counter()
        self.run(row, list(self.outputs))
        return time.perf_counter() - begun


def load(opening: Opening) -> Model:
    """Starts a session. Raises StartError."""
    memory, description = opening.result()
    plain = read_plain_model(memory)
    model = Model(bytes(plain.graph), description, opening.source, plain.weights)
    if plain.weights_start is not None:
        opening.keep(plain.weights_start)
    return model


def _read_description(values: Mapping[str, Any]) -> Description:
    try:
        return read_description(values)
    except ContentsError as error:
        raise StartError(
            f"the artifact's {error} is missing or is not a value that this release reads",
            "serve the artifact with the release that trained it, or train it again",
        ) from None


def _session(onnx: bytes) -> Any:
    _refuse_files(onnx)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # small models: threads cost more than they save, and the pod has a CPU limit
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # an arena keeps the largest batch's memory for good
    options.log_severity_level = FATAL
    options.add_session_config_entry("session.load_model_format", "ONNX")  # its own format is not looked through
    try:
        session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - as above
        raise StartError(f"ONNX Runtime does not load the model: {type(error).__name__}", "train it again") from None
    session.disable_fallback()  # which would make the session again, from the bytes, and print
    session._model_bytes = None  # noqa: SLF001 - it would keep the plain file for that
    return session


def _refuse_files(onnx: bytes) -> None:
    """ONNX Runtime would open the files that a model names, and whoever has a public key can seal a model: its weights
    would then be what such a file holds, the private key's too. Raises StartError.
    """
    try:
        outside = external_locations(onnx)
    except NotOnnxError as error:
        raise StartError(f"the artifact does not contain an ONNX model: {error}", "train it again") from None
    if outside:
        raise StartError(
            "the model keeps weights in other files, which the server never opens", "seal it with its weights inside"
        )


def _check_weights(weights: Mapping[str, Array], inputs: Mapping[str, Any]) -> None:
    """Raises StartError for weights that are none of the graph's, or have another type or shape there."""
    for name, array in weights.items():
        tensor = _tensor(inputs[name]) if name in inputs else None
        if tensor is None or array.dtype != KINDS[tensor.datatype] or not _fits(array.shape, tensor.shape):
            raise StartError(
                "the model does not run: a weight beside its graph does not match the graph's inputs", "train it again"
            )


def _fits(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    return len(shape) == len(wanted) and all(other in (ANY, size) for size, other in zip(shape, wanted, strict=True))


def _tensor(value: Any) -> Tensor:
    """A session's input or output. A dimension that is named, or unknown, may be any."""
    if value.type not in DATATYPES:
        raise StartError(
            f"tensor {value.name!r} of the model has type {value.type}, which the server does not support",
            f"allowed: {', '.join(DATATYPES)}",
        )
    shape = tuple(size if isinstance(size, int) else ANY for size in value.shape)
    return Tensor(value.name, shape, DATATYPES[value.type])
