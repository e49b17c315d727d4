"""JSON array of numbers → array of a datatype, exactly or not at all, piece by piece.

Numbers as Python objects take many times their size in JSON or in the array, and a pod has little memory. The decoder's
type includes the datatype's range, so numbers are checked once, while they are read.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from sealift.serving.protocol.json_arrays import NESTED, decoder, other_data, uneven
from sealift.serving.tensor import KINDS, Array, Kind

PIECE_BYTES: Final = 256 << 10
BETWEEN: Final = {1: re.compile(rb","), 2: re.compile(rb"\]\s*,")}
"""Positions at which an array of numbers or of rows can be cut. Deeper arrays are read at once."""
PLACE: Final = re.compile(r"(.*) - at `\$\[(\d+)\](.*)`", re.DOTALL)
"""Parts of a decoder's message: the problem, the element and the rest."""

MANY: Final = 64
PACKED: Final = "fd"
"""Kinds of array that `struct` makes from MANY numbers in a third of NumPy's time, with the same bits."""

Buffer = msgspec.Raw | bytes | memoryview


def _between(least: int, most: int | None) -> Any:
    return Annotated[int, msgspec.Meta(ge=least, le=most)]


def _rounds_within(beyond: float) -> Any:
    return Annotated[float, msgspec.Meta(gt=-beyond, lt=beyond)]


NUMBERS: Final[Mapping[str, Any]] = {
    "BOOL": bool,
    "UINT8": _between(0, 2**8 - 1),
    "UINT16": _between(0, 2**16 - 1),
    "UINT32": _between(0, 2**32 - 1),
    "UINT64": _between(0, None),  # the decoder's bounds are INT64; NumPy refuses larger numbers
    "INT8": _between(-(2**7), 2**7 - 1),
    "INT16": _between(-(2**15), 2**15 - 1),
    "INT32": _between(-(2**31), 2**31 - 1),
    "INT64": _between(-(2**63), 2**63 - 1),
    "FP16": _rounds_within(65520.0),  # halfway between the largest number and the next one
    "FP32": _rounds_within(2.0**128 - 2.0**103),
    "FP64": float,  # the decoder refuses larger decimals
}
"""Type that the decoder accepts, by datatype."""


class NumberReader:
    """Reads numbers of one datatype, flat or nested `rank` deep."""

    def __init__(self, datatype: str, rank: int) -> None:
        self._datatype = datatype
        self._kind = KINDS[datatype]
        self._flat = decoder(NUMBERS[datatype], 1)
        self._nested = decoder(NUMBERS[datatype], rank)
        self._rank = rank

    def read(self, data: msgspec.Raw) -> Array:
        """Reads the array. Raises ValueError with the problem."""
        numbers, rank = (self._nested, self._rank) if NESTED.match(data) else (self._flat, 1)
        arrays: list[Array] = []
        for piece in (data,) if memoryview(data).nbytes <= PIECE_BYTES else _pieces(data, rank):
            try:
                values = numbers.decode(piece)
                arrays.append(array_of(values, self._kind) if rank == 1 else np.array(values, self._kind))
            except msgspec.DecodeError as error:
                raise self._make_refusal(str(error), sum(map(len, arrays))) from None
            except OverflowError:
                raise self._beyond(_beyond_uint64(values, sum(map(len, arrays)))) from None
            except ValueError:
                raise uneven() from None
        return arrays[0] if len(arrays) == 1 else _join_arrays(arrays)

    def _make_refusal(self, problem: str, before: int) -> ValueError:
        """Makes the error from a decoder's message about a piece with `before` elements before it."""
        if found := PLACE.fullmatch(problem):
            problem, place = found[1], f"[{int(found[2]) + before}]{found[3]}"
            if ", got " not in problem:  # all other messages about an element concern its range
                return self._beyond(place)
            problem = f"{problem} at {place}"
        return other_data(problem, "true and false" if self._datatype == "BOOL" else "numbers")

    def _beyond(self, place: str) -> ValueError:
        return ValueError(f"a number at {place} that is beyond {self._datatype}")


def array_of(values: list[Any], kind: Kind) -> Array:
    """Makes the array of a flat list of numbers. Raises OverflowError."""
    if kind.char not in PACKED or len(values) < MANY:
        return np.array(values, kind)
    return np.frombuffer(struct.pack(f"{len(values)}{kind.char}", *values), kind)


def _beyond_uint64(values: list[Any], before: int = 0) -> str:
    """The place of the first number above UINT64, counted from `before`, or an empty text."""
    for index, value in enumerate(values, before):
        if isinstance(value, list):
            if inner := _beyond_uint64(value):
                return f"[{index}]{inner}"
        elif value >= 2**64:
            return f"[{index}]"
    return ""


def _pieces(data: msgspec.Raw, rank: int) -> Iterator[Buffer]:
    """Cuts the array between its elements into smaller arrays. It is valid JSON, so if each piece is an array of
    numbers (or of rows), the whole is one too. If a cut went through something else, that piece is not such an
    array."""
    whole = memoryview(data)
    start = 0
    while rank <= 2 and (cut := BETWEEN[rank].search(whole, start + PIECE_BYTES)):
        end = cut.end() - 1
        yield b"".join((b"[" if start else b"", whole[start:end], b"]"))
        start = end + 1
    yield b"".join((b"[", whole[start:])) if start else whole


def _join_arrays(arrays: list[Array]) -> Array:
    try:
        return np.concatenate(arrays)
    except ValueError:
        raise uneven() from None
