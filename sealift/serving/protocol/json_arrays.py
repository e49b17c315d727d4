"""JSON arrays of numbers and of texts: flat, or nested like their shape."""

import re
from typing import Any, Final

import msgspec

NESTED: Final = re.compile(rb"\s*\[\s*\[")
"""Beginning of an array whose first element is an array."""


def decoder(kind: Any, rank: int) -> msgspec.json.Decoder[Any]:
    """Makes a decoder of arrays nested `rank` deep, with elements of this kind only."""
    nested: Any = kind
    for _ in range(max(rank, 1)):
        nested = list[nested]
    return msgspec.json.Decoder(nested)


def other_data(problem: str, of: str) -> ValueError:
    """Makes the error for data that is not an array of these elements."""
    return ValueError(f"other data: {problem}; expected a flat array of {of}, or one nested as its shape")


def uneven() -> ValueError:
    """Makes the error for rows of different lengths."""
    return ValueError("nested data with rows of different lengths; expected equal ones")
