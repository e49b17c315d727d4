"""An inference request of the Open Inference Protocol v2: its JSON, checked against the model's tensors → arrays.

What is none that the model can take is refused as InvalidInput, which says what was expected instead.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from serving.errors import InvalidInput
from serving.protocol.contract import Body, Inference
from serving.protocol.json_numbers import read_numbers
from serving.protocol.json_texts import read_texts
from serving.tensor import ANY, KINDS, Array, Tensor

MAX_QUOTED: Final = 80

Parameters = dict[str, bool | int | float | str | None]


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


class Asked(Inference):
    """An inference, and what its answer repeats."""

    __slots__ = ("parameters", "request_id")

    def __init__(
        self, inputs: dict[str, Array], outputs: Sequence[str], request_id: str | None, parameters: Parameters | None
    ) -> None:
        super().__init__(inputs, outputs)
        self.request_id = request_id
        self.parameters = parameters


_decoder: Final = msgspec.json.Decoder(_Request)


def parse(body: Body, inputs: Mapping[str, Tensor], outputs: Sequence[str]) -> Asked:
    """What the body asks of a model with these tensors. Raises InvalidInput, which says what was expected."""
    try:
        request = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"not an inference request: {error}; expected {_example(inputs)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"not JSON: {error}; expected {_example(inputs)}") from None
    given = [item.name for item in request.inputs]
    if sorted(given) != sorted(inputs):
        raise InvalidInput(f"inputs are {_quoted(given)}; expected {_quoted(list(inputs))}, each once")
    wanted = [item.name for item in request.outputs] if request.outputs else list(outputs)
    if len(set(wanted)) != len(wanted) or not set(wanted) <= set(outputs):
        raise InvalidInput(f"outputs are {_quoted(wanted)}; expected some of {_quoted(outputs)}, each at most once")
    arrays = {item.name: _array(item, inputs[item.name]) for item in request.inputs}
    _check_batch(arrays, inputs)
    return Asked(arrays, wanted, request.id, request.parameters)


def _array(item: _Input, tensor: Tensor) -> Array:
    where = f"input {tensor.name!r}"
    if item.datatype != tensor.datatype:
        raise InvalidInput(f"{where} has datatype {_short(item.datatype)!r}; expected {tensor.datatype!r}")
    shape = item.shape
    fits = len(shape) == len(tensor.shape) and all(
        size > 0 if expected == ANY else size == expected for size, expected in zip(shape, tensor.shape, strict=True)
    )
    if not fits:
        raise InvalidInput(
            f"{where} has shape {_short(shape)}; expected {list(tensor.shape)} with 1 or more for each {ANY}"
        )
    if not memoryview(item.data):
        raise InvalidInput(f"{where} has no data; expected a JSON array (the binary extension is not served)")
    count = math.prod(shape)  # of Python integers, so that a huge dimension is only ever compared
    try:
        array = _read(item.data, len(shape), tensor)
    except ValueError as error:
        raise InvalidInput(f"{where} has {error}") from None
    if array.size != count or (array.ndim > 1 and list(array.shape) != shape):
        found = (
            f"data of {array.size} {'texts' if tensor.datatype == 'BYTES' else 'numbers'} in shape {list(array.shape)}"
        )
        raise InvalidInput(f"{where} has {found}; expected {_short(count)} for shape {_short(shape)}")
    if tensor.datatype != "BYTES" and not np.isfinite(array).all():
        raise InvalidInput(
            f"{where} has a number at {int(np.argmax(~np.isfinite(array.ravel())))} that is beyond {tensor.datatype}"
        )
    return array.reshape(shape)


def _read(data: msgspec.Raw, rank: int, tensor: Tensor) -> Array:
    return read_texts(data, rank) if tensor.datatype == "BYTES" else read_numbers(data, rank, KINDS[tensor.datatype])


def _check_batch(arrays: Mapping[str, Array], inputs: Mapping[str, Tensor]) -> None:
    rows = {name: array.shape[0] for name, array in arrays.items() if inputs[name].shape[:1] == (ANY,)}
    if len(set(rows.values())) > 1:
        raise InvalidInput(f"inputs have different first dimensions: {rows}; expected the same number of rows in each")


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
