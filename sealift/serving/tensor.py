"""Tensors as every layer names them: datatypes, shapes and arrays. It imports nothing of ours.

The names of datatypes are the Open Inference Protocol's, which other protocols use too.
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
"""The datatypes that are served: the protocol's that ONNX has too. BYTES are texts, each a Python string, since ONNX's
are. BF16 is not there: NumPy has no such numbers, and ONNX Runtime takes them from no array of another kind."""
ANY: Final = -1
"""A dimension that the request decides: the batch."""


@dataclass(frozen=True)
class Tensor:
    """One input or output of a model. `shape` has ANY where the request decides."""

    name: str
    shape: tuple[int, ...]
    datatype: str = "FP32"
