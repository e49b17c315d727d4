"""An ONNX model that was trained elsewhere, in our own form: one input, one output, any number of rows.

It may come from PyTorch, TensorFlow, Keras, scikit-learn or any other source of ONNX. Differences from our form are
adapted by nodes around the model, and the rest is refused. Its own nodes and weights stay as they are.
"""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnx.inliner
import onnxruntime
import torch
from google.protobuf.message import DecodeError
from onnx import TensorProto, compose, helper

from training.errors import ModelError
from training.recipe import columns, export
from training.recipe.datasets.dataset import Dataset, TensorRows
from training.recipe.external import bring_in, find_region, is_external, list_tensors
from training.recipe.foreign_labels import ZIP_MAP, find_column_order, find_label_output
from training.recipe.foreign_scale import Answer, Scale, find_scale
from training.recipe.large_form import refuse_files, write_large_form
from training.weight_files import locations

DOMAINS: Final = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
"""Domains of operators that ONNX Runtime supports."""
PREFIX: Final = "model_"
"""Prefix of every inner name, so that none equals one of ours."""
FLOATS: Final = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)
LARGEST_FILE: Final = 2**31 - 1 - (1 << 20)
"""Largest size of one ONNX file in bytes, minus room for the nodes around the model."""
LOOKED_AT_ROWS: Final = 512
ROWS_OF_A_CLASS: Final = 32


@dataclass(frozen=True)
class ForeignModel:
    """A model in our form: one ONNX file, or a graph whose weights are too large for one and stay in files."""

    graph: bytes
    folder: Path | None = None

    def answers(self, features: torch.Tensor) -> torch.Tensor:
        """Returns the answers for these raw rows, FP32 (R, K)."""
        return export.run(self.graph, features, self.folder)

    def content(self) -> bytes:
        """The content to seal: the file, or the graph with its weights beside it."""
        if self.folder is None:
            refuse_files(self.graph)
            return self.graph
        whole = io.BytesIO()
        for piece in write_large_form(onnx.ModelProto.FromString(self.graph), self.folder):
            whole.write(piece)
        return whole.getvalue()


