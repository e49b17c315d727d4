"""The plain model: an ONNX file, or a graph with its large weights beside it.

docs/reference/format-v1.md specifies it in "The plain model".

A bare ONNX file cannot exceed 2 GB. Here the large weights are inputs of the graph. The format has no offsets, which
could overlap or lie outside: each weight begins at the next multiple of ALIGNMENT bytes after the previous part.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sealift.contents.codec import decode, encode
from sealift.contents.errors import ContentsError

MAGIC: Final = b"\0sealift"
VERSION: Final = 1
LENGTH_BYTES: Final = 4
LARGEST_HEADER: Final = 1 << 24
LARGEST_GRAPH: Final = 2**31 - 1
LARGEST_DIMENSION: Final = 2**52 - 1
MOST_DIMENSIONS: Final = 32
ALIGNMENT: Final = 64
"""Alignment of weights in bytes: a line of the processor's cache."""
ITEM_BYTES: Final = {
    "UINT8": 1, "UINT16": 2, "UINT32": 4, "UINT64": 8, "INT8": 1, "INT16": 2, "INT32": 4, "INT64": 8,
    "FP16": 2, "FP32": 4, "FP64": 8,
}  # fmt: skip
"""Size of one number by datatype. Weights of other datatypes stay in the graph."""


@dataclass(frozen=True)
class Weight:
    """A weight beside the graph. The graph has an input of the same name."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        """Raises ValueError if the name, the datatype or the shape is not valid."""
        if not self.name or self.datatype not in ITEM_BYTES or len(self.shape) > MOST_DIMENSIONS:
            raise ValueError("a weight needs a name, a known datatype and at most 32 dimensions")
        if not all(1 <= size <= LARGEST_DIMENSION for size in self.shape):
            raise ValueError("a dimension is out of range")

    @property
    def size_bytes(self) -> int:
        """Size of the weight's content in bytes."""
        return math.prod(self.shape) * ITEM_BYTES[self.datatype]


@dataclass(frozen=True)
class Header:
    """Header of a plain model, which describes its parts."""

    version: Literal[1]
    graph: int
    """Size of the graph in bytes."""
    weights: tuple[Weight, ...]

    def __post_init__(self) -> None:
        """Raises ValueError if the graph's size is out of range."""
        if not 1 <= self.graph <= LARGEST_GRAPH:
            raise ValueError("the graph's size is out of range")


@dataclass(frozen=True)
class PlainModelLayout:
    """Positions of the parts of a plain model, in bytes from its start."""

    graph: slice
    weights: tuple[tuple[Weight, int], ...]
    """Each weight, and the position of its content."""
    size_bytes: int

    @property
    def weights_start(self) -> int:
        """End of the header and the graph, rounded up to ALIGNMENT."""
        return _align(self.graph.stop)


def make_header(graph_bytes: int, weights: Sequence[Weight]) -> bytes:
    """Returns the bytes before the graph: magic, length and header."""
    header = encode(Header(VERSION, graph_bytes, tuple(weights)))
    text = json.dumps(header, separators=(",", ":")).encode()
    return MAGIC + len(text).to_bytes(LENGTH_BYTES, "big") + text


def padding_bytes(position: int) -> int:
    """Returns the number of zero bytes between a part that ends at `position` and the weight after it."""
    return _align(position) - position


def read_layout(plain: memoryview) -> PlainModelLayout | None:
    """Returns the positions of the parts, or None for a bare ONNX file. Raises ContentsError, which says what does not
    fit."""
    if plain[: len(MAGIC)].tobytes() != MAGIC:
        return None
    start = len(MAGIC) + LENGTH_BYTES
    length = int.from_bytes(plain[len(MAGIC) : start], "big")
    if len(plain) < start + length or length > LARGEST_HEADER:
        raise ContentsError(f"its header has {length} bytes")
    layout = _layout(start + length, _header(plain[start : start + length].tobytes()), len(plain))
    if layout.size_bytes != len(plain):
        raise ContentsError(f"it has {len(plain)} bytes, but its header says {layout.size_bytes}")
    return layout


def _header(text: bytes) -> Header:
    try:
        return decode(Header, json.loads(text), "header")
    except ContentsError as error:
        raise ContentsError(f"its header: {error} is missing or invalid") from error
    except (ValueError, RecursionError):
        raise ContentsError("its header: it is not JSON") from None


def _layout(start: int, header: Header, size_bytes: int) -> PlainModelLayout:
    end = start + header.graph
    graph, weights, names = slice(start, end), list[tuple[Weight, int]](), set[str]()
    for weight in header.weights:
        begin = _align(end)
        end = begin + weight.size_bytes
        if end > size_bytes:
            raise ContentsError(f"it has {size_bytes} bytes, but weight {len(weights)} ends at {end}")
        if weight.name in names:
            raise ContentsError(f"weight {len(weights)} has the same name as another")
        names.add(weight.name)
        weights.append((weight, begin))
    return PlainModelLayout(graph, tuple(weights), end)


def _align(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT
