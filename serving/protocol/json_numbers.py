"""An array of numbers in JSON → FP32 or INT64, a piece at a time.

As Python objects numbers have many times the size that they have in JSON or in the array, and a pod has little memory.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np

from serving.protocol.json_arrays import decoder, is_nested, other_data, uneven
from serving.tensor import Array, Kind

PIECE_BYTES: Final = 256 << 10
BETWEEN: Final = {1: re.compile(rb","), 2: re.compile(rb"\]\s*,")}
"""Where an array of numbers, or of rows of them, can be cut; deeper ones are read whole."""

Buffer = bytes | memoryview


def read_numbers(data: msgspec.Raw, rank: int, kind: Kind) -> Array:
    """A flat array, or one nested `rank` deep, as it came. Raises ValueError: what it has instead."""
    rank = rank if is_nested(data) else 1
    numbers = decoder(int if kind is np.int64 else float, rank)
    arrays: list[Array] = []
    for piece in _pieces(data, rank):
        try:
            values = numbers.decode(piece)
        except msgspec.DecodeError as error:
            problem = str(error) if not arrays else str(error).partition(" - at ")[0]  # where in the piece
            raise other_data(problem, "numbers") from None
        arrays.append(_array(values, kind))
    return _joined(arrays)


def _pieces(data: msgspec.Raw, rank: int) -> Iterator[Buffer]:
    """The array as smaller arrays, cut between its elements. It is known to be JSON; so if each piece is an array of
    numbers (or of rows), then so is the whole, and if a cut went through something else, that piece is neither."""
    whole = memoryview(data)
    start = 0
    while rank <= 2 and (cut := BETWEEN[rank].search(whole, start + PIECE_BYTES)):
        end = cut.end() - 1
        yield b"".join((b"[" if start else b"", whole[start:end], b"]"))
        start = end + 1
    yield b"".join((b"[", whole[start:])) if start else whole


def _array(values: list[Any], kind: Kind) -> Array:
    try:
        with np.errstate(over="ignore"):  # what is beyond FP32 becomes infinite here, and is refused by name
            return np.array(values, kind)
    except OverflowError:
        raise ValueError("a number beyond INT64") from None
    except ValueError:
        raise uneven() from None


def _joined(arrays: list[Array]) -> Array:
    try:
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
    except ValueError:
        raise uneven() from None
