"""Tensors for every layer: datatypes, shapes and arrays. It imports no other module of Sealift.

The names of datatypes are those of the Open Inference Protocol, which other protocols use too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Kind = np.dtype[Any]

KINDS: Final[Mapping[str, Kind]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(np.object_),
}
"""The supported datatypes: those that both the protocol and ONNX have. BYTES are texts, as Python strings, like ONNX's.
BF16 is missing: NumPy has no such type, and ONNX Runtime accepts it from no other."""
ANY: Final = -1
"""A dimension of variable size, such as the batch."""


@dataclass(frozen=True)
class Tensor:
    """One input or output of a model. `shape` has ANY for dimensions of variable size."""

    name: str
    shape: tuple[int, ...]
    datatype: str = "FP32"
