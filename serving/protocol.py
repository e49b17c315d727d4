"""The Open Inference Protocol v2's JSON, as pure functions: request bytes → arrays, arrays → response bytes.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md, without the binary
extension. What a request may hold comes from the model's own tensors. Nothing here keeps or logs a value.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from serving.errors import RequestError
from serving.numbers import Array, read_numbers

KINDS: Final[Mapping[str, type[np.float32] | type[np.int64]]] = {"FP32": np.float32, "INT64": np.int64}
"""The protocol's datatypes that are served."""
VERSION: Final = "1"
ANY: Final = -1
"""A dimension that the request decides: the batch."""
MAX_QUOTED: Final = 80

Parameters = dict[str, bool | int | float | str | None]


@dataclass(frozen=True)
class Tensor:
    """One input or output of a model. `shape` has ANY where the request decides."""

    name: str
    shape: tuple[int, ...]
    datatype: str = "FP32"

    def described(self) -> dict[str, object]:
        """As in the protocol's model metadata."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


class _Input(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw = msgspec.Raw()


class _Output(msgspec.Struct):
    name: str


class _Request(msgspec.Struct):
    inputs: list[_Input]
    id: str | None = None
    parameters: Parameters | None = None
    outputs: list[_Output] | None = None


@dataclass(frozen=True)
class Inference:
    """A request that the model can run: `inputs` by name, in the model's shapes; `outputs` are the names asked for."""

    inputs: dict[str, Array]
    outputs: list[str]
    request_id: str | None
    parameters: Parameters | None


_decoder: Final = msgspec.json.Decoder(_Request)
_encoder: Final = msgspec.json.Encoder()


def parse(body: bytes | bytearray, inputs: Mapping[str, Tensor], outputs: Sequence[str]) -> Inference:
    """What the body asks of a model with these tensors. Raises RequestError 400, which says what was expected."""
    try:
        request = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _bad(f"not an inference request: {error}; expected {_example(inputs)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(f"not JSON: {error}; expected {_example(inputs)}") from None
    given = [item.name for item in request.inputs]
    if sorted(given) != sorted(inputs):
        raise _bad(f"inputs are {_quoted(given)}; expected {_quoted(list(inputs))}, each once")
    wanted = [item.name for item in request.outputs] if request.outputs else list(outputs)
    if len(set(wanted)) != len(wanted) or not set(wanted) <= set(outputs):
        raise _bad(f"outputs are {_quoted(wanted)}; expected some of {_quoted(outputs)}, each at most once")
    arrays = {item.name: _array(item, inputs[item.name]) for item in request.inputs}
    _check_batch(arrays, inputs)
    return Inference(arrays, wanted, request.id, request.parameters)


def answer(model: str, inference: Inference, arrays: Mapping[str, Array]) -> bytes:
    """The response to an inference. Raises RequestError 422 where an answer is a number that JSON does not have."""
    outputs = []
    for name in inference.outputs:
        array = arrays[name]
        if not np.isfinite(array).all():
            row = int(np.argmax(~np.isfinite(array.reshape(array.shape[0] if array.ndim else 1, -1)).all(axis=1)))
            raise RequestError(422, f"output {name!r} is not a finite number in row {row}: its inputs are too large")
        shape, data = list(array.shape), array.ravel().tolist()
        outputs.append({"name": name, "shape": shape, "datatype": "FP32", "data": data})
    response: dict[str, object] = {"model_name": model, "model_version": VERSION, "outputs": outputs}
    if inference.request_id is not None:
        response["id"] = inference.request_id
    if inference.parameters is not None:
        response["parameters"] = inference.parameters
    return encode(response)


def encode(value: object) -> bytes:
    """JSON."""
    return _encoder.encode(value)


def error(message: str) -> bytes:
    """The protocol's error object."""
    return encode({"error": message})


def _array(item: _Input, tensor: Tensor) -> Array:
    where = f"input {tensor.name!r}"
    if item.datatype != tensor.datatype:
        raise _bad(f"{where} has datatype {_short(item.datatype)!r}; expected {tensor.datatype!r}")
    shape = item.shape
    fits = len(shape) == len(tensor.shape) and all(
        size > 0 if expected == ANY else size == expected for size, expected in zip(shape, tensor.shape, strict=True)
    )
    if not fits:
        raise _bad(f"{where} has shape {_short(shape)}; expected {list(tensor.shape)} with 1 or more for each {ANY}")
    if not memoryview(item.data):
        raise _bad(f"{where} has no data; expected a JSON array of numbers (the binary extension is not served)")
    count = math.prod(shape)  # of Python integers, so that a huge dimension is only ever compared
    try:
        array = read_numbers(item.data, len(shape), KINDS[tensor.datatype])
    except ValueError as error:
        raise _bad(f"{where} has {error}") from None
    if array.size != count or (array.ndim > 1 and list(array.shape) != shape):
        found = f"data of {array.size} numbers in shape {list(array.shape)}"
        raise _bad(f"{where} has {found}; expected {_short(count)} for shape {_short(shape)}")
    if not np.isfinite(array).all():
        raise _bad(
            f"{where} has a number at {int(np.argmax(~np.isfinite(array.ravel())))} that is beyond {tensor.datatype}"
        )
    return array.reshape(shape)


def _check_batch(arrays: Mapping[str, Array], inputs: Mapping[str, Tensor]) -> None:
    rows = {name: array.shape[0] for name, array in arrays.items() if inputs[name].shape[:1] == (ANY,)}
    if len(set(rows.values())) > 1:
        raise _bad(f"inputs have different first dimensions: {rows}; expected the same number of rows in each")


def _example(inputs: Mapping[str, Tensor]) -> str:
    """A whole request for one row, as text with … where the numbers go."""
    parts = []
    for tensor in inputs.values():
        shape = [1 if size == ANY else size for size in tensor.shape]
        parts.append(f'{{"name": "{tensor.name}", "shape": {shape}, "datatype": "{tensor.datatype}", "data": […]}}')
    return f'{{"inputs": [{", ".join(parts)}]}}'


def _quoted(names: Sequence[str]) -> str:
    return _short(", ".join(repr(name) for name in names) or "none")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"


def _bad(message: str) -> RequestError:
    return RequestError(400, message)
