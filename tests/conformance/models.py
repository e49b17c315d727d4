"""The model that clients are tried with: Triton's `simple`, and beside it each datatype as it came."""

from typing import Any, Final

import onnx
from onnx import TensorProto, helper

from sealift.sealing import SealedArtifact, seal
from tests.keys import key_pair

NAME: Final = "simple"
WIDTH: Final = 16
KINDS: Final = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}


def simple() -> SealedArtifact:
    """INPUT0 and INPUT1, INT32 [-1, 16] → their sum, OUTPUT0, and difference, OUTPUT1."""
    inputs = [_tensor(f"INPUT{number}", TensorProto.INT32) for number in range(2)]
    outputs = [_tensor(f"OUTPUT{number}", TensorProto.INT32) for number in range(2)]
    nodes = [
        helper.make_node(operator, ["INPUT0", "INPUT1"], [f"OUTPUT{number}"])
        for number, operator in enumerate(("Add", "Sub"))
    ]
    return _sealed(nodes, inputs, outputs)


def kinds() -> SealedArtifact:
    """An input of each datatype, [-1, 16] → the same, with `_out` behind its name."""
    inputs = [_tensor(name, kind) for name, kind in KINDS.items()]
    outputs = [_tensor(f"{name}_out", kind) for name, kind in KINDS.items()]
    return _sealed([helper.make_node("Identity", [name], [f"{name}_out"]) for name in KINDS], inputs, outputs)


def _tensor(name: str, kind: int) -> Any:
    return helper.make_tensor_value_info(name, kind, ["batch", WIDTH])


def _sealed(nodes: list[Any], inputs: list[Any], outputs: list[Any]) -> SealedArtifact:
    graph = helper.make_graph(nodes, "conformance", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return seal(model.SerializeToString(), {}, [key_pair().recipient])
