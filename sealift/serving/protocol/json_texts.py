"""An array of texts in JSON → Python strings."""

from typing import Final

import msgspec
import numpy as np

from sealift.serving.protocol.json_arrays import NESTED, decoder, other_data, uneven
from sealift.serving.tensor import Array

MOST_BYTES: Final = 4 << 20
"""Of texts in a request. Short ones have many times that as Python objects, and a pod has little memory."""


def check_size(size: int) -> None:
    """Raises ValueError for more bytes of texts than a request may have."""
    if size > MOST_BYTES:
        raise ValueError(f"{size:,} bytes of texts; expected at most {MOST_BYTES:,} in one request")


class TextReader:
    """Reads texts, flat or nested `rank` deep."""

    def __init__(self, rank: int) -> None:
        self._rank = rank
        self._flat = decoder(str, 1)
        self._nested = decoder(str, rank)

    def read(self, data: msgspec.Raw) -> Array:
        """The array as it came. Raises ValueError: what it has instead."""
        check_size(memoryview(data).nbytes)
        nested = NESTED.match(data) is not None
        try:
            values = (self._nested if nested else self._flat).decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise other_data(str(error), "texts") from None
        array = np.array(values, np.object_)
        if nested and array.ndim != self._rank:
            raise uneven()
        return array
