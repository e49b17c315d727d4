"""JSON array of texts → Python strings."""

from typing import Final

import msgspec
import numpy as np

from sealift.serving.protocol.json_arrays import NESTED, decoder, other_data, uneven
from sealift.serving.tensor import Array

MOST_BYTES: Final = 4 << 20
"""Limit on texts in a request. Short texts take many times their size as Python objects, and a pod has little
memory."""


def check_size(size: int) -> None:
    """Raises ValueError if the texts exceed MOST_BYTES."""
    if size > MOST_BYTES:
        raise ValueError(f"{size:,} bytes of texts; expected at most {MOST_BYTES:,} in one request")


class TextReader:
    """Reads texts, flat or nested `rank` deep."""

    def __init__(self, rank: int) -> None:
        self._rank = rank
        self._flat = decoder(str, 1)
        self._nested = decoder(str, rank)

    def read(self, data: msgspec.Raw) -> Array:
        """Reads the array. Raises ValueError with the problem."""
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
