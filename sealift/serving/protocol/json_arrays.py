"""What arrays of numbers and of texts in JSON have in common: flat, or nested as their shape says."""

import re
from typing import Any, Final

import msgspec

NESTED: Final = re.compile(rb"\s*\[\s*\[")
"""Of an array whose first element is one too."""


def decoder(kind: Any, rank: int) -> msgspec.json.Decoder[Any]:
    """Of arrays nested `rank` deep, with this in them and nothing else."""
    nested: Any = kind
    for _ in range(max(rank, 1)):
        nested = list[nested]
    return msgspec.json.Decoder(nested)


def other_data(problem: str, of: str) -> ValueError:
    """The error for what is no array of these."""
    return ValueError(f"other data: {problem}; expected a flat array of {of}, or one nested as its shape")


def uneven() -> ValueError:
    """The error for rows that make no table."""
    return ValueError("nested data with rows of different lengths; expected equal ones")
