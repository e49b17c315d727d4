"""Tensors as every layer names them: datatypes, shapes and arrays. It imports nothing of ours.

The names of datatypes are the Open Inference Protocol's, which other protocols use too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Kind = type[np.float32] | type[np.int64] | type[np.object_]

KINDS: Final[Mapping[str, Kind]] = {"FP32": np.float32, "INT64": np.int64, "BYTES": np.object_}
"""The datatypes that are served. BYTES are texts, each a Python string."""
ANY: Final = -1
"""A dimension that the request decides: the batch."""


@dataclass(frozen=True)
class Tensor:
    """One input or output of a model. `shape` has ANY where the request decides."""

    name: str
    shape: tuple[int, ...]
    datatype: str = "FP32"
