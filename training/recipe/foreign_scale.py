"""Whether the numbers of a foreign classifier are probabilities or logits.

The operator that makes the numbers decides, and where it does not, their sums do. What neither shows is refused: logits
that are taken for probabilities are wrong answers that nothing reveals.

Shapes: R rows, W numbers of the model for each.
"""

# ruff: noqa: N803 (names of tensors carry the letters of their shape)

from typing import Any, Final, Literal

import numpy as np
import onnx

from training.errors import ModelError

Answer = np.ndarray[Any, np.dtype[Any]]
Scale = Literal["probabilities", "logits"]
CERTAIN: Final = 1e-3
"""Largest distance of a probability from the range 0..1, and of a row of probabilities from the sum 1."""
UNCHANGED: Final = (
    "Cast", "Dropout", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze",
)  # fmt: skip
"""Operators that keep, move or leave out the numbers of their first input."""
LAYERS: Final = ("BatchNormalization", "Conv", "Gemm", "LinearClassifier", "LinearRegressor", "MatMul")
"""Operators of a layer without an activation, if all inputs but one are weights."""
ARITHMETIC: Final = ("Add", "Div", "Mul", "Sub")
TRANSFORMED: Final = {b"LOGISTIC": "Sigmoid", b"SOFTMAX": "Softmax", b"SOFTMAX_ZERO": "Softmax"}
"""The operator that a classifier of ai.onnx.ml applies to its numbers, by its attribute `post_transform`."""


def find_scale(graph: onnx.GraphProto, output: str, answer_RW: Answer) -> Scale:
    """Returns what this output's numbers are. Raises ModelError if it cannot be known."""
    end = _find_end(graph, output)
    one = answer_RW.shape[1] == 1
    if not bool((answer_RW >= -CERTAIN).all() and (answer_RW <= 1 + CERTAIN).all()):
        return "logits"
    if one and end in TRANSFORMED.values():
        return "probabilities"
    summed = not one and bool((np.abs(answer_RW.sum(axis=1) - 1) <= CERTAIN).all())
    if summed and end != "layer":
        return "probabilities"
    if end == "layer" and not summed:
        return "logits"
    seen = "all from 0 to 1" + ("" if one else f", and their rows {'have' if summed else 'do not all have'} the sum 1")
    raise ModelError(
        f"model ends in {_describe(end)}, and its numbers are {seen}: they may be probabilities or logits",
        f"export it with {'Sigmoid' if one else 'Softmax'} as its last operator if they are probabilities; if they are "
        "logits, without an operator after its last layer",
    )


def _find_end(graph: onnx.GraphProto, output: str) -> str:
    """Returns the operator that makes the numbers, "layer" for a layer's, or no text if the graph does not say."""
    makers = {name: node for node in graph.node for name in node.output}
    weights = {tensor.name for tensor in graph.initializer}
    for node in graph.node:  # in the order of their computation: what is made of weights alone is a weight
        if all(name in weights for name in node.input):
            weights.update(node.output)
    scaled = False
    while output in makers:
        node = makers[output]
        varying = [name for name in node.input if name and name not in weights]
        if node.op_type in ARITHMETIC and len(varying) == 1:
            scaled, output = True, varying[0]
        elif node.op_type in UNCHANGED:
            output = node.input[0]
        elif node.op_type in LAYERS and len(varying) == 1:
            end = _find_transform(node) or "layer"
            return end if end == "layer" or not scaled else ""
        else:
            return "" if scaled else _find_transform(node) or node.op_type
    return ""


def _find_transform(node: onnx.NodeProto) -> str | None:
    return next((TRANSFORMED.get(one.s) for one in node.attribute if one.name == "post_transform"), None)


def _describe(end: str) -> str:
    return {"layer": "a layer without an activation", "": "operators of its own"}.get(end, f"the operator {end}")
