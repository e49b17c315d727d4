"""Whether the numbers of a foreign classifier are probabilities, logits or margins.

The operators that make the numbers decide, and their sums where those prove it. Everything else is refused: logits that
are taken for probabilities, or the reverse, are wrong answers that nothing reveals.

Shapes: R rows, W numbers of the model for each.
"""

# ruff: noqa: N803 (names of tensors carry the letters of their shape)

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import onnx
from onnx import numpy_helper

from training.errors import ModelError

Answer = np.ndarray[Any, np.dtype[Any]]
Scale = Literal["probabilities", "logits", "margins"]
"""Margins are the logit of the second class and its negative: their sigmoid is the probability, not their softmax."""
CERTAIN: Final = 1e-3
"""Largest distance of a probability from the range 0..1, and of a row of probabilities from the sum 1."""
QUANTUM: Final = 1 / 255
"""Step of a probability of 8 bits."""
UNCHANGED: Final = (
    "ArrayFeatureExtractor", "Cast", "DequantizeLinear", "Dropout", "Flatten", "Gather", "Identity", "QuantizeLinear",
    "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze",
)  # fmt: skip
"""Operators that keep, move or leave out the numbers of their first input."""
SELECTIONS: Final = ("ArrayFeatureExtractor", "Gather", "Slice")
"""Operators that leave out columns; their second input says which."""
LAYERS: Final = (
    "BatchNormalization", "Conv", "ConvInteger", "DynamicQuantizeMatMul", "Einsum", "FusedMatMul", "Gemm",
    "LinearClassifier", "LinearRegressor", "MatMul", "MatMulInteger", "MatMulIntegerToFloat", "MatMulNBits", "QGemm",
    "QLinearConv", "QLinearMatMul",
)  # fmt: skip
"""Operators of a layer without an activation, if all inputs but one are weights."""
SUMS: Final = (
    "Add", "AveragePool", "Concat", "DynamicQuantizeLinear", "GlobalAveragePool", "Mean", "Neg", "ReduceMean",
    "ReduceSum", "Scaler", "Sub", "Sum",
)  # fmt: skip
"""Operators that are linear in all their inputs."""
SCALINGS: Final = ("Div", "Mul")
"""Operators that are linear in their first input that is no weight, if the others are weights."""
TRANSFORMED: Final = {b"LOGISTIC": "Sigmoid", b"SOFTMAX": "Softmax", b"SOFTMAX_ZERO": "Softmax"}
"""The operator that a classifier of ai.onnx.ml applies to its numbers, by its attribute `post_transform`."""
ACTIVATIONS: Final = {"QLinearSigmoid": "Sigmoid", "QLinearSoftmax": "Softmax"}
RAW: Final = ("SVMClassifier", "TreeEnsembleClassifier")
"""Classifiers that give scores or probabilities: scores are on both sides of 0."""
VOTES: Final = ("And", "Equal", "Greater", "GreaterOrEqual", "Hardmax", "Less", "LessOrEqual", "Not", "Or")
PROBABLE: Final = ("Erf", "Exp", "HardSigmoid", "LogSoftmax", "Reciprocal", "Sigmoid", "Softmax", *RAW, *VOTES)
"""Operators that can make probabilities. A layer behind them is a hidden network's last, or the mean of an ensemble."""
BOUNDED: Final = ("Abs", "Clip", "Log", "Max", "MaxPool", "Min", "Pow", "ReduceMax", "ReduceMin", "Relu", "Sqrt")
"""Operators behind which a probability remains one, or its power or logarithm."""


@dataclass(frozen=True)
class End:
    """What makes the numbers that linear steps alone lead from to the output."""

    operator: str
    probable: bool
    """Whether these numbers may be probabilities."""
    layered: bool
    """Whether a layer stands behind it."""
    kept: bool
    """Whether the numbers stay as they are."""


