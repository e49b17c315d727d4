"""A small model in the form of those above 2 GB."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.recipe.large_form import write_large_form

FEATURES, WIDTH = 16, 256


def proto(seed: int = 0) -> onnx.ModelProto:
    """FP32 [batch, 16] → [batch, 2], by way of 256; its weights in memory, of which the last bias is a small one."""
    numbers = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "w1": (FEATURES, WIDTH),
        "b1": (WIDTH,),
        "w2": (WIDTH, WIDTH),
        "b2": (WIDTH,),
        "w3": (WIDTH, 2),
        "b3": (2,),
    }
    weights = [
        numpy_helper.from_array(numbers.standard_normal(shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes, given = [], "input"
    for layer in (1, 2, 3):
        answer = "prediction" if layer == 3 else f"r{layer}"
        nodes += [
            helper.make_node("MatMul", [given, f"w{layer}"], [f"m{layer}"]),
            helper.make_node("Add", [f"m{layer}", f"b{layer}"], [f"a{layer}" if layer < 3 else answer]),
        ]
        if layer < 3:
            nodes.append(helper.make_node("Relu", [f"a{layer}"], [answer]))
        given = answer
    rows = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", FEATURES])
    answers = helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["batch", 2])
    graph = helper.make_graph(nodes, "dense", [rows], [answers], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answers(rows: np.ndarray[Any, Any], seed: int = 0) -> np.ndarray[Any, Any]:
    """NumPy's own."""
    w1, b1, w2, b2, w3, b3 = map(numpy_helper.to_array, proto(seed).graph.initializer)
    hidden: np.ndarray[Any, Any] = np.maximum(np.maximum(rows @ w1 + b1, 0) @ w2 + b2, 0)
    answer: np.ndarray[Any, Any] = hidden @ w3 + b3
    return answer


def plain(seed: int = 0) -> bytes:
    return b"".join(write_large_form(proto(seed)))
