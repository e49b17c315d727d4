"""What arrays of numbers and of texts in JSON have in common: flat, or nested as their shape says."""

from functools import cache
from typing import Any

import msgspec


def is_nested(data: msgspec.Raw) -> bool:
    """Whether its first element is an array."""
    return bytes(memoryview(data)[:64]).translate(None, b" \t\r\n").startswith(b"[[")


@cache
def decoder(kind: type[int] | type[float] | type[str], rank: int) -> msgspec.json.Decoder[Any]:
    """Of arrays nested `rank` deep, with this in them and nothing else."""
    nested: Any = kind
    for _ in range(rank):
        nested = list[nested]
    return msgspec.json.Decoder(nested)


def other_data(problem: str, of: str) -> ValueError:
    """The error for what is no array of these."""
    return ValueError(f"other data: {problem}; expected a flat array of {of}, or one nested as its shape")


def uneven() -> ValueError:
    """The error for rows that make no table."""
    return ValueError("nested data with rows of different lengths; expected equal ones")