def find_scale(graph: onnx.GraphProto, output: str, answer_RW: Answer) -> Scale:
    """Returns what this output's numbers are. Raises ModelError if it cannot be known."""
    walk = _Walk(graph)
    ends = sorted(walk.find_ends(output), key=lambda end: (not end.probable, end.operator))
    known = ends[0].operator if len(ends) == 1 and ends[0].kept else ""
    layer = all(end.layered for end in ends)
    probable = any(end.probable for end in ends)
    width = answer_RW.shape[1]
    within = bool((answer_RW >= -CERTAIN).all() and (answer_RW <= 1 + CERTAIN).all())
    bound = CERTAIN + (width * QUANTUM / 2 if walk.is_quantized(output) and known == "Softmax" else 0)
    one = width > 1 and _have_sum_1(answer_RW, bound)
    summed = one and within
    if width == 1:
        _check_column(walk.find_column(output), known, pair=known == "Softmax" or walk.is_margin(output))
    if within and width == 1 and known in TRANSFORMED.values():
        return "probabilities"
    if summed and (probable or not layer):
        return "probabilities"
    if width > 1 and bool((answer_RW <= CERTAIN).all()) and _have_sum_1(np.exp(answer_RW), CERTAIN):
        return "logits"  # logarithms of probabilities
    scores = known in RAW or (
        walk.is_from_vectors(output) and all(end.operator in (*RAW, *VOTES) or not end.probable for end in ends)
    )
    if not one and ((layer and not probable) or (scores and bool((answer_RW < -CERTAIN).any()))):
        opposite = width == 2 and np.allclose(answer_RW[:, 0], -answer_RW[:, 1], rtol=1e-5, atol=1e-6)
        return "margins" if opposite and (scores or walk.is_margin(output)) else "logits"
    raise ModelError(
        f"model ends in {_describe(ends, layer=layer)}, and its numbers are {_show(answer_RW, within, summed)}: they "
        "may be probabilities or logits",
        f"export it with {'Sigmoid' if width == 1 else 'Softmax'} as its last operator if they are probabilities; if "
        "they are logits, without an operator after its last layer",
    )


def _check_column(column: int | None, known: str, *, pair: bool) -> None:
    """Raises ModelError if the only number is that of the first class, or one of several logits."""
    if column is None or known == "Sigmoid" or (column != 0) == pair:
        return
    raise ModelError(
        f"model gives one number, which it takes from column {column} of several: "
        + ("it is the first class's" if pair else "one logit of several says no probability"),
        "export it with the numbers of all classes",
    )


def _have_sum_1(answer_RW: Answer, bound: float) -> bool:
    return bool((np.abs(answer_RW.astype(np.float64).sum(axis=1) - 1) <= bound).all())


