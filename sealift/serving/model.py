"""Plain model → ONNX Runtime session, in memory only.

The plain ONNX file is zeroed and dropped as soon as ONNX Runtime has parsed it. The parsed weights stay in memory for
as long as the server runs. So do the weights beside a graph (plain_model.py), in the memory they were decrypted into.
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
"""Datatypes by ONNX Runtime's type names."""
FATAL: Final = 4
"""ONNX Runtime's log level. Errors of a run quote the request, and arrive as exceptions anyway."""
BY_INPUTS: Final = (Fail, RuntimeException)
"""Errors of a run whose shapes or values an operator does not accept."""
NO_MEMORY: Final = ("bad_alloc", "allocate")
"""Words in their messages that show a lack of memory instead, which is the server's fault."""
MADE_UP: Final = (("", 0), ("text", 1))
"""Texts and numbers to try, in this order, for values that training did not describe."""
UNTRIED_SECONDS: Final = 0.001
"""Assumed duration of a run if the model accepted no trial row. It is too long for the event loop."""


class Model:
    """A model that is ready for requests. Raises StartError if it cannot be served."""

    def __init__(
        self,
        onnx: bytes,
        description: Mapping[str, Any],
        source: Source | None = None,
        weights: Mapping[str, Array] | None = None,
    ) -> None:
        """`description` is the artifact's, as JSON. `weights` are inputs of the graph that belong to the model and not
        to requests.
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
        """Shortest duration of a run of one row. Other work on the processor can delay a run."""

    @property
    def rows(self) -> list[Row]:
        """Description of the values of each input for one row."""
        return make_rows(self.inputs.values(), self.description)

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> dict[str, Array]:
        """Returns the named outputs for inputs in the model's shapes. Any thread may call it. Raises InvalidInput."""
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
        """Runs the model, so that the first client does not wait and a broken model is not rolled out. Returns seconds.

        It uses the usual row from training. Values that training did not describe are made up, and the model may refuse
        them.
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
    """Makes the model from an opened artifact. Raises StartError."""
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
    options.enable_cpu_mem_arena = False  # an arena never frees the largest batch's memory
    options.log_severity_level = FATAL
    options.add_session_config_entry(
        "session.load_model_format", "ONNX"
    )  # its own format is not checked for file names
    try:
        session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - as above
        raise StartError(f"ONNX Runtime does not load the model: {type(error).__name__}", "train it again") from None
    session.disable_fallback()  # the fallback would make a new session from the bytes, and print
    session._model_bytes = None  # noqa: SLF001 - it would keep the plain file for the fallback
    return session


def _refuse_files(onnx: bytes) -> None:
    """Refuses models that name files. ONNX Runtime would open them, and anyone with a public key can seal a model,
    whose weights would then be the content of any file, such as the private key. Raises StartError.
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
    """Raises StartError for weights that are not inputs of the graph, or have another type or shape there."""
    for name, array in weights.items():
        tensor = _tensor(inputs[name]) if name in inputs else None
        if tensor is None or array.dtype != KINDS[tensor.datatype] or not _fits(array.shape, tensor.shape):
            raise StartError(
                "the model does not run: a weight beside its graph does not match its inputs", "train it again"
            )


def _fits(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    return len(shape) == len(wanted) and all(other in (ANY, size) for size, other in zip(shape, wanted, strict=True))


def _tensor(value: Any) -> Tensor:
    """Describes an input or output of a session. Named and unknown dimensions may have any size."""
    if value.type not in DATATYPES:
        raise StartError(
            f"tensor {value.name!r} of the model has type {value.type}, which the server does not support",
            f"allowed: {', '.join(DATATYPES)}",
        )
    shape = tuple(size if isinstance(size, int) else ANY for size in value.shape)
    return Tensor(value.name, shape, DATATYPES[value.type])
