"""An array of texts in JSON → Python strings."""

from functools import cache
from typing import Any, Final

import msgspec
import numpy as np

from serving.tensor import Array

MOST_BYTES: Final = 4 << 20
"""Of JSON. Short texts have many times that as Python objects, and a pod has little memory."""


def read_texts(data: msgspec.Raw, rank: int) -> Array:
    """A flat array, or one nested `rank` deep, as it came. Raises ValueError: what it has instead."""
    size = len(memoryview(data))
    if size > MOST_BYTES:
        raise ValueError(f"{size:,} bytes of texts; expected at most {MOST_BYTES:,} in one request")
    nested = bytes(memoryview(data)[:64]).translate(None, b" \t\r\n").startswith(b"[[")
    try:
        values = _array_decoder(rank if nested else 1).decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(f"other data: {error}; expected a flat array of texts, or one nested as its shape") from None
    array = np.array(values, np.object_)
    if nested and array.ndim != rank:
        raise ValueError("nested data with rows of different lengths; expected equal ones")
    return array


@cache
def _array_decoder(rank: int) -> msgspec.json.Decoder[Any]:
    kind: Any = str
    for _ in range(rank):
        kind = list[kind]
    return msgspec.json.Decoder(kind)