def load(content: bytes, dataset: Dataset, folder: Path | None = None, largest: int = LARGEST_FILE) -> ForeignModel:
    """Loads a model. Its weights files are below `folder`; they are moved into the model if it then has at most
    `largest` bytes.

    Raises ModelError for a file that is not an ONNX model, or does not fit the data set.
    """
    locations(content)  # refuses an unreadable file before another parser interprets it
    proto = _parse(content)
    outside = _find_weights_outside(proto, folder, largest - len(content))
    features = dataset.rows.first(LOOKED_AT_ROWS)[0]
    raw = _find_raw_output(proto.graph, dataset)
    inputs = _find_inputs(proto)
    before = (
        _wrap_columns(inputs, dataset)
        if len(inputs) > 1
        else _wrap_rows(_describe_given(inputs[0], dataset, features), dataset, features)
    )
    model = compose.add_prefix(proto, PREFIX)
    own = [node for node in model.graph.node if node.op_type != ZIP_MAP]
    nodes = [*before, *own]
    plain = ForeignModel(_assemble(model, nodes, PREFIX + raw, dataset, features), outside)
    first_RK = _compute_answers(plain, features, dataset)
    _check_shape(first_RK, dataset)
    meaning = None
    if dataset.task == "classification":
        said = find_label_output(proto.graph)
        rows, numbers, labelled = features, first_RK, None
        if said is not None:
            rows = _take_of_each_class(dataset, features)
            labels = ForeignModel(_assemble(model, nodes, PREFIX + said, dataset, features), outside)
            labelled = _compute_answers(labels, rows, dataset)
            numbers = _compute_answers(plain, rows, dataset)
        table = numbers.reshape(len(rows), -1)
        flat = onnx.inliner.inline_local_functions(proto) if proto.functions else proto
        scale = find_scale(flat.graph, raw, table)
        meaning = scale, find_column_order(proto.graph, dataset.classes, table, scale, labelled)
    nodes += _wrap_answer(first_RK.size // len(first_RK), dataset, PREFIX + raw, meaning)
    whole = ForeignModel(_assemble(model, nodes, export.find_output_name(dataset.task), dataset, features), outside)
    _check_rows(whole, features, dataset)
    return whole


def _take_of_each_class(dataset: Dataset, features: torch.Tensor) -> torch.Tensor:
    """Returns these rows, and if all are in memory, the first of each class: a file may be sorted by class."""
    rows = dataset.rows
    if not isinstance(rows, TensorRows):
        return features
    found = [torch.nonzero(rows.target == number).flatten()[:ROWS_OF_A_CLASS] for number in range(len(dataset.classes))]
    return torch.cat([features, rows.features[torch.cat(found)]])


def _parse(content: bytes) -> onnx.ModelProto:
    try:
        proto: onnx.ModelProto = onnx.ModelProto.FromString(content)
    except DecodeError:
        proto = onnx.ModelProto()
    if not proto.graph.node:
        raise ModelError("model is not an ONNX file, or has no nodes", "export the model to ONNX again")
    known = {*DOMAINS, *(function.domain for function in proto.functions)}
    foreign = sorted({one.domain for one in proto.opset_import} - known)
    if foreign:
        raise ModelError(
            f"model uses operators of {', '.join(foreign)}, which ONNX Runtime does not support",
            f"export it with operators of {', '.join(filter(None, DOMAINS))} only",
        )
    return proto


def _find_weights_outside(proto: onnx.ModelProto, folder: Path | None, room: int) -> Path | None:
    """Returns the folder if the weights stay in its files, or None if they are in the model now. Raises ModelError."""
    external = [tensor for tensor in list_tensors(proto) if is_external(tensor)]
    if not external:
        return None
    if folder is None:
        raise ModelError(
            "model keeps its weights in other files, which its URL does not give",
            "give the path of the model with its files, or save it as one file: onnx.save(onnx.load(path), other_path)",
        )
    if sum(find_region(tensor, folder).size for tensor in external) > room:
        return folder
    for tensor in external:
        bring_in(tensor, folder)
    return None


@dataclass(frozen=True)
class InputForm:
    """Form of the model's input: name, ONNX element type, and declared shape after the batch (0 means any)."""

    name: str
    kind: int
    shape: tuple[int, ...]


def _find_inputs(proto: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    weights = {tensor.name for tensor in proto.graph.initializer}
    inputs = [one for one in proto.graph.input if one.name not in weights]
    for one in inputs:
        if not one.type.HasField("tensor_type"):
            raise ModelError(
                f"model has the input {one.name!r}, which is not a tensor", "export it with tensors as inputs"
            )
    if not inputs:
        raise ModelError("model has no inputs", "export it with the features of a row as its input")
    return inputs


def _describe_given(one: onnx.ValueInfoProto, dataset: Dataset, features: torch.Tensor) -> InputForm:
    kind = one.type.tensor_type
    if kind.elem_type == TensorProto.STRING:
        raise ModelError(
            f"model takes a whole row as one text, {one.name!r}",
            "export it for numbers, or with one input for each column, named like the column",
        )
    shape = tuple(one.dim_value for one in kind.shape.dim[1:])
    if kind.HasField("shape") and not (_fits(shape, dataset.shape) or _fits(shape, _find_channels_last(dataset.shape))):
        raise ModelError(
            f"model takes rows of shape {_show(shape)}, but the rows of {dataset.name} have the shape "
            f"{_show(dataset.shape)}",
            "use the data set that the model was trained for",
        )
    return InputForm(one.name, kind.elem_type, shape if kind.HasField("shape") else dataset.shape)


def _find_raw_output(graph: onnx.GraphProto, dataset: Dataset) -> str:
    """Returns the name of its numeric output. Looks behind a ZipMap, which makes a dictionary of each row's numbers."""
    zipped: dict[str, str] = {node.output[0]: node.input[0] for node in graph.node if node.op_type == ZIP_MAP}
    for one in graph.output:
        if one.name in zipped:
            return zipped[one.name]
    numbers: list[str] = [one.name for one in graph.output if one.type.tensor_type.elem_type in FLOATS]
    if len(numbers) != 1:
        names = ", ".join(one.name for one in graph.output)
        raise ModelError(
            f"model has {len(numbers)} outputs of floating-point numbers; its outputs: {names}",
            f"export it with exactly one: {'probabilities' if dataset.task == 'classification' else 'the prediction'}",
        )
    return numbers[0]


def _wrap_columns(inputs: list[onnx.ValueInfoProto], dataset: Dataset) -> Iterator[onnx.NodeProto]:
    """Yields nodes from our one tensor to an input for each column, by its name, as scikit-learn's converter makes for
    a data frame.

    Raises ModelError for an input that is not a column, or has another type.
    """
    starts, at = {}, 0
    for column in dataset.columns:
        starts[column.name] = column, at
        at += len(column.feature_names)
    strangers = [one.name for one in inputs if one.name not in starts]
    if strangers:
        raise ModelError(
            f"model has {len(inputs)} inputs, but {dataset.name} has no column {', '.join(map(repr, strangers))}",
            "export it with one input for a whole row, or one for each column; its columns: "
            f"{', '.join(starts) or 'none'}",
        )
    for one in inputs:
        column, first = starts[one.name]
        kind = one.type.tensor_type
        if (kind.elem_type == TensorProto.STRING) != (column.datatype == "BYTES"):
            raise ModelError(
                f"model takes {one.name!r} as {TensorProto.DataType.Name(kind.elem_type).lower()}; the column has "
                f"{'texts' if column.datatype == 'BYTES' else 'numbers'}",
                "export it for the type of the column",
            )
        flat = len(kind.shape.dim) == 1 and kind.HasField("shape")
        wanted = f"{PREFIX}{one.name}"
        yield from columns.make_decoder(column, first, f"{wanted}.column" if flat else wanted, kind.elem_type)
        if flat:
            yield columns.make_constant(f"{wanted}.flat", TensorProto.INT64, [-1])
            yield helper.make_node("Reshape", [f"{wanted}.column", f"{wanted}.flat"], [wanted])


def _wrap_rows(given: InputForm, dataset: Dataset, features: torch.Tensor) -> Iterator[onnx.NodeProto]:
    """Yields nodes from our input to the model's: with channels last if it needs that (TensorFlow), and its element
    type.
    """
    name = export.INPUT
    wanted = PREFIX + given.name
    if not _fits(given.shape, dataset.shape):
        yield helper.make_node("Transpose", [name], ["channels_last"], perm=[0, 2, 3, 1])
        name = "channels_last"
    kind = _find_kind(features)
    yield (
        helper.make_node("Identity", [name], [wanted])
        if given.kind == kind
        else helper.make_node("Cast", [name], [wanted], to=given.kind)
    )


def _check_shape(answer: Answer, dataset: Dataset) -> None:
    """Raises ModelError unless the model gives each row the number of values that the data set needs."""
    rows = min(LOOKED_AT_ROWS, len(dataset.rows))
    width = answer.size // rows
    if answer.shape not in ((rows,), (rows, width)) or width not in (dataset.outputs, 1 if dataset.outputs <= 2 else 0):
        raise ModelError(
            f"model answers {rows} rows with an array of shape {answer.shape}; {dataset.name} needs "
            f"{(rows, dataset.outputs)}",
            "use the data set that the model was trained for",
        )


def _wrap_answer(
    width: int, dataset: Dataset, raw: str, meaning: tuple[Scale, list[int]] | None
) -> list[onnx.NodeProto]:
    """Makes nodes from the model's answer to ours, with columns in the order of the data's classes.

    `meaning`: what a classifier's numbers are, and the order of its columns.
    """
    wanted = export.find_output_name(dataset.task)
    nodes = [helper.make_node("Cast", [raw], ["floats"], to=TensorProto.FLOAT)]
    table = helper.make_tensor("", TensorProto.INT64, [2], [-1, width])
    nodes += [
        helper.make_node("Constant", [], ["table_shape"], value=table),
        helper.make_node("Reshape", ["floats", "table_shape"], ["table"]),
    ]
    if meaning is None:
        return [*nodes, helper.make_node("Identity", ["table"], [wanted])]
    scale, order = meaning
    if scale == "margins":
        half = helper.make_tensor("", TensorProto.FLOAT, [1], [0.5])  # softmax of (-s/2, s/2) is the sigmoid of s
        nodes += [helper.make_node("Constant", [], ["half"], value=half),
                  helper.make_node("Mul", ["table", "half"], ["halves"]),
                  helper.make_node("Softmax", ["halves"], ["sure"], axis=1)]  # fmt: skip
        return [*nodes, *_make_order("sure", wanted, order)]
    if width > 1:
        last = (
            helper.make_node("Identity", ["table"], ["sure"])
            if scale == "probabilities"
            else helper.make_node("Softmax", ["table"], ["sure"], axis=1)
        )
        return [*nodes, last, *_make_order("sure", wanted, order)]
    one = helper.make_tensor("", TensorProto.FLOAT, [1], [1.0])
    return [
        *nodes,
        helper.make_node("Identity" if scale == "probabilities" else "Sigmoid", ["table"], ["second"]),
        helper.make_node("Constant", [], ["one"], value=one),
        helper.make_node("Sub", ["one", "second"], ["first"]),
        helper.make_node("Concat", ["first", "second"] if order == [0, 1] else ["second", "first"], [wanted], axis=1),
    ]


def _make_order(given: str, wanted: str, order: list[int]) -> list[onnx.NodeProto]:
    if order == sorted(order):
        return [helper.make_node("Identity", [given], [wanted])]
    columns = helper.make_tensor("", TensorProto.INT64, [len(order)], order)
    return [
        helper.make_node("Constant", [], ["class_order"], value=columns),
        helper.make_node("Gather", [given, "class_order"], [wanted], axis=1),
    ]


def _assemble(
    model: onnx.ModelProto, nodes: list[onnx.NodeProto], output: str, dataset: Dataset, features: torch.Tensor
) -> bytes:
    """Returns one file with our input and this output."""
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(export.INPUT, _find_kind(features), ["batch", *dataset.shape])],
        [helper.make_empty_tensor_value_info(output)],
        list(model.graph.initializer),
        sparse_initializer=list(model.graph.sparse_initializer),
    )
    if output == export.find_output_name(dataset.task):
        graph.output[0].CopyFrom(helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", dataset.outputs]))
    opsets = {one.domain: one.version for one in model.opset_import}
    if "" not in opsets and "ai.onnx" not in opsets:
        opsets[""] = export.OPSET
    proto = helper.make_model(
        graph,
        functions=list(model.functions),
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in sorted(opsets.items())],
        ir_version=model.ir_version,
    )
    export.clear_origins(proto)
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def _compute_answers(model: ForeignModel, features: torch.Tensor, dataset: Dataset) -> Answer:
    """Returns the answers for the first rows, in the model's shape. Raises ModelError if ONNX Runtime cannot run it."""
    try:
        (answer,) = export.make_session(model.graph, model.folder).run(None, {export.INPUT: features.numpy()})
    except Exception as error:
        said = " ".join(str(error).split())
        raise ModelError(
            f"model cannot be run on {len(features)} rows of {dataset.name}: {said}",
            f"export it for any number of rows, with an opset that onnxruntime {onnxruntime.__version__} supports",
        ) from error
    return np.asarray(answer)


def _check_rows(model: ForeignModel, features: torch.Tensor, dataset: Dataset) -> None:
    """Raises ModelError unless each row gets the same answer alone as in a batch."""
    together = _compute_answers(model, features[:2], dataset)
    alone = _compute_answers(model, features[:1], dataset)
    if alone.shape != (1, dataset.outputs) or not np.allclose(alone, together[:1], rtol=1e-4, atol=1e-5):
        raise ModelError(
            "model gives another answer for a row alone than for the same row in a batch",
            "export it in evaluation mode, for batches of any size",
        )


def _find_kind(features: torch.Tensor) -> int:
    return int(TensorProto.FLOAT if features.is_floating_point() else TensorProto.INT64)


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(one in (0, other) for one, other in zip(shape, wanted, strict=True))


def _find_channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[1:], shape[0]) if len(shape) == 3 else shape


def _show(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(str(one) if one else "any" for one in shape) + ")"
