"""Tensors of the binary extension: little endian, row by row, without gaps.

A BOOL is a byte, 0 or 1. A text of BYTES is UTF-8, like ONNX's texts, after its length in 4 bytes. NaN and infinite
numbers are allowed: a model may compute on them, and only JSON cannot express them.
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from sealift.names import counted
from sealift.serving.protocol.json_texts import check_size
from sealift.serving.tensor import KINDS, Array

LENGTH_BYTES: Final = 4


def read(data: memoryview, datatype: str, shape: Sequence[int]) -> Array:
    """Reads an array: a view of `data` if its alignment allows that. Raises ValueError with the problem."""
    count = math.prod(shape)  # Python integers, so that huge dimensions cannot overflow
    if datatype == "BYTES":
        return _texts(data, count).reshape(shape)
    kind = KINDS[datatype]
    if data.nbytes != count * kind.itemsize:
        raise ValueError(f"{counted(data.nbytes, 'byte')} of binary data; expected {count * kind.itemsize:,}")
    array = np.frombuffer(data, kind)
    if datatype == "BOOL" and (array.view(np.uint8) > 1).any():
        at = int(np.argmax(array.view(np.uint8) > 1))
        raise ValueError(f"{data[at]} for BOOL in byte {at} of its binary data; expected 0 or 1")
    if not array.flags.aligned:
        array = array.copy()
    return array.reshape(shape)


def write(array: Array, datatype: str) -> bytes | memoryview:
    """The bytes of an array: a view of it if it is contiguous."""
    if datatype != "BYTES":
        return np.ascontiguousarray(array).ravel().view(np.uint8).data
    parts: list[bytes] = []
    for text in array.ravel().tolist():
        encoded = text.encode()
        parts += (len(encoded).to_bytes(LENGTH_BYTES, "little"), encoded)
    return b"".join(parts)


def _texts(data: memoryview, count: int) -> Array:
    size = data.nbytes
    check_size(size)
    if size < count * LENGTH_BYTES:
        raise ValueError(
            f"{counted(size, 'byte')} of binary data; expected at least {count * LENGTH_BYTES:,} for "
            f"{counted(count, 'text')}"
        )
    texts = np.empty(count, np.object_)
    at = 0
    for number in range(count):
        start = at + LENGTH_BYTES
        end = start + int.from_bytes(data[at:start], "little")
        if end > size:
            raise ValueError(
                f"binary data that ends at {size:,}; expected text {number} to end there or before, not at {end:,}"
            )
        try:
            texts[number] = str(data[start:end], "utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"text {number} in binary data that is not UTF-8") from None
        at = end
    if at != size:
        raise ValueError(
            f"{counted(size - at, 'byte')} of binary data after its {counted(count, 'text')}; expected none"
        )
    return texts
