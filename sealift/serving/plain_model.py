"""The plain model that was opened, as views of its memory: a graph, and arrays of the large weights beside it.

The weights are handed to every run as arrays over the memory that they were opened into: nothing copies them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sealift.contents.errors import ContentsError
from sealift.contents.plain_model import read_layout
from sealift.serving.errors import StartError
from sealift.serving.tensor import KINDS, Array


@dataclass(frozen=True)
class PlainModel:
    """Views of the memory that it was read from."""

    graph: memoryview
    """An ONNX file."""
    weights: Mapping[str, Array] = field(default_factory=dict)
    """Inputs of the graph that are the model's own; read only."""
    weights_start: int | None = None
    """Where in the memory they begin, and all after them is theirs; None: there are none."""


def read_plain_model(plain: memoryview) -> PlainModel:
    """A model of either form. Raises StartError for one that begins as the second and is not of it."""
    try:
        layout = read_layout(plain)
    except ContentsError as error:
        raise StartError(f"the model's file does not match its header: {error}", "seal the model again") from None
    if layout is None:
        return PlainModel(plain)
    content = plain.toreadonly()
    weights = {
        weight.name: np.frombuffer(content, KINDS[weight.datatype], math.prod(weight.shape), start).reshape(
            weight.shape
        )
        for weight, start in layout.weights
    }
    return PlainModel(plain[layout.graph], weights, layout.weights_start)
