"""Views of an opened plain model's memory: a graph, and arrays of the large weights beside it.

Every run gets the weights as arrays over the memory they were decrypted into. Nothing copies them.
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
    """Views of the memory of a plain model."""

    graph: memoryview
    """An ONNX file."""
    weights: Mapping[str, Array] = field(default_factory=dict)
    """Inputs of the graph that belong to the model, by name; read-only."""
    weights_start: int | None = None
    """Offset in the memory from which on everything belongs to the weights. None if there are no weights."""


def read_plain_model(plain: memoryview) -> PlainModel:
    """Reads a model of either form. Raises StartError if the header of the second form does not match the content."""
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
