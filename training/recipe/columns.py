"""ONE TENSOR → COLUMNS: turns a model of encoded rows into one of the table's own columns, so that a request sends
their values: a text as itself, not as a row of 0 and 1.

Each column is an input (batch, 1) with its own name, as in scikit-learn's converter and MLServer's pandas codec. The
model itself encodes rows as encoding.py does, with ONNX's OneHotEncoder: an unseen or empty text belongs to no
category, as in training.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper

from training.errors import DataError, ExportError
from training.recipe import export
from training.recipe.datasets.encoding import ColumnEncoding

TYPES: Final = {"FP32": TensorProto.FLOAT, "INT64": TensorProto.INT64, "BYTES": TensorProto.STRING}
"""ONNX's element types by the Open Inference Protocol's names."""
ML_DOMAIN: Final = "ai.onnx.ml"
ML_OPSET: Final = 1
"""Opset version since which OneHotEncoder exists."""
INNER: Final = "row."
"""Prefix of the names that this module adds."""


def wrap_in_columns(content: bytes, columns: Sequence[ColumnEncoding]) -> bytes:
    """Returns the model with these inputs instead of the one tensor. Raises DataError if a column's name is taken."""
    model = onnx.ModelProto.FromString(content)
    graph = model.graph
    names = {column.name for column in columns}
    check_names(columns, [one.name for one in (*graph.initializer, *graph.output)])
    made = {name for node in _find_nodes(graph) for name in node.output}
    _rename(graph, {name: f"{INNER}{name}" for name in {export.INPUT, *(names & made)}})
    own = list(graph.node)
    del graph.input[:], graph.node[:]
    graph.input.extend(
        helper.make_tensor_value_info(column.name, TYPES[column.datatype], ["batch", 1]) for column in columns
    )
    graph.node.extend([*_make_encoder(columns), *own])
    if ML_DOMAIN not in {one.domain for one in model.opset_import}:
        model.opset_import.append(helper.make_opsetid(ML_DOMAIN, ML_OPSET))
    onnx.checker.check_model(model, full_check=True)
    whole: bytes = model.SerializeToString(deterministic=True)
    return whole


def check_names(columns: Sequence[ColumnEncoding], taken: Sequence[str]) -> None:
    """Raises DataError for a column whose name is already used in the model."""
    for name in sorted({column.name for column in columns} & set(taken)):
        raise DataError(f"the column name {name!r} is reserved for the model", "rename the column")


def decode(columns: Sequence[ColumnEncoding], features_RF: torch.Tensor) -> dict[str, np.ndarray[Any, Any]]:
    """Returns the columns that these rows were encoded from, (R, 1) each."""
    found, at = {}, 0
    for column in columns:
        width = len(column.feature_names)
        found[column.name] = column.decode(features_RF[:, at : at + width].numpy())
        at += width
    return found


def check(
    content: bytes, columns: Sequence[ColumnEncoding], features_RF: torch.Tensor, expected_RK: torch.Tensor
) -> None:
    """Raises ExportError if the model's answers for columns differ from the inner model's answers for their encoded
    rows.
    """
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (answer_RK,) = session.run(None, decode(columns, features_RF))
    if not np.array_equal(answer_RK, expected_RK.numpy()):
        raise ExportError(
            "the model's answers for columns differ from those for encoded rows", "internal error; please report it"
        )


def make_decoder(column: ColumnEncoding, first: int, wanted: str, kind: int) -> Iterator[onnx.NodeProto]:
    """Yields nodes from our one tensor to this column of the table, (batch, 1), in the ONNX element type that a foreign
    model takes.

    `first` is the start of its part of the tensor. A row of no category becomes an empty text, or a number that no
    category has. The operators exist in every opset from 10 on.
    """
    own, width = f"{wanted}.part", len(column.feature_names)
    bounds = {f"{wanted}.first": [first], f"{wanted}.end": [first + width], f"{wanted}.axis": [1]}
    for name, values in bounds.items():
        yield make_constant(name, TensorProto.INT64, values)
    yield helper.make_node("Slice", [export.INPUT, *bounds], [own])
    if column.categories is not None:
        yield from _make_names(column, own)
        own = f"{own}.name"
    yield (
        helper.make_node("Identity", [own], [wanted])
        if kind == TYPES[column.datatype]
        else helper.make_node("Cast", [own], [wanted], to=kind)
    )


def make_constant(name: str, kind: int, values: Sequence[Any], shape: Sequence[int] = ()) -> onnx.NodeProto:
    """Makes a node with these values, flat unless a shape is given."""
    encoded: Any = [value.encode() if isinstance(value, str) else value for value in values]
    return helper.make_node("Constant", [], [name], value=helper.make_tensor("", kind, shape or [len(values)], encoded))


def _make_names(column: ColumnEncoding, one_hot: str) -> Iterator[onnx.NodeProto]:
    """Yields nodes for the category of each row by its position, which is the last one if no other is 1."""
    names = column.names.tolist()
    yield make_constant(f"{one_hot}.ones", TensorProto.FLOAT, [1.0] * (len(names) - 1), [len(names) - 1, 1])
    yield helper.make_node("MatMul", [one_hot, f"{one_hot}.ones"], [f"{one_hot}.any"])
    yield make_constant(f"{one_hot}.half", TensorProto.FLOAT, [0.5])
    yield helper.make_node("Sub", [f"{one_hot}.half", f"{one_hot}.any"], [f"{one_hot}.none"])
    yield helper.make_node("Concat", [one_hot, f"{one_hot}.none"], [f"{one_hot}.all"], axis=1)
    yield helper.make_node("ArgMax", [f"{one_hot}.all"], [f"{one_hot}.position"], axis=1, keepdims=1)
    yield make_constant(f"{one_hot}.names", TYPES[column.datatype], names)
    yield helper.make_node("Gather", [f"{one_hot}.names", f"{one_hot}.position"], [f"{one_hot}.name"], axis=0)


def _make_encoder(columns: Sequence[ColumnEncoding]) -> Iterator[onnx.NodeProto]:
    parts = []
    for at, column in enumerate(columns):
        if column.categories is None:
            parts.append(column.name)
            continue
        encoded, flat = f"{INNER}encoded.{at}", f"{INNER}flat.{at}"
        yield helper.make_node(
            "OneHotEncoder", [column.name], [encoded], domain=ML_DOMAIN, zeros=1, **_make_categories(column)
        )
        yield helper.make_node("Flatten", [encoded], [flat], axis=1)
        parts.append(flat)
    yield helper.make_node("Concat", parts, [f"{INNER}{export.INPUT}"], axis=1)


def _find_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yields all nodes, including those of inner graphs: both branches of an If, and the body of a Loop."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _find_nodes(inner)


def _rename(graph: onnx.GraphProto, others: Mapping[str, str]) -> None:
    for node in _find_nodes(graph):
        for names in (node.input, node.output):
            names[:] = [others.get(name, name) for name in names]
    for value in graph.value_info:
        value.name = others.get(value.name, value.name)


def _make_categories(column: ColumnEncoding) -> dict[str, Any]:
    values = [] if column.categories is None else column.categories.to_pylist()
    return {"cats_int64s": values} if column.datatype == "INT64" else {"cats_strings": values}
