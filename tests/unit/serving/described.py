"""Small models with the descriptions that training gives: what the page and the explanations are made from."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = ["setosa", "versicolor", "virginica"]


def summary(mean: float, deviation: float, minimum: float, maximum: float) -> dict[str, float]:
    return {"mean": mean, "deviation": deviation, "minimum": minimum, "maximum": maximum}


HOUSES: dict[str, Any] = {
    "task": "regression",
    "features": ["size", "side"],
    "classes": [],
    "metrics": {"r2": 0.987654},
    "inputReference": {
        "size": summary(117.23456, 49.1, 30.42, 199.87),
        "side=north": summary(0.4, 0.5, 0, 1),
        "side=south": summary(0.6, 0.5, 0, 1),
    },
}
FLOWERS: dict[str, Any] = {
    "task": "classification",
    "features": ["length", "width"],
    "classes": CLASSES,
    "inputReference": {"length": summary(5.8433, 0.8281, 4.3, 7.9), "width": summary(3.054, 0.4336, 2.0, 4.4)},
}
DIGITS: dict[str, Any] = {
    "task": "classification",
    "features": [],
    "classes": ["low", "high"],
    "inputRange": {"minimum": 0.0, "maximum": 16.0},
}


def houses() -> bytes:
    """FP32 size and BYTES side → 1000 for each unit of size, and 5000 for a house in the south."""
    inputs = [_info("size", TensorProto.FLOAT, ["batch", 1]), _info("side", TensorProto.STRING, ["batch", 1])]
    one_hot = helper.make_node(
        "OneHotEncoder", ["side"], ["hot"], domain="ai.onnx.ml", cats_strings=["north", "south"], zeros=1
    )
    nodes = [
        one_hot,
        helper.make_node("Flatten", ["hot"], ["flat"], axis=1),
        helper.make_node("Concat", ["size", "flat"], ["all"], axis=1),
        helper.make_node("MatMul", ["all", "weights"], ["prediction"]),
    ]
    return _model(nodes, inputs, _info("prediction", TensorProto.FLOAT, ["batch", 1]), [[1000.0], [0.0], [5000.0]])


def flowers() -> bytes:
    """FP32 [batch, 2] → probabilities of three classes."""
    nodes = [
        helper.make_node("MatMul", ["input", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    inputs = [_info("input", TensorProto.FLOAT, ["batch", 2])]
    output = _info("probabilities", TensorProto.FLOAT, ["batch", 3])
    return _model(nodes, inputs, output, [[-1.0, 0.1, 0.5], [1.0, 0.2, 0.0]])


def digits() -> bytes:
    """FP32 [batch, 1, 8, 8] → how much of the ink is in the upper half, and how much in the lower."""
    weights = np.repeat(np.array([[0.0, 0.1], [0.1, 0.0]]), 32, axis=0).tolist()
    nodes = [
        helper.make_node("Flatten", ["input"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    inputs = [_info("input", TensorProto.FLOAT, ["batch", 1, 8, 8])]
    return _model(nodes, inputs, _info("probabilities", TensorProto.FLOAT, ["batch", 2]), weights)


def _info(name: str, kind: int, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _model(nodes: list[onnx.NodeProto], inputs: list[Any], output: Any, weights: list[list[float]]) -> bytes:
    tensors = [numpy_helper.from_array(np.array(weights, np.float32), "weights")]
    graph = helper.make_graph(nodes, "described", inputs, [output], tensors)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