class _Walk:
    """Goes from an output back to what makes its numbers."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._makers = {name: node for node in graph.node for name in node.output}
        self._weights = {tensor.name for tensor in graph.initializer}
        self._weights |= {tensor.values.name for tensor in graph.sparse_initializer}
        for node in graph.node:  # in the order of their computation: what is made of weights alone is a weight
            if all(name in self._weights for name in node.input if name):
                self._weights.update(node.output)
            elif node.op_type == "DynamicQuantizeLinear":
                self._weights.update(node.output[1:])  # scale and zero point of its numbers, which stay the same
        self._values = {tensor.name: tensor for tensor in graph.initializer}
        self._values |= {
            node.output[0]: one.t
            for node in graph.node
            for one in node.attribute
            if node.op_type == "Constant" and one.name == "value"
        }
        self._converted = any(node.domain == "ai.onnx.ml" for node in graph.node)

    def find_ends(self, output: str) -> set[End]:
        ends, seen = set[End](), set[tuple[str, bool, bool]]()
        pending = [(output, False, True)]
        while pending:
            place = name, layered, kept = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            node = self._makers.get(name)
            if node is not None and self._is_step(node):
                layered = layered or node.op_type in LAYERS
                kept = kept and node.op_type in UNCHANGED
                pending += [(before, layered, kept) for before in self._find_sources(node)]
            else:
                operator = "" if node is None else _find_operator(node)
                ends.add(End(operator, self._is_probable(name), layered, kept))
        return ends

    def is_quantized(self, output: str) -> bool:
        return any(node.op_type == "DequantizeLinear" for node in self._unwrap(output))

    def is_margin(self, output: str) -> bool:
        """Whether a classifier makes the two columns of one score, or scikit-learn's converter does."""
        steps = list(self._unwrap(output))
        if not steps:
            return False
        node = steps[-1]
        if node.op_type in ("LinearClassifier", *RAW):
            return True
        pair = [self._makers.get(name) for name in node.input]
        negated = any(
            one is not None and one.op_type in ("Mul", "Neg") and set(one.input) & set(node.input) for one in pair
        )
        return self._converted and node.op_type == "Concat" and negated

    def find_column(self, output: str) -> int | None:
        """Returns the column that the model takes its number from. None if it takes none, or does not say which."""
        for node in self._unwrap(output):
            if node.op_type in SELECTIONS and node.input[1] in self._values:
                return int(numpy_helper.to_array(self._values[node.input[1]]).reshape(-1)[0])
        return None

    def is_from_vectors(self, output: str) -> bool:
        """Whether the numbers come from the scores of support vectors."""
        pending, seen = [output], set[str]()
        while pending:
            name = pending.pop()
            node = self._makers.get(name)
            if node is None or name in seen:
                continue
            seen.add(name)
            if node.op_type == "SVMClassifier":
                return not any(one.name == "prob_a" and one.floats for one in node.attribute)
            pending += node.input
        return False

    def _is_step(self, node: onnx.NodeProto) -> bool:
        sources = self._find_varying(node)
        if not sources or _find_operator(node) != node.op_type:
            return False
        if node.op_type in UNCHANGED:
            return node.input[0] in sources
        if node.op_type in SCALINGS:
            return len(sources) == 1 and (node.op_type == "Mul" or node.input[0] == sources[0])
        return node.op_type in SUMS or (node.op_type in LAYERS and len(sources) == 1)

    def _find_sources(self, node: onnx.NodeProto) -> list[str]:
        return [node.input[0]] if node.op_type in UNCHANGED else self._find_varying(node)

    def _find_varying(self, node: onnx.NodeProto) -> list[str]:
        return [name for name in node.input if name and name not in self._weights]

    def _unwrap(self, output: str) -> Iterator[onnx.NodeProto]:
        """Yields the operators that keep the numbers, from the last, and then the one that makes them."""
        while (node := self._makers.get(output)) is not None:
            yield node
            if node.op_type not in UNCHANGED:
                return
            output = node.input[0]

    def _is_probable(self, name: str) -> bool:
        node = self._makers.get(name)
        if node is None:
            return False
        sources = self._find_varying(node)
        if _find_operator(node) in PROBABLE:
            return True
        if node.op_type == "Div":
            return node.input[0] in self._weights or self._is_probable(node.input[0])
        if node.op_type in (*UNCHANGED, *BOUNDED):
            return any(map(self._is_probable, sources))
        return bool(sources) and node.op_type in ("MatMul", "Mul") and all(map(self._is_probable, sources))


def _find_operator(node: onnx.NodeProto) -> str:
    """Returns the operator that has the last word on the node's numbers."""
    for one in node.attribute:
        if one.name == "post_transform" and one.s not in (b"", b"NONE"):
            return TRANSFORMED.get(one.s, f"{node.op_type} with post_transform {one.s.decode(errors='replace')}")
    return ACTIVATIONS.get(node.op_type, str(node.op_type))


def _describe(ends: list[End], *, layer: bool) -> str:
    first = ends[0]
    if len(ends) == 1 and first.kept and first.operator:
        return f"the operator {first.operator}"
    if first.probable:
        return f"{'a layer' if first.layered else 'arithmetic'} after the operator {first.operator}"
    return "a layer without an activation" if layer else "operators of its own"


def _show(answer_RW: Answer, within: bool, summed: bool) -> str:
    if not within:
        return f"from {answer_RW.min():.4g} to {answer_RW.max():.4g}"
    rows = "" if answer_RW.shape[1] == 1 else f", and their rows {'have' if summed else 'do not all have'} the sum 1"
    return f"all from 0 to 1{rows}"
