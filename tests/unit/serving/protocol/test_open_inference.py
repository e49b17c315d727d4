"""Requests and responses as bytes: what is taken, what is refused with which words, what comes back."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealift.serving.errors import InvalidAnswer, InvalidInput
from sealift.serving.model import Model
from sealift.serving.protocol import json_numbers, json_texts, open_inference
from sealift.serving.protocol.contract import Fixed, Told
from sealift.serving.protocol.open_inference_answer import AnswerWriter
from sealift.serving.protocol.open_inference_request import Asked, RequestReader
from sealift.serving.tensor import ANY, Array, Tensor
from tests.unit.serving.tiny import DESCRIPTION, onnx_model, request

INPUTS = {"input": Tensor("input", (ANY, 3))}
OUTPUTS = {name: Tensor(name, (ANY, 2)) for name in ("prediction", "spread")}
WRITER = AnswerWriter("m", "1", OUTPUTS, [])
ROW: dict[str, Any] = {"name": "input", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}
EXAMPLE = '{"inputs": [{"name": "input", "shape": [1, 3], "datatype": "FP32", "data": […]}]}'


def parse(body: object, inputs: dict[str, Tensor] = INPUTS) -> Asked:
    if not isinstance(body, bytes):
        body = json.dumps(body).replace(f'"{DEEP}"', "[" * 100_000 + "]" * 100_000).encode()
    return RequestReader(inputs, OUTPUTS).parse(body, None)


def row(**fields: object) -> dict[str, Any]:
    return {"inputs": [ROW | fields]}


def without(name: str) -> dict[str, Any]:
    return {"inputs": [{key: value for key, value in ROW.items() if key != name}]}


DEEP = "DEEP"
"""Stands for a hundred thousand arrays in each other, which `json` cannot write."""


REFUSED: dict[str, tuple[object, tuple[str, ...]]] = {
    "nothing": (b"", ("not JSON", EXAMPLE)),
    "half of it": (b'{"inputs": [', ("not JSON", EXAMPLE)),
    "text after it": (json.dumps(row()).encode() + b"x", ("not JSON", EXAMPLE)),
    "NaN": (b'{"inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","data":[NaN,1,2]}]}', ("not JSON",)),
    "not UTF-8": (b'{"inputs": [{"name": "\xff"}]}', ("not JSON", EXAMPLE)),
    "UTF-16": (json.dumps(row()).encode("utf-16"), ("not JSON", EXAMPLE)),
    "another thing than an object": (b"[]", ("Expected `object`, got `array`", EXAMPLE)),
    "no inputs": ({}, ("missing required field `inputs`", EXAMPLE)),
    "an empty list of inputs": ({"inputs": []}, ("inputs are none", "'input'")),
    "an input of another name": (row(name="x"), ("inputs are 'x'", "expected 'input'")),
    "a name of a thousand letters": (row(name="x" * 1000), ("'xxx", "…", "expected 'input'")),
    "the input twice": ({"inputs": [ROW, ROW]}, ("inputs are 'input', 'input'", "each once")),
    "no name": (without("name"), ("missing required field `name`", "$.inputs[0]")),
    "no shape": (without("shape"), ("missing required field `shape`", EXAMPLE)),
    "no datatype": (without("datatype"), ("missing required field `datatype`", EXAMPLE)),
    "no data": (without("data"), ("has no data", "or the parameter binary_data_size")),
    "another datatype": (row(datatype="FP64"), ("datatype 'FP64'", "expected 'FP32'")),
    "too few columns": (row(shape=[1, 2]), ("shape [1, 2]", "expected [-1, 3]")),
    "too few dimensions": (row(shape=[3]), ("shape [3]", "expected [-1, 3]")),
    "no dimensions": (row(shape=[]), ("shape []", "expected [-1, 3]")),
    "no rows": (row(shape=[0, 3], data=[]), ("shape [0, 3]", "1 or more")),
    "negative rows": (row(shape=[-1, 3]), ("shape [-1, 3]", "1 or more")),
    "rows beyond any memory": (row(shape=[2**62, 3]), ("data of 3 numbers", f"expected {3 * 2**62}")),
    "rows beyond any integer": (row(shape=[10**100, 3]), ("<= 9223372036854775807", "$.inputs[0].shape[0]")),
    "a thousand dimensions": (row(shape=[1] * 1000), ("shape [1, 1", "…", "expected [-1, 3]")),
    "half a row": (row(shape=[1.5, 3]), ("Expected `int`, got `float`",)),
    "fewer numbers than the shape has": (row(shape=[2, 3]), ("data of 3 numbers in shape [3]", "expected 6")),
    "more numbers than the shape has": (row(data=[1, 2, 3, 4]), ("data of 4 numbers in shape [4]", "expected 3")),
    "rows of other lengths than the shape's": (row(shape=[3, 3], data=[[1]] * 9), ("in shape [9, 1]", "expected 9")),
    "rows of different lengths": (row(shape=[2, 3], data=[[1, 2, 3], [4, 5]]), ("different lengths",)),
    "nested too deep": (row(data=[[[1, 2, 3]]]), ("other data", "nested as its shape")),
    "nested after a number": (row(data=[1, [2, 3]]), ("other data", "flat array")),
    "text for a number": (row(data=[1, 2, "3"]), ("Expected `float`, got `str` at [2]",)),
    "true for a number": (row(data=[1, 2, True]), ("Expected `float`, got `bool` at [2]",)),
    "null for a number": (row(data=[1, 2, None]), ("Expected `float`, got `null` at [2]",)),
    "null for data": (row(data=None), ("Expected `array`, got `null`", "flat array")),
    "an object for data": (row(data={"a": 1}), ("Expected `array`, got `object`",)),
    "a number beyond FP32": (row(data=[1, 3.5e38, 2]), ("number at [1]", "beyond FP32")),
    "a number beyond FP64": (
        b'{"inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","data":[1,1e999,2]}]}',
        ("number at [1]", "beyond FP32"),
    ),
    "an output that the model has not": (row() | {"outputs": [{"name": "x"}]}, ("outputs are 'x'", "'prediction'")),
    "an output twice": (row() | {"outputs": [{"name": "spread"}] * 2}, ("'spread', 'spread'", "at most once")),
    "an id that is a number": (row() | {"id": 7}, ("Expected `str | null`, got `int`", "$.id")),
    "a parameter that is a list": (row() | {"parameters": {"a": []}}, ("got `array`", "$.parameters")),
    "a parameter of an input that is an object": (
        row(parameters={"a": {}}), ("got `object`", "$.inputs[0].parameters"),
    ),
    "parameters of an input that are none": (row(parameters="a"), ("got `str`", "$.inputs[0].parameters")),
    "parameters of an input without an end": (
        row(parameters={str(number): 1 for number in range(10_000)}),
        ("inputs[0].parameters have 108,890 bytes; expected at most 65,536",),
    ),
    "a parameter of an output that is an object": (
        row() | {"outputs": [{"name": "spread", "parameters": {"a": {}}}]},
        ("got `object`", "$.outputs[0].parameters"),
    ),
    "classes that are no number": (
        row() | {"outputs": [{"name": "spread", "parameters": {"classification": True}}]},
        ("output 'spread' has classification True; expected a whole number, at least 0",),
    ),
    "binary data that is neither true nor false": (
        row() | {"outputs": [{"name": "spread", "parameters": {"binary_data": 1}}]},
        ("output 'spread' has binary_data 1; expected true or false",),
    ),
    "an integer of 5000 digits in the data": (
        f'{{"inputs":[{{"name":"input","shape":[1,3],"datatype":"FP32","data":[1,{"9" * 5000},2]}}]}}'.encode(),
        ("number at [1]", "beyond FP32"),
    ),
    "an integer of 5000 digits in the shape": (
        f'{{"inputs":[{{"name":"input","shape":[{"9" * 5000},3],"datatype":"FP32","data":[1]}}]}}'.encode(),
        ("$.inputs[0].shape[0]", EXAMPLE),
    ),
    "an integer of 5000 digits for a parameter": (
        (json.dumps(row())[:-1] + f',"parameters":{{"a":{"9" * 5000}}}}}').encode(), ("$.parameters", EXAMPLE),
    ),
    "a hundred thousand arrays in the data": (row(data=DEEP), ("not JSON: maximum recursion depth", EXAMPLE)),
    "a hundred thousand arrays for the inputs": ({"inputs": DEEP}, ("Expected `object`, got `array`", EXAMPLE)),
    "a hundred thousand arrays elsewhere": (row() | {"other": DEEP}, ("not JSON: maximum recursion depth", EXAMPLE)),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_what_was_expected(case: str) -> None:
    body, words = REFUSED[case]

    with pytest.raises(InvalidInput) as refused:
        parse(body)

    assert [word for word in words if word not in refused.value.message] == []
    assert len(refused.value.message) < 500


@pytest.mark.parametrize(
    "data",
    [[1, 2, 3, 4, 5, 6.5], [[1, 2, 3], [4, 5, 6.5]], [1.0, 2e0, 0.3e1, 4, 5, 6.5]],
    ids=["flat", "nested", "mixed"],
)
@pytest.mark.parametrize("indent", [None, 8])
def test_data_may_be_flat_or_nested_and_laid_out_as_one_likes(data: list[Any], indent: int | None) -> None:
    inference = parse(json.dumps(row(shape=[2, 3], data=data), indent=indent).encode())

    (array,) = inference.inputs.values()
    assert (str(array.dtype), array.tolist()) == ("float32", [[1, 2, 3], [4, 5, 6.5]])
    assert list(inference.outputs) == list(OUTPUTS)


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 7, 100, 1000])
def test_data_is_the_same_in_pieces_of_any_size(
    monkeypatch: pytest.MonkeyPatch, piece_bytes: int, indent: int | None, flat: bool
) -> None:
    expected = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    data = expected.ravel().tolist() if flat else expected.tolist()
    monkeypatch.setattr(json_numbers, "PIECE_BYTES", piece_bytes)

    inference = parse(json.dumps(row(shape=[20, 3], data=data), indent=indent).encode())

    assert inference.inputs["input"].tobytes() == expected.tobytes()


@pytest.mark.parametrize("data", ['["1,2",3,4]', "[1,[2,3],4]", '[{"a":1,"b":2},3,4]', "[[1,2],3,4]", "[1,2,[[3]]]"])
@pytest.mark.parametrize("piece_bytes", range(1, 12))
def test_nothing_but_numbers_is_taken_in_pieces_of_any_size(
    monkeypatch: pytest.MonkeyPatch, piece_bytes: int, data: str
) -> None:
    monkeypatch.setattr(json_numbers, "PIECE_BYTES", piece_bytes)

    with pytest.raises(InvalidInput, match="has other data"):
        parse(json.dumps(row(data="DATA")).replace('"DATA"', data).encode())


@pytest.mark.parametrize("piece_bytes", range(1, 12))
def test_rows_of_different_lengths_are_refused_in_pieces_of_any_size(
    monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    monkeypatch.setattr(json_numbers, "PIECE_BYTES", piece_bytes)

    with pytest.raises(InvalidInput, match="different lengths"):
        parse(row(shape=[2, 3], data=[[1, 2, 3, 4], [5, 6]]))


def test_ids_are_whole_numbers_of_64_bits() -> None:
    ids = {"input": Tensor("input", (ANY, 3), "INT64")}

    array = parse(row(datatype="INT64", data=[[1, 2**63 - 1, -(2**63)]]), ids).inputs["input"]

    assert (str(array.dtype), array.tolist()) == ("int64", [[1, 2**63 - 1, -(2**63)]])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
TEXTS = {"input": Tensor("input", (ANY, 3), "BYTES")}


@pytest.mark.parametrize(
    "data", [["a", "", 'Zürich "1"', "\u0000", "東", "6"], [["a", "", 'Zürich "1"'], ["\u0000", "東", "6"]]]
)
def test_texts_are_python_strings_flat_or_nested(data: list[Any]) -> None:
    array = parse(row(datatype="BYTES", shape=[2, 3], data=data), TEXTS).inputs["input"]

    assert (str(array.dtype), array.tolist()) == ("object", [["a", "", 'Zürich "1"'], ["\u0000", "東", "6"]])


@pytest.mark.parametrize(
    ("data", "words"),
    [(["a", 1, "b"], "expected a flat array of texts"), ([["a", "b"], ["c"]], "different lengths"),
     (["a", "b"], "data of 2 texts in shape [2]; expected 3"),
     ([["a"], ["b"], ["c"]], "data of 3 texts in shape [3, 1]"),
     ([["a", ["b"], "c"]], "expected a flat array of texts"), (["a", None, "b"], "expected a flat array of texts"),
     (["a" * json_texts.MOST_BYTES, "b", "c"], "expected at most 4,194,304 in one request")],
)  # fmt: skip
def test_what_is_no_text_is_refused(data: object, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(row(datatype="BYTES", data=data), TEXTS)

    assert words in refused.value.message


@settings(max_examples=200)
@given(JSON)
def test_whatever_json_is_sent_for_texts_it_is_parsed_or_refused(data: object) -> None:
    try:
        inference = parse(row(datatype="BYTES", data=data), TEXTS)
    except InvalidInput as refused:
        json.loads(open_inference.error(refused.message))
    else:
        assert all(isinstance(one, str) for one in inference.inputs["input"].ravel().tolist())


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"data": [1, 1.5, 2]}, "expected a flat array of numbers"), ({"data": [1, 2**63, 2]}, "beyond INT64"),
     ({"datatype": "FP32"}, "expected 'INT64'"), ({"data": [1, "2", 3]}, "expected a flat array of numbers")],
)  # fmt: skip
def test_what_is_no_id_is_refused(fields: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        parse(row(**{"datatype": "INT64", **fields}), {"input": Tensor("input", (ANY, 3), "INT64")})


def test_inputs_must_agree_on_the_number_of_rows() -> None:
    inputs = INPUTS | {"more": Tensor("more", (ANY, 1))}
    more = {"name": "more", "shape": [2, 1], "datatype": "FP32", "data": [1, 2]}

    with pytest.raises(InvalidInput, match="same number of rows"):
        parse({"inputs": [ROW, more]}, inputs)
    assert set(parse({"inputs": [more | {"shape": [1, 1], "data": [1]}, ROW]}, inputs).inputs) == {"input", "more"}


def test_a_response_has_what_the_request_asked_for_its_id_and_its_parameters() -> None:
    parameters = {"trace": "a\u2028b", "deep": False, "share": 0.5, "nothing": None}
    inference = parse(row() | {"id": "7", "parameters": parameters, "outputs": [{"name": "spread"}]})
    arrays: dict[str, Array] = {"spread": np.array([[0.5, -2.0]], np.float32)}

    assert json.loads(WRITER.answer(inference, arrays).body) == {
        "model_name": "m",
        "model_version": "1",
        "id": "7",
        "parameters": parameters,
        "outputs": [{"name": "spread", "shape": [1, 2], "datatype": "FP32", "data": [0.5, -2.0]}],
    }


def test_a_response_without_them_has_no_id_and_no_parameters() -> None:
    inference = parse(row() | {"outputs": [{"name": "spread"}]})
    answer = json.loads(WRITER.answer(inference, {"spread": np.ones((1, 1), np.float32)}).body)

    assert sorted(answer) == ["model_name", "model_version", "outputs"]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_an_answer_that_json_cannot_hold_is_refused_and_its_row_named(number: float) -> None:
    inference = parse(row() | {"outputs": [{"name": "spread"}]})

    with pytest.raises(InvalidAnswer, match="'spread' is not a finite number in row 2"):
        WRITER.answer(inference, {"spread": np.array([[0, 1], [2, 3], [4, number]], np.float32)})


def test_numbers_come_back_exactly() -> None:
    exact = np.array([[0.1, 1e-45, 3.4028235e38, -0.0, 16777217]], np.float32)
    inference = parse(row() | {"outputs": [{"name": "spread"}]})

    data = json.loads(WRITER.answer(inference, {"spread": exact}).body)["outputs"][0]["data"]

    assert np.array(data, np.float32).tobytes() == exact.tobytes()


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["name", "shape", "datatype", "data", "parameters"]), JSON), JSON)
def test_whatever_json_is_sent_it_is_parsed_or_refused(fields: dict[str, object], identity: object) -> None:
    body = json.dumps(row(**fields) | {"id": identity}).encode()
    try:
        inference = parse(body)
    except InvalidInput as refused:
        json.loads(open_inference.error(refused.message))
    else:
        assert inference.inputs["input"].shape[1] == 3


@settings(max_examples=300)
@given(st.binary(max_size=4), st.integers(0, 200), st.integers(0, 8))
def test_whatever_bytes_are_sent_they_are_parsed_or_refused(noise: bytes, at: int, dropped: int) -> None:
    body = json.dumps(request([[1.0, 2.0, 3.0]], id="é")).encode()
    try:
        parse(body[:at] + noise + body[at + dropped :])
    except InvalidInput as refused:
        json.loads(open_inference.error(refused.message))


@pytest.mark.parametrize("beside", ["parameters", "outputs"])
def test_what_stands_beside_the_inputs_is_limited_before_it_is_read(beside: str) -> None:
    """As objects it would take many times its bytes."""
    many = {"parameters": {str(number): 1 for number in range(10_000)}, "outputs": [{"name": "x"}] * 10_000}[beside]

    with pytest.raises(InvalidInput, match=f"{beside} have .* bytes; expected at most 65,536"):
        parse(json.dumps(request([[1, 2, 3]]) | {beside: many}).encode())


@pytest.mark.parametrize("name", ["m", "stats"])
def test_statistics_are_told_of_all_models_and_hide_none_that_is_called_so(name: str) -> None:
    found = open_inference.operations(name, Model(onnx_model(), DESCRIPTION))

    assert isinstance(found[f"/v2/models/{name}/stats"], Told)
    assert isinstance(found["/v2/models/stats"], Fixed if name == "stats" else Told)
