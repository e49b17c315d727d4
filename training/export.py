"""A trained model as ONNX: small, the same bytes from every checkout path, checked against torch before it is sealed.

The model is made in memory and stays there: this module opens no file.

torch's TorchScript exporter is used on purpose: it exports these networks in a tenth of a second, where the newer one
first imports a compiler for several seconds, and writes source paths and stack traces into the model.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

import io
import warnings
from typing import Final

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from training.errors import ExportError
from training.evaluate import answers

OPSET: Final = 17
INPUT: Final = "input"
TOLERANCE: Final = 1e-5
"""Largest difference between ONNX Runtime and torch, relative to the largest answer (or to 1, if that is larger)."""


def output_name(task: str) -> str:
    """The name of the model's only output."""
    return "prediction" if task == "regression" else "probabilities"


def to_onnx(model: nn.Module, features: int, task: str) -> bytes:
    """The model as one ONNX file: FP32 [batch, features] in, FP32 [batch, outputs] out, any number of rows."""
    output = output_name(task)
    exported = io.BytesIO()
    with warnings.catch_warnings():
        # It says that the other exporter is the default now; the module's docstring says why not here.
        warnings.filterwarnings("ignore", "You are using the legacy TorchScript-based ONNX export", DeprecationWarning)
        torch.onnx.export(
            model.eval(),
            (torch.zeros(2, features),),
            exported,  # type: ignore[arg-type]  # this exporter takes any binary file; the signature is the other one's
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[output],
            dynamic_axes={INPUT: {0: "batch"}, output: {0: "batch"}},
        )
    proto = onnx.ModelProto.FromString(exported.getvalue())
    _clear_origins(proto)
    onnx.checker.check_model(proto, full_check=True)
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def check(content: bytes, model: nn.Module, rows_RF: torch.Tensor) -> None:
    """Raises ExportError unless ONNX Runtime answers these raw rows as torch does, one by one and all at once."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    expected_RK = answers(model, rows_RF).numpy()
    allowed = TOLERANCE * max(1.0, float(np.abs(expected_RK).max()))
    for rows in (len(rows_RF), 1):
        (answer_RK,) = session.run(None, {INPUT: rows_RF[:rows].numpy()})
        difference = float(np.abs(answer_RK - expected_RK[:rows]).max())
        if not difference <= allowed:
            raise ExportError(
                f"the exported model differs from torch by {difference:g} on held-out rows; allowed: {allowed:g}",
                "nothing was sealed; torch and onnxruntime may not fit together: `make setup` installs those that do",
            )


def _clear_origins(proto: onnx.ModelProto) -> None:
    """Removes all that says where, by whom and from which source lines the model was made."""
    for field in ("producer_name", "producer_version", "domain", "model_version", "doc_string", "metadata_props"):
        proto.ClearField(field)
    _clear_graph(proto.graph)
    for function in proto.functions:
        _clear(function)
        for value in function.value_info:
            _clear(value)
        for node in function.node:
            _clear_node(node)


def _clear_graph(graph: onnx.GraphProto) -> None:
    _clear(graph)
    for named in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        _clear(named)
    for node in graph.node:
        _clear_node(node)


def _clear_node(node: onnx.NodeProto) -> None:
    _clear(node)
    for attribute in node.attribute:
        attribute.ClearField("doc_string")
        for graph in (attribute.g, *attribute.graphs):
            if graph.ByteSize():
                _clear_graph(graph)


def _clear(
    message: onnx.GraphProto | onnx.NodeProto | onnx.ValueInfoProto | onnx.TensorProto | onnx.FunctionProto,
) -> None:
    message.ClearField("doc_string")
    message.ClearField("metadata_props")
