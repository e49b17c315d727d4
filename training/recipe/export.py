"""A trained model as ONNX: small, the same bytes from every checkout path, checked against torch before it is sealed.

The model is made in memory and stays there: this module opens no file.

It uses torch's TorchScript exporter on purpose: it exports these networks in a tenth of a second, while the newer one
first imports a compiler for several seconds and writes source paths and stack traces into the model.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

import contextlib
import io
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from training import raised, user_code
from training.errors import ExportError

OPSET: Final = 17
INPUT: Final = "input"
CHECKED_ROWS: Final = 512
ROWS_AT_ONCE: Final = 4096
FATAL: Final = 4
TOLERANCE: Final = 1e-5
"""Largest difference between ONNX Runtime and torch, relative to the largest answer (or to 1, if that is larger)."""


def find_output_name(task: str) -> str:
    """Returns the name of the model's only output."""
    return "prediction" if task == "regression" else "probabilities"


def find_datatype(features: torch.Tensor) -> str:
    """Returns the type of the model's only input, by its name in the Open Inference Protocol."""
    return "FP32" if features.is_floating_point() else "INT64"


def to_onnx(model: nn.Module, sample: torch.Tensor, task: str) -> bytes:
    """Returns the model as one ONNX file: [batch, *S] in, FP32 [batch, K] out, for any number of rows. `sample` is two
    raw rows.

    Raises ExportError for a network that cannot be expressed in ONNX.
    """
    return trace(model, sample, task)[0]


def trace(model: nn.Module, sample: torch.Tensor, task: str) -> tuple[bytes, tuple[str, ...]]:
    """Returns the file of `to_onnx`, and the lines of the network's code where the trace may have kept a number of
    rows.
    """
    output = find_output_name(task)
    exported = io.BytesIO()
    with warnings.catch_warnings(record=True) as told, _silence():
        warnings.simplefilter("always")
        try:
            torch.onnx.export(
                model.eval(),
                (sample,),
                exported,  # type: ignore[arg-type]  # this exporter takes any binary file; the signature is the other one's
                dynamo=False,
                opset_version=OPSET,
                # Batch normalisation stays separate from the convolution before it, so that weights keep their names;
                # ONNX Runtime merges them when it loads the model.
                training=torch.onnx.TrainingMode.PRESERVE,
                do_constant_folding=False,
                input_names=[INPUT],
                output_names=[output],
                dynamic_axes={INPUT: {0: "batch"}, output: {0: "batch"}},
            )
        except user_code.RAISED as error:  # its errors, and those of the code that it calls, have no common base class
            raise _make_no_onnx_form_error(error) from error
    proto = onnx.ModelProto.FromString(exported.getvalue())
    exported.close()
    clear_origins(proto)
    content: bytes = proto.SerializeToString(deterministic=True)
    del proto  # a model may be large, and the check copies what it gets
    try:
        onnx.checker.check_model(content, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise _make_no_onnx_form_error(error) from error
    return content, _find_warned(told)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Silences the exporter, which on failure prints its whole graph to standard output, bypassing Python's (torch
    2.15).
    """
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _make_no_onnx_form_error(error: BaseException) -> ExportError:
    unsupported = re.search(r"operator '?(?:aten::)?(\w+)'?", str(error))
    said = (
        f"it uses {unsupported[1]}, which"
        if unsupported
        else f"{raised.show(error) or type(error).__name__}; an operation that it uses"
    )
    where = f" ({place})" if (place := user_code.own_place(error)) else ""
    return ExportError(
        f"the network cannot be exported to ONNX: {said} has no form in ONNX opset {OPSET}{where}",
        "use operations that ONNX supports; nothing was sealed",
    )


def _find_warned(told: list[warnings.WarningMessage]) -> tuple[str, ...]:
    lines = [
        f"{Path(one.filename).name}:{one.lineno}"
        for one in told
        if issubclass(one.category, torch.jit.TracerWarning)  # type: ignore[attr-defined]
        and user_code.is_own_file(one.filename)
    ]
    return tuple(dict.fromkeys(lines))


def check(content: bytes, features: torch.Tensor, expected_RK: torch.Tensor) -> None:
    """Raises ExportError unless ONNX Runtime's answers for these raw rows match torch's, one by one and all at once."""
    features, expected_RK = features[:CHECKED_ROWS], expected_RK[:CHECKED_ROWS]
    allowed = TOLERANCE * max(1.0, float(expected_RK.abs().max()))
    for rows in (len(features), 1):
        difference = float((run(content, features[:rows]) - expected_RK[:rows]).abs().max())
        if not difference <= allowed:
            raise ExportError(
                f"the exported model differs from torch by {difference:g} on held-out rows; allowed: {allowed:g}",
                "nothing was sealed; a network cannot be served if its answer depends on chance or on the other rows "
                "of the batch",
            )


def make_session(content: bytes, folder: Path | None = None) -> onnxruntime.InferenceSession:
    """Opens an ONNX file. External data, if any, is in the folder, and is mapped rather than copied."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = FATAL  # an error of ours reports what it cannot run
    if folder is not None:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder.resolve()))
        options.add_session_config_entry("session.disable_prepacking", "1")
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def run(content: bytes, features: torch.Tensor, folder: Path | None = None) -> torch.Tensor:
    """Returns ONNX Runtime's answers for these raw rows, FP32 (R, K)."""
    return ask(make_session(content, folder), features)


def ask(opened: onnxruntime.InferenceSession, features: torch.Tensor) -> torch.Tensor:
    """Returns a session's answers for these raw rows, FP32 (R, K)."""
    name = opened.get_inputs()[0].name
    answers = [
        opened.run(None, {name: features[start : start + ROWS_AT_ONCE].numpy()})[0]
        for start in range(0, len(features), ROWS_AT_ONCE)
    ]
    return torch.from_numpy(np.concatenate(answers))


def clear_origins(proto: onnx.ModelProto) -> None:
    """Removes all information about where, by whom and from which source lines the model was made."""
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
