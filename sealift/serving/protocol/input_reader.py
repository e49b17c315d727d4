"""Reading of one input of a model: its data in a request is checked against its tensor and becomes an array.

Inputs that do not fit the model raise InvalidInput, whose message says what was expected.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from sealift.names import counted
from sealift.serving.errors import InvalidInput
from sealift.serving.protocol import binary_tensors
from sealift.serving.protocol.json_numbers import NumberReader, array_of
from sealift.serving.protocol.json_texts import TextReader, check_size
from sealift.serving.tensor import ANY, KINDS, Array, Tensor

MAX_QUOTED: Final = 80


class InputReader:
    """Reads one tensor. Any thread may call it."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.one_row: Final = [1 if size == ANY else size for size in tensor.shape]
        rank = len(tensor.shape)
        self._read = (TextReader(rank) if tensor.datatype == "BYTES" else NumberReader(tensor.datatype, rank)).read

    def from_json(self, datatype: str, shape: list[int], data: msgspec.Raw) -> Array:
        """Reads a flat or nested JSON array."""
        self._check(datatype, shape)
        try:
            array = self._read(data)
        except ValueError as error:
            raise self.refusal(str(error)) from None
        return self._reshape(array, shape)

    def from_numbers(self, datatype: str, shape: list[int], values: list[Any]) -> Array:
        """Makes the array of numbers already checked against the datatype."""
        self._check(datatype, shape)
        return self._reshape(array_of(values, KINDS[datatype]), shape)

    def from_binary(self, datatype: str, shape: list[int], data: memoryview) -> Array:
        """Makes the array of these bytes: a view of them if possible."""
        self._check(datatype, shape)
        try:
            return binary_tensors.read(data, datatype, shape)
        except ValueError as error:
            raise self.refusal(short(error, 4 * MAX_QUOTED)) from None

    def from_bare(self, data: memoryview) -> Array:
        """Makes the array of one row's bytes. Their number determines at most one variable dimension. A text is all of
        them, without a length. Raises InvalidInput for a tensor that the bytes do not determine."""
        tensor = self.tensor
        later = [at for at, size in enumerate(tensor.shape) if size == ANY and at > 0]
        if tensor.datatype == "BYTES":
            if later or math.prod(self.one_row) != 1:
                raise self.refusal(f"shape {list(tensor.shape)}, but bytes alone can only be one text; expected JSON")
            return self._text(data).reshape(self.one_row)
        if len(later) > 1:
            raise self.refusal(f"shape {list(tensor.shape)}, which its bytes alone do not determine; expected JSON")
        shape = list(self.one_row)
        for at in later:
            shape[at] = max(1, data.nbytes // max(1, math.prod(shape) * KINDS[tensor.datatype].itemsize))
        return self.from_binary(tensor.datatype, shape, data)

    def from_values(self, datatype: str, shape: list[int], values: Sequence[Any]) -> Array:
        """Makes the array of Python numbers, or of texts in UTF-8, row by row."""
        self._check(datatype, shape)
        if len(values) != (count := math.prod(shape)):
            raise self.refusal(f"{counted(len(values), 'value')}; expected {short(count)} for shape {short(shape)}")
        try:
            texts = [str(value, "utf-8") for value in values] if datatype == "BYTES" else list(values)
            return np.array(texts, KINDS[datatype]).reshape(shape)
        except UnicodeDecodeError:
            raise self.refusal("a text that is not UTF-8") from None
        except OverflowError:
            raise self.refusal(f"a number beyond {datatype}") from None

    def refusal(self, problem: str) -> InvalidInput:
        """Makes the error for an input with this problem."""
        return InvalidInput(f"input {self.tensor.name!r} has {problem}")

    def _text(self, data: memoryview) -> Array:
        try:
            check_size(data.nbytes)
            return np.array([str(data, "utf-8")], np.object_)
        except UnicodeDecodeError:
            raise self.refusal("a text that is not UTF-8") from None
        except ValueError as error:
            raise self.refusal(str(error)) from None

    def _check(self, datatype: str, shape: list[int]) -> None:
        tensor = self.tensor
        if datatype != tensor.datatype:
            raise self.refusal(f"datatype {short(datatype)!r}; expected {tensor.datatype!r}")
        if shape != self.one_row and not self._fits(shape):
            raise self.refusal(f"shape {short(shape)}; expected {list(tensor.shape)} with 1 or more for each {ANY}")

    def _reshape(self, array: Array, shape: list[int]) -> Array:
        try:
            if array.ndim == 1 or array.shape == tuple(shape):
                return array.reshape(shape)
        except (ValueError, OverflowError):
            pass  # the number of values does not match
        what = "texts" if self.tensor.datatype == "BYTES" else "numbers"
        found = f"data of {array.size} {what} in shape {list(array.shape)}"
        raise self.refusal(f"{found}; expected {short(math.prod(shape))} for shape {short(shape)}")

    def _fits(self, shape: Sequence[int]) -> bool:
        expected = self.tensor.shape
        return len(shape) == len(expected) and all(
            size > 0 if wanted == ANY else size == wanted for size, wanted in zip(shape, expected, strict=True)
        )


def short(value: object, most: int = MAX_QUOTED) -> str:
    """The value as text, shortened if it is long."""
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}…"
