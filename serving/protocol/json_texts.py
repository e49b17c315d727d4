"""An array of texts in JSON → Python strings."""

from typing import Final

import msgspec
import numpy as np

from serving.protocol.json_arrays import decoder, is_nested, other_data, uneven
from serving.tensor import Array

MOST_BYTES: Final = 4 << 20
"""Of JSON. Short texts have many times that as Python objects, and a pod has little memory."""


def read_texts(data: msgspec.Raw, rank: int) -> Array:
    """A flat array, or one nested `rank` deep, as it came. Raises ValueError: what it has instead."""
    size = len(memoryview(data))
    if size > MOST_BYTES:
        raise ValueError(f"{size:,} bytes of texts; expected at most {MOST_BYTES:,} in one request")
    nested = is_nested(data)
    try:
        values = decoder(str, rank if nested else 1).decode(data)
    except msgspec.DecodeError as error:
        raise other_data(str(error), "texts") from None
    array = np.array(values, np.object_)
    if nested and array.ndim != rank:
        raise uneven()
    return array
