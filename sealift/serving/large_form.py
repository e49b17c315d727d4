"""The second form of a plain model: a graph, and large weights beside it (docs/format-v1.md, "The plain model").

A bare ONNX file ends at 2 GB. Here the large weights are inputs of the graph, and are handed to every run as arrays
over the memory that they were opened into: nothing copies them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

import msgspec
import numpy as np

from sealift.serving.errors import StartError
from sealift.serving.tensor import KINDS, Array

MAGIC: Final = b"\0sealift"
LENGTH_BYTES: Final = 4
MAX_HEADER_BYTES: Final = 1 << 24
ALIGNMENT: Final = 64


class _Weight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    datatype: Literal["UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"]
    shape: Annotated[list[Annotated[int, msgspec.Meta(ge=1, lt=1 << 52)]], msgspec.Meta(max_length=32)]


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    graph: Annotated[int, msgspec.Meta(ge=1, lt=1 << 31)]
    weights: list[_Weight]


@dataclass(frozen=True)
class PlainModel:
    """Views of the memory that it was read from."""

    graph: memoryview
    """An ONNX file."""
    weights: Mapping[str, Array] = field(default_factory=dict)
    """Inputs of the graph that are the model's own; read only."""
    weights_start: int | None = None
    """Where in the memory they begin, and all after them is theirs; None: there are none."""


def read(plain: memoryview) -> PlainModel:
    """A model of either form. Raises StartError for one that begins as the second and is not of it."""
    if plain[: len(MAGIC)].tobytes() != MAGIC:
        return PlainModel(plain)
    start = len(MAGIC) + LENGTH_BYTES
    length = int.from_bytes(plain[len(MAGIC) : start], "big")
    if len(plain) < start + length or length > MAX_HEADER_BYTES:
        raise _damaged(f"its header has {length} bytes")
    try:
        header = msgspec.json.decode(plain[start : start + length], type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(f"its header: {error}") from None
    graph_start, graph_end = start + length, start + length + header.graph
    weights, end = _weights(header, plain, graph_end)
    if end != len(plain):
        raise _damaged(f"it has {len(plain)} bytes, and its header says {end}")
    return PlainModel(plain[graph_start:graph_end], weights, _aligned(graph_end))


def _weights(header: _Header, plain: memoryview, end: int) -> tuple[dict[str, Array], int]:
    """The arrays, and where the last of them ends: each begins where the header's order puts it."""
    weights: dict[str, Array] = {}
    for one in header.weights:
        kind, count = KINDS[one.datatype], math.prod(one.shape)
        start = _aligned(end)
        end = start + count * kind.itemsize
        if end > len(plain):
            raise _damaged(f"it has {len(plain)} bytes, and weight {len(weights)} ends at {end}")
        if one.name in weights:
            raise _damaged(f"weight {len(weights)} has the name of another")
        weights[one.name] = np.frombuffer(plain.toreadonly(), kind, count, start).reshape(one.shape)
    return weights, end


def _aligned(position: int) -> int:
    return -(-position // ALIGNMENT) * ALIGNMENT


def _damaged(what: str) -> StartError:
    return StartError(f"the model's file is not what its header says: {what}", "seal the model anew")
