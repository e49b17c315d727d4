"""The models, and requests of the Open Inference Protocol v2 for them, with the right answers.

Every server gets the same requests. Their numbers have four decimals, as standardised features mostly have. The binary
form is the protocol's binary tensor extension, in the request and in the answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

FEATURES: Final = 10
HIDDEN: Final = 20
SIDE: Final = 256
"""Side of the squares that the costly network multiplies: about 0.1 GFLOP for each row, also within a batch."""
MODEL: Final = "net"
PATH: Final = f"/v2/models/{MODEL}/infer"
FORMS: Final = ("json", "binary")
HEADER_LENGTH: Final = "Inference-Header-Content-Length"
SEED: Final = 0
TOLERANCE: Final = 1e-4

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Request:
    """Headers and body of a request, and the right answer."""

    headers: Mapping[str, str]
    body: bytes
    answer: Floats


def request(model: bytes, form: str, rows: int) -> Request:
    """Makes a request with `rows` rows, in one of the FORMS."""
    features = np.random.default_rng(SEED).standard_normal((rows, FEATURES)).round(4).astype(np.float32)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    answer: Floats = session.run(["prediction"], {"input": features})[0]
    tensor: dict[str, Any] = {"name": "input", "shape": [rows, FEATURES], "datatype": "FP32"}
    if form == "json":
        tensor["data"] = [round(float(number), 4) for number in features.ravel()]
        return Request({"Content-Type": "application/json"}, json.dumps({"inputs": [tensor]}).encode(), answer)
    values = features.astype("<f4").tobytes()
    tensor["parameters"] = {"binary_data_size": len(values)}
    outputs = [{"name": "prediction", "parameters": {"binary_data": True}}]
    head = json.dumps({"inputs": [tensor], "outputs": outputs}).encode()
    headers = {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(len(head))}
    return Request(headers, head + values, answer)


def right(asked: Request, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether an answer is right. It must be binary if the request is, and otherwise JSON."""
    length = next((int(value) for name, value in headers.items() if name.lower() == HEADER_LENGTH.lower()), None)
    if (length is not None) != (HEADER_LENGTH in asked.headers):
        return False
    output = json.loads(body if length is None else body[:length])["outputs"][0]
    data = output["data"] if length is None else np.frombuffer(body[length:], "<f4")
    found = np.asarray(data, np.float32).reshape(output["shape"])
    return found.shape == asked.answer.shape and bool(np.allclose(found, asked.answer, rtol=TOLERANCE, atol=TOLERANCE))


def small() -> bytes:
    """Makes an ONNX model, FP32 [batch, 10] → 20 (ReLU) → [batch, 1], like `net` of `training` with ten features."""
    weights = {"w1": (FEATURES, HIDDEN), "b1": (HIDDEN,), "w2": (HIDDEN, 1), "b2": (1,)}
    nodes = [
        helper.make_node("Gemm", ["input", "w1", "b1"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "w2", "b2"], ["prediction"]),
    ]
    return _model(nodes, [numpy_helper.from_array(_weights(shape), name) for name, shape in weights.items()])


def costly() -> bytes:
    """Makes an ONNX model, FP32 [batch, 10] → [batch, 1]. Its time goes into products of each row's own square with two
    others."""
    weights = {"w0": (FEATURES, SIDE * SIDE), "w1": (SIDE, SIDE), "w2": (SIDE, SIDE)}
    shapes = {"square": np.array([-1, SIDE, SIDE]), "flat": np.array([-1, SIDE * SIDE])}
    nodes = [
        helper.make_node("MatMul", ["input", "w0"], ["wide"]),
        helper.make_node("Reshape", ["wide", "square"], ["s0"]),
        helper.make_node("MatMul", ["s0", "w1"], ["s1"]),
        helper.make_node("Tanh", ["s1"], ["t1"]),
        helper.make_node("MatMul", ["t1", "w2"], ["s2"]),
        helper.make_node("MatMul", ["s2", "s0"], ["s3"]),
        helper.make_node("Reshape", ["s3", "flat"], ["row"]),
        helper.make_node("ReduceMean", ["row"], ["prediction"], axes=[1], keepdims=1),
    ]
    arrays = {name: _weights(shape) for name, shape in weights.items()} | shapes
    return _model(nodes, [numpy_helper.from_array(array, name) for name, array in arrays.items()])


def _weights(shape: tuple[int, ...]) -> Floats:
    scale = np.float32(shape[0] ** -0.5)
    weights: Floats = scale * np.random.default_rng(SEED).standard_normal(shape, np.float32)
    return weights


def _model(nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto]) -> bytes:
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", FEATURES])
    answer = helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["batch", 1])
    graph = helper.make_graph(nodes, MODEL, [given], [answer], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
