"""What /openapi.json says of a request and an answer, word for word: a client generator makes its types of it."""

from typing import Any

import pytest
from onnx import TensorProto, helper

from sealift.serving.model import Model
from sealift.serving.protocol.open_inference_schema import MOST_SHOWN, answer_schema, request_example, request_schema
from sealift.serving.tensor import ANY, Tensor
from tests.unit.serving.protocol.test_datatypes import ONNX
from tests.unit.serving.tiny import DESCRIPTION, onnx_model

ELEMENTS: dict[str, dict[str, object]] = {
    "BOOL": {"type": "boolean"},
    "BYTES": {"type": "string"},
    "FP16": {"type": "number"},
    "FP32": {"type": "number"},
    "FP64": {"type": "number"},
    "INT8": {"type": "integer", "minimum": -128, "maximum": 127},
    "INT16": {"type": "integer", "minimum": -32_768, "maximum": 32_767},
    "INT32": {"type": "integer", "minimum": -2_147_483_648, "maximum": 2_147_483_647},
    "INT64": {"type": "integer", "minimum": -9_223_372_036_854_775_808, "maximum": 9_223_372_036_854_775_807},
    "UINT8": {"type": "integer", "minimum": 0, "maximum": 255},
    "UINT16": {"type": "integer", "minimum": 0, "maximum": 65_535},
    "UINT32": {"type": "integer", "minimum": 0, "maximum": 4_294_967_295},
    "UINT64": {"type": "integer", "minimum": 0, "maximum": 18_446_744_073_709_551_615},
}
SCALARS: dict[str, Any] = {
    "type": ["object", "null"],
    "additionalProperties": {"type": ["boolean", "number", "string", "null"]},
}


def flat(element: dict[str, object]) -> dict[str, object]:
    return {"type": "array", "items": element}


def test_a_request_in_full() -> None:
    assert request_schema(Model(onnx_model(), DESCRIPTION)) == {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "parameters": SCALARS,
            "inputs": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1,
                "allOf": [{"contains": {"properties": {"name": {"const": "input"}}}}],
                "items": {
                    "type": "object",
                    "required": ["name", "shape", "datatype", "data"],
                    "properties": {
                        "name": {"const": "input"},
                        "shape": {
                            "type": "array",
                            "minItems": 2,
                            "maxItems": 2,
                            "prefixItems": [{"type": "integer", "minimum": 1}, {"const": 3}],
                        },
                        "datatype": {"const": "FP32"},
                        "data": {"anyOf": [flat({"type": "number"}), flat(flat({"type": "number"}))]},
                        "parameters": SCALARS | {"properties": {"binary_data_size": {"type": "null"}}},
                    },
                },
            },
            "outputs": {
                "type": ["array", "null"],
                "items": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"enum": ["prediction"]},
                        "parameters": SCALARS
                        | {
                            "properties": {
                                "binary_data": {"type": ["boolean", "null"]},
                                "classification": {"type": ["integer", "null"], "minimum": 0},
                            }
                        },
                    },
                },
            },
        },
        "examples": [{"inputs": [{"name": "input", "shape": [1, 3], "datatype": "FP32", "data": [0, 0, 0]}]}],
    }


def test_several_inputs_are_each_there_once_in_any_order() -> None:
    inputs = request_schema(Model(onnx_model("Add", ("left", "right")), {}))["properties"]["inputs"]

    assert (inputs["minItems"], inputs["maxItems"]) == (2, 2)
    assert inputs["allOf"] == [{"contains": {"properties": {"name": {"const": name}}}} for name in ("left", "right")]
    assert [one["properties"]["name"] for one in inputs["items"]["oneOf"]] == [{"const": "left"}, {"const": "right"}]


@pytest.mark.parametrize("datatype", ONNX)
def test_each_datatype_has_its_own_elements_and_a_row_of_nothing(datatype: str) -> None:
    model = Model(onnx_model("Identity", ("input",), ONNX[datatype]), {})
    data = request_schema(model)["properties"]["inputs"]["items"]["properties"]["data"]

    assert data == {"anyOf": [flat(ELEMENTS[datatype]), flat(flat(ELEMENTS[datatype]))]}
    example = request_example(model)
    nothing = {"BOOL": False, "BYTES": ""}.get(datatype, 0)
    assert example is not None and repr(example["inputs"][0]["data"]) == repr([nothing] * 3)


def test_all_datatypes_are_held_here() -> None:
    assert ELEMENTS.keys() == set(ONNX)


@pytest.mark.parametrize(
    ("sizes", "nestings", "prefix"),
    [
        (["batch"], 0, [{"type": "integer", "minimum": 1}]),
        ([2], 0, [{"const": 2}]),
        (
            ["batch", 2, "width"],
            2,
            [{"type": "integer", "minimum": 1}, {"const": 2}, {"type": "integer", "minimum": 1}],
        ),
    ],
)
def test_data_is_flat_or_nested_as_its_shape(sizes: list[str | int], nestings: int, prefix: list[Any]) -> None:
    properties = request_schema(identity(sizes))["properties"]["inputs"]["items"]["properties"]

    rank = len(sizes)
    assert properties["shape"] == {"type": "array", "minItems": rank, "maxItems": rank, "prefixItems": prefix}
    nested = flat({"type": "number"})
    for _ in range(nestings):
        nested = flat(nested)
    assert properties["data"] == ({"anyOf": [flat({"type": "number"}), nested]} if nestings else nested)


def test_a_single_value_has_an_empty_shape() -> None:
    properties = request_schema(identity([]))["properties"]["inputs"]["items"]["properties"]

    assert properties["shape"] == {"type": "array", "minItems": 0, "maxItems": 0}
    assert properties["data"] == flat({"type": "number"})


@pytest.mark.parametrize(("width", "shown"), [(1024, True), (1025, False)])
def test_an_example_has_1024_values_at_most(width: int, shown: bool) -> None:
    schema, example = request_schema(identity(["batch", width])), request_example(identity(["batch", width]))

    assert (MOST_SHOWN, bool(schema["examples"]), example is not None) == (1024, shown, shown)


def identity(sizes: list[str | int]) -> Model:
    """A model that gives back FP32 of this shape."""
    given, same = (helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes) for name in ("input", "same"))
    graph = helper.make_graph([helper.make_node("Identity", ["input"], ["same"])], "same", [given], [same])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return Model(made.SerializeToString(), {})


def output(name: str, datatype: str) -> dict[str, object]:
    return {
        "type": "object",
        "required": ["name", "shape", "datatype"],
        "properties": {
            "name": {"const": name},
            "shape": flat({"type": "integer", "minimum": 0}),
            "datatype": {"enum": sorted({datatype, "BYTES"})},
            "data": flat({"anyOf": [ELEMENTS[datatype], {"type": "string"}]}),
            "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer", "minimum": 0}}},
        },
    }


def test_an_answer_in_full() -> None:
    tensors = [Tensor("scores", (ANY, 2)), Tensor("label", (ANY, 1), "BYTES"), Tensor("id", (ANY,), "INT64")]
    expected = {
        "type": "object",
        "required": ["model_name", "model_version", "outputs"],
        "properties": {
            "model_name": {"const": "m"},
            "model_version": {"type": "string"},
            "id": {"type": "string"},
            "parameters": SCALARS,
            "outputs": flat({"anyOf": [output("scores", "FP32"), output("label", "BYTES"), output("id", "INT64")]}),
        },
    }

    assert answer_schema("m", tensors) == expected
    assert answer_schema("m", tensors[:1])["properties"]["outputs"] == flat(output("scores", "FP32"))
