"""The smallest models that show what the server does, sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sealift.sealing import SealedArtifact, seal
from tests.keys import key_pair

FEATURES = 3
WEIGHTS = np.array([[1.0], [10.0], [100.0]], np.float32)
DESCRIPTION: dict[str, Any] = {
    "task": "regression", "features": ["age", "bmi", "sex"], "classes": [], "metrics": {"r2": 0.987654},
}  # fmt: skip


def onnx_model(operator: str = "MatMul", inputs: tuple[str, ...] = ("input",), kind: int = TensorProto.FLOAT) -> bytes:
    """FP32 [batch, 3] → [batch, 1]: a row's numbers as ones, tens and hundreds; or `operator` over two inputs."""
    tensors = [helper.make_tensor_value_info(name, kind, ["batch", FEATURES]) for name in inputs]
    outputs = 1 if operator == "MatMul" else FEATURES
    output = helper.make_tensor_value_info("prediction", kind, ["batch", outputs])
    weights = [numpy_helper.from_array(WEIGHTS, "weights")] if operator == "MatMul" else []
    node = helper.make_node(operator, [*inputs, *(tensor.name for tensor in weights)], ["prediction"])
    graph = helper.make_graph([node], "tiny-graph-name", tensors, [output], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def id_model() -> bytes:
    """INT64 [batch, 1] → FP32 [batch, 1]: the id's weight; there are three."""
    given = helper.make_tensor_value_info("input", TensorProto.INT64, ["batch", 1])
    answer = helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["batch", 1])
    node = helper.make_node("Gather", ["weights", "input"], ["prediction"], axis=0)
    graph = helper.make_graph([node], "ids", [given], [answer], [numpy_helper.from_array(WEIGHTS.ravel(), "weights")])
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content


@cache
def sealed() -> SealedArtifact:
    return seal(onnx_model(), DESCRIPTION, [key_pair().recipient])


@dataclass(frozen=True)
class Files:
    """A sealed model as a pod sees it."""

    payload: Path
    manifest: Path
    key: Path

    @classmethod
    def write(cls, folder: Path, artifact: SealedArtifact | None = None) -> "Files":
        artifact = artifact or sealed()
        files = cls(folder / "payload", folder / "manifest.json", folder / "private.pem")
        files.payload.write_bytes(artifact.payload)
        files.manifest.write_bytes(artifact.manifest)
        files.key.write_text(key_pair().pem)
        return files


def request(rows: Sequence[Sequence[float]], **fields: object) -> dict[str, Any]:
    """An inference request for these rows."""
    tensor = {"name": "input", "shape": [len(rows), FEATURES], "datatype": "FP32", "data": rows}
    return {"inputs": [tensor]} | fields
