"""JSON Schemas (2020-12) of inference requests and responses for one model's tensors.

A schema cannot express that `data` has as many elements as `shape` requires; the example shows it.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sealift.serving.model import Model
from sealift.serving.tensor import ANY, KINDS, Tensor

Schema = dict[str, Any]

PARAMETERS: Final[Schema] = {
    "type": ["object", "null"],
    "additionalProperties": {"type": ["boolean", "number", "string", "null"]},
}
NOT_NUMBERS: Final = {"BYTES": {"type": "string"}, "BOOL": {"type": "boolean"}}
MOST_SHOWN: Final = 1024
"""Limit on elements of an example. A larger one would dominate the document."""


def request_schema(model: Model) -> Schema:
    """Makes the schema of a request for this model."""
    inputs = [_input(tensor) for tensor in model.inputs.values()]
    example = request_example(model)
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "parameters": PARAMETERS,
            "inputs": {
                "type": "array",
                "minItems": len(inputs),
                "maxItems": len(inputs),
                "allOf": [{"contains": {"properties": {"name": {"const": name}}}} for name in model.inputs],
                "items": {"oneOf": inputs} if len(inputs) > 1 else inputs[0],
            },
            "outputs": {"type": ["array", "null"], "items": _make_output_schema(list(model.outputs))},
        },
        "examples": [example] if example else [],
    }


def answer_schema(name: str, tensors: Iterable[Tensor]) -> Schema:
    """Makes the schema of a response of the model `name`, with some of these tensors."""
    outputs = [_output(tensor) for tensor in tensors]
    return {
        "type": "object",
        "required": ["model_name", "model_version", "outputs"],
        "properties": {
            "model_name": {"const": name},
            "model_version": {"type": "string"},
            "id": {"type": "string"},
            "parameters": PARAMETERS,
            "outputs": {"type": "array", "items": {"anyOf": outputs} if len(outputs) > 1 else outputs[0]},
        },
    }


def request_example(model: Model) -> Schema | None:
    """Makes a request with one row of zeros or empty texts. None if it would be long."""
    inputs = []
    for tensor in model.inputs.values():
        shape = [1 if size == ANY else size for size in tensor.shape]
        if math.prod(shape) > MOST_SHOWN:
            return None
        nothing: object = {"BYTES": "", "BOOL": False}.get(tensor.datatype, 0)
        data = [nothing] * math.prod(shape)
        inputs.append({"name": tensor.name, "shape": shape, "datatype": tensor.datatype, "data": data})
    return {"inputs": inputs}


def _input(tensor: Tensor) -> Schema:
    sizes = [{"type": "integer", "minimum": 1} if size == ANY else {"const": size} for size in tensor.shape]
    shape: Schema = {"type": "array", "minItems": len(sizes), "maxItems": len(sizes)}
    return {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"const": tensor.name},
            "shape": shape | ({"prefixItems": sizes} if sizes else {}),
            "datatype": {"const": tensor.datatype},
            "data": _data(tensor.datatype, len(tensor.shape)),
            "parameters": {**PARAMETERS, "properties": {"binary_data_size": {"type": "null"}}},
        },
    }


def _output(tensor: Tensor) -> Schema:
    """Schema of an output. Its data may follow the JSON, and is texts if classes were requested."""
    return {
        "type": "object",
        "required": ["name", "shape", "datatype"],
        "properties": {
            "name": {"const": tensor.name},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "datatype": {"enum": sorted({tensor.datatype, "BYTES"})},
            "data": {"type": "array", "items": {"anyOf": [_element(tensor.datatype), {"type": "string"}]}},
            "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer", "minimum": 0}}},
        },
    }


def _data(datatype: str, rank: int) -> Schema:
    """Schema of data: flat, or nested like its shape."""
    flat: Schema = {"type": "array", "items": _element(datatype)}
    nested = flat
    for _ in range(rank - 1):
        nested = {"type": "array", "items": nested}
    return flat if rank < 2 else {"anyOf": [flat, nested]}


def _element(datatype: str) -> Mapping[str, object]:
    if datatype in NOT_NUMBERS:
        return NOT_NUMBERS[datatype]
    kind = KINDS[datatype]
    if kind.kind == "f":
        return {"type": "number"}
    bits = 8 * kind.itemsize
    least, most = (0, 2**bits - 1) if kind.kind == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return {"type": "integer", "minimum": least, "maximum": most}


def _make_output_schema(names: list[str]) -> Schema:
    return {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"enum": names},
            "parameters": {
                **PARAMETERS,
                "properties": {
                    "binary_data": {"type": ["boolean", "null"]},
                    "classification": {"type": ["integer", "null"], "minimum": 0},
                },
            },
        },
    }
