"""The reference row, whose values are all usual, and the names of its values.

Usual is the mean of training or its most frequent category, and what row_schema.py has where training said nothing
of a value: the smallest one that training saw, as a picture's background, or else 0 or an empty text.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from sealift.serving.row_schema import Row
from sealift.serving.tensor import KINDS, Array

Value = TypeVar("Value")


def reference(row: Row, shape: Sequence[int]) -> Array:
    """Makes the usual row of one input, in this shape. The request decides variable dimensions."""
    usual = _of_all([field.usual for field in row.fields], math.prod(shape))
    return np.array(usual, KINDS[row.tensor.datatype]).reshape(shape)


def names(row: Row, shape: Sequence[int]) -> list[str]:
    """Names of its values, in order: those from training, or the input's name with a position."""
    count = math.prod(shape)
    named = _of_all([field.name for field in row.fields], count)
    if count == 1:
        return [named[0] or row.tensor.name]
    places = np.ndindex(*shape[1:]) if shape[0] == 1 else np.ndindex(*shape)
    return [name or f"{row.tensor.name}{list(place)}" for name, place in zip(named, places, strict=True)]


def _of_all(values: Sequence[Value], count: int) -> Sequence[Value]:
    """Repeats the value if the request decides how many there are."""
    return values if len(values) == count else [values[0]] * count
