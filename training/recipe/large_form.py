"""An ONNX model as a graph with its large weights beside it (docs/reference/format-v1.md), in pieces.

A bare ONNX file is limited to 2 GB. Weights in files are read while they are written: besides the model, at most one
weight in memory, or a piece of one in a file, is held at any time.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sealift.contents.plain_model import LARGEST_GRAPH, Weight, make_header, padding_bytes
from training.errors import ModelError
from training.recipe.external import bring_in, count_bytes, find_region, is_external, list_tensors
from training.weight_files import locations

LARGE_BYTES: Final = 1024
"""Smallest size in bytes of a weight that is taken out of the graph. Smaller ones are often shapes, which ONNX Runtime
needs when it loads the graph.
"""
HERE: Final = Path()
DATATYPES: Final[dict[int, str]] = {
    TensorProto.UINT8: "UINT8", TensorProto.UINT16: "UINT16", TensorProto.UINT32: "UINT32",
    TensorProto.UINT64: "UINT64", TensorProto.INT8: "INT8", TensorProto.INT16: "INT16", TensorProto.INT32: "INT32",
    TensorProto.INT64: "INT64", TensorProto.FLOAT16: "FP16", TensorProto.FLOAT: "FP32", TensorProto.DOUBLE: "FP64",
}  # fmt: skip
"""Datatypes that NumPy has too. Weights of others stay in the graph."""


def write_large_form(proto: onnx.ModelProto, folder: Path = HERE) -> Iterator[bytes | memoryview]:
    """Yields the bytes, which are equal for equal models. `proto` loses its large weights; weights files are below
    `folder`.

    Raises ModelError if files differ from the model's declaration, or if the rest exceeds 2 GB.
    """
    weights = _take_out(proto.graph)
    for one in filter(is_external, list_tensors(proto)):
        bring_in(one, folder)
    graph = _serialize(proto)
    header = make_header(len(graph), [Weight(one.name, DATATYPES[one.data_type], tuple(one.dims)) for one in weights])
    yield header
    yield graph
    position = len(header) + len(graph)
    for weight in weights:
        padding = padding_bytes(position)
        yield bytes(padding)
        yield from _read_content(weight, folder)
        position += padding + count_bytes(weight)


def _take_out(graph: onnx.GraphProto) -> list[TensorProto]:
    """Takes out the large weights, which become inputs of the graph."""
    answers = {one.name for one in graph.output}
    weights, others = list[TensorProto](), list[TensorProto]()
    for one in graph.initializer:
        large = one.data_type in DATATYPES and count_bytes(one) >= LARGE_BYTES and one.name not in answers
        (weights if large else others).append(one)
    names = {one.name for one in weights}
    inputs = [one for one in graph.input if one.name not in names]
    inputs += [helper.make_tensor_value_info(one.name, one.data_type, list(one.dims)) for one in weights]
    for field, values in (("input", inputs), ("initializer", others)):
        graph.ClearField(field)
        getattr(graph, field).extend(values)
    return weights


def _serialize(proto: onnx.ModelProto) -> bytes:
    if proto.ByteSize() > LARGEST_GRAPH:
        raise ModelError(
            "model exceeds the limit of 2 GB besides its weights of 8 to 64 bits",
            "keep the weights as initializers of the graph, in a datatype that NumPy has",
        )
    content: bytes = proto.SerializeToString(deterministic=True)
    refuse_files(content)
    return content


def refuse_files(graph: bytes) -> None:
    """Raises ModelError for a graph with weights in files, which the server would not open."""
    if locations(graph):
        raise ModelError("model keeps weights in other files in a place that the sealed format does not support")


def _read_content(weight: TensorProto, folder: Path) -> Iterator[bytes | memoryview]:
    if is_external(weight):
        yield from find_region(weight, folder).pieces()
    else:
        array = np.ascontiguousarray(numpy_helper.to_array(weight))
        if array.nbytes != count_bytes(weight):
            raise ModelError(f"model gives the weight {weight.name!r} a size other than {count_bytes(weight):,} bytes")
        yield array.data.cast("B")
