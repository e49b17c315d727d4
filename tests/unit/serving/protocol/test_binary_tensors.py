"""The binary extension, against an independent reading of its bytes by `struct`; and its sizes, each of them wrong."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealift.serving.errors import InvalidInput
from sealift.serving.protocol import binary_tensors, json_texts
from sealift.serving.protocol.open_inference_answer import AnswerWriter
from sealift.serving.protocol.open_inference_request import Asked, RequestReader
from sealift.serving.tensor import ANY, KINDS, Array, Tensor

FORMATS = {
    "BOOL": "?", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q", "INT8": "b", "INT16": "h", "INT32": "i",
    "INT64": "q", "FP16": "e", "FP32": "f", "FP64": "d",
}  # fmt: skip
"""As the module `struct` calls them."""
WIDTHS = {"e": 16, "f": 32, "d": 64}

assert {*FORMATS, "BYTES"} == set(KINDS)


def numbers(kind: str) -> st.SearchStrategy[Any]:
    if kind == "?":
        return st.booleans()
    if kind in WIDTHS:
        return st.floats(width=WIDTHS[kind])  # type: ignore[arg-type]
    bits = 8 * struct.calcsize(f"<{kind}")
    return st.integers(0, 2**bits - 1) if kind.isupper() else st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@st.composite
def packed(draw: st.DrawFn) -> tuple[str, list[int], bytes]:
    """A datatype, a shape and the bytes of a tensor."""
    datatype = draw(st.sampled_from(sorted(FORMATS)))
    shape = draw(st.lists(st.integers(1, 4), max_size=3))
    count = int(np.prod(shape, dtype=int))
    values = draw(st.lists(numbers(FORMATS[datatype]), min_size=count, max_size=count))
    return datatype, shape, struct.pack(f"<{count}{FORMATS[datatype]}", *values)


@given(packed(), st.integers(0, 9))
def test_numbers_are_what_struct_reads_wherever_they_lie_and_come_back_as_they_went(
    tensor: tuple[str, list[int], bytes], before: int
) -> None:
    datatype, shape, data = tensor

    array = binary_tensors.read(memoryview(b"x" * before + data)[before:], datatype, shape)

    assert (list(array.shape), array.dtype, array.flags.aligned) == (shape, KINDS[datatype], True)
    expected = struct.unpack(f"<{array.size}{FORMATS[datatype]}", data)
    assert repr(tuple(array.ravel().tolist())) == repr(expected)  # repr, since NaN is not equal to itself
    assert bytes(binary_tensors.write(array, datatype)) == data


@given(st.lists(st.text(), min_size=1))
def test_texts_are_what_struct_reads_and_come_back_as_they_went(texts: list[str]) -> None:
    data = b"".join(struct.pack(f"<I{len(text.encode())}s", len(text.encode()), text.encode()) for text in texts)

    array = binary_tensors.read(memoryview(data), "BYTES", [len(texts)])

    assert (array.dtype, array.tolist()) == (np.dtype(object), texts)
    assert binary_tensors.write(array, "BYTES") == data


@given(st.binary(max_size=40), st.integers(0, 5))
def test_whatever_bytes_are_sent_for_texts_they_are_read_or_refused(data: bytes, count: int) -> None:
    try:
        array = binary_tensors.read(memoryview(data), "BYTES", [count])
    except ValueError:
        return
    assert binary_tensors.write(array, "BYTES") == data


def test_an_aligned_array_is_a_view_and_copies_nothing() -> None:
    data = bytearray(16)

    array = binary_tensors.read(memoryview(data), "FP32", [1, 4])
    data[:4] = struct.pack("<f", 7.5)

    assert array.tolist() == [[7.5, 0, 0, 0]]


def test_an_array_that_does_not_lie_in_order_is_written_in_its_own() -> None:
    array = np.arange(6, dtype=np.int16).reshape(2, 3).T

    assert bytes(binary_tensors.write(array, "INT16")) == struct.pack("<6h", 0, 3, 1, 4, 2, 5)


def text(value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<I", len(value) if length is None else length) + value


@pytest.mark.parametrize(
    ("datatype", "shape", "data", "words"),
    [("FP32", [2], b"1234567", "7 bytes of binary data; expected 8"),
     ("FP32", [2], b"123456789", "9 bytes of binary data; expected 8"),
     ("INT64", [2**62, 2**62], b"", f"expected {2**127:,}"),
     ("BOOL", [3], b"\x00\x01\x02", "2 for BOOL in byte 2"),
     ("BYTES", [2], text(b"ab"), "6 bytes of binary data; expected at least 8 for 2 texts"),
     ("BYTES", [2**62], text(b"ab"), "for 4,611,686,018,427,387,904 texts"),
     ("BYTES", [1], text(b"ab", 3), "expected text 0 to end there or before, not at 7"),
     ("BYTES", [2], text(b"abcd") + b"12", "ends at 10"),
     ("BYTES", [1], text(b"", 2**32 - 1), "not at 4,294,967,299"),
     ("BYTES", [1], text(b"a") + text(b"b"), "5 bytes of binary data after its 1 text;"),
     ("BYTES", [1], text(b"\xff"), "text 0 in binary data that is not UTF-8"),
     ("BYTES", [1], bytes(json_texts.MOST_BYTES + 1), "expected at most 4,194,304"),],
)  # fmt: skip
def test_bytes_that_are_no_such_tensor_are_refused(datatype: str, shape: list[int], data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        binary_tensors.read(memoryview(data), datatype, shape)


INPUTS = {"left": Tensor("left", (ANY, 2), "INT32"), "right": Tensor("right", (ANY, 1), "BYTES")}
OUTPUTS = {"sum": Tensor("sum", (ANY, 2), "FP32"), "name": Tensor("name", (ANY, 1), "BYTES")}
LEFT: dict[str, Any] = {"name": "left", "shape": [1, 2], "datatype": "INT32"}
RIGHT: dict[str, Any] = {"name": "right", "shape": [1, 1], "datatype": "BYTES"}


def sized(item: dict[str, Any], size: object) -> dict[str, Any]:
    return item | {"parameters": {"binary_data_size": size}}


def parse(inputs: list[dict[str, Any]], data: bytes = b"", json_bytes: int | None = None, **fields: Any) -> Asked:
    head = json.dumps({"inputs": inputs} | fields).encode()
    return RequestReader(INPUTS, OUTPUTS).parse(head + data, len(head) if json_bytes is None else json_bytes)


@pytest.mark.parametrize("order", [1, -1])
def test_inputs_lie_in_the_order_of_the_json(order: int) -> None:
    parts = [(sized(LEFT, 8), struct.pack("<2i", 7, -8)), (sized(RIGHT, 7), text("é!".encode()))][::order]

    inputs = parse([item for item, _ in parts], b"".join(data for _, data in parts)).inputs

    assert {name: array.tolist() for name, array in inputs.items()} == {"left": [[7, -8]], "right": [["é!"]]}


@pytest.mark.parametrize(
    ("inputs", "data"),
    [([LEFT | {"data": [7, -8]}, sized(RIGHT, 5)], text(b"a")),
     ([RIGHT | {"data": ["a"]}, sized(LEFT, 8)], struct.pack("<2i", 7, -8)),
     ([RIGHT | {"data": ["a"], "parameters": {"x": "y"}}, LEFT | {"data": [[7, -8]], "parameters": {}}], b"")],
)  # fmt: skip
def test_inputs_may_be_binary_or_json_in_one_request(inputs: list[dict[str, Any]], data: bytes) -> None:
    found = parse(inputs, data).inputs

    assert {name: array.tolist() for name, array in found.items()} == {"left": [[7, -8]], "right": [["a"]]}


@pytest.mark.parametrize(
    ("left", "data", "words"),
    [(sized(LEFT, 8), b"1234567", "'left' has binary_data_size 8, but the body has 7 bytes after its"),
     (sized(LEFT, 8), b"123456789", "the body has 1 byte after all inputs; expected none"),
     (sized(LEFT, 7), b"1234567", "'left' has 7 bytes of binary data; expected 8"),
     (sized(LEFT, 10**40), b"12345678", "'left' has binary_data_size 1000"),
     (sized(LEFT, -8), b"12345678", "'left' has binary_data_size -8; expected a whole number, at least 0"),
     (sized(LEFT, "8"), b"12345678", "'left' has binary_data_size '8'; expected a whole number, at least 0"),
     (sized(LEFT, True), b"1", "'left' has binary_data_size True; expected a whole number, at least 0"),
     (sized(LEFT, 8.0), b"12345678", "'left' has binary_data_size 8.0; expected a whole number, at least 0"),
     (sized(LEFT, 8) | {"data": [1, 2]}, b"12345678", "both data and the parameter binary_data_size"),
     (LEFT, b"12345678", "'left' has no data; expected a JSON array, or the parameter binary_data_size"),
     (LEFT | {"data": [1, 2]}, b"x", "the body has 1 byte after all inputs"),
     (sized(LEFT | {"shape": [-1, 2]}, 8), b"12345678", "shape .-1, 2.; expected"),
     (sized(LEFT | {"datatype": "FP32"}, 8), b"12345678", "datatype 'FP32'; expected 'INT32'")],
)  # fmt: skip
def test_a_wrong_size_is_refused_with_the_numbers(left: dict[str, Any], data: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        parse([RIGHT | {"data": ["a"]}, left], data)

    assert len(refused.value.message) < 500


@pytest.mark.parametrize("json_bytes", [-1, 10_000, 10**40])
def test_a_length_of_the_json_beyond_the_body_is_refused(json_bytes: int) -> None:
    with pytest.raises(InvalidInput, match=r"the body has .* bytes; expected"):
        parse([LEFT | {"data": [1, 2]}, RIGHT | {"data": ["a"]}], json_bytes=json_bytes)


ONE = RequestReader({"left": Tensor("left", (ANY, 2), "INT32")}, {"sum": Tensor("sum", (ANY, 2))})


def test_without_json_the_body_is_one_row_of_the_only_input_and_all_outputs_are_binary() -> None:
    asked = ONE.parse(np.array([1, 2], "<i4").tobytes(), 0)

    assert asked.inputs["left"].tolist() == [[1, 2]]
    assert [(output.name, output.binary) for output in asked.wanted] == [("sum", True)]


@pytest.mark.parametrize("data", [b"", b"1234567", b"123456789", bytes(16)])
def test_without_json_another_number_of_bytes_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=f"{len(data)} bytes of binary data; expected 8"):
        ONE.parse(data, 0)


@pytest.mark.parametrize(
    ("shape", "count", "expected"),
    [((ANY, ANY), 1, (1, 1)), ((ANY, ANY), 5, (1, 5)), ((ANY, 2, ANY), 6, (1, 2, 3)), ((2, ANY), 4, (2, 2))],
)
def test_without_json_the_bytes_say_how_long_the_one_dimension_is_that_may_be_any(
    shape: tuple[int, ...], count: int, expected: tuple[int, ...]
) -> None:
    reader = RequestReader({"left": Tensor("left", shape)}, OUTPUTS)

    found = reader.parse(np.arange(count, dtype="<f4").tobytes(), 0).inputs["left"]

    assert (found.shape, found.ravel().tolist()) == (expected, list(range(count)))


@pytest.mark.parametrize(
    ("shape", "data", "words"),
    [((ANY, ANY), b"", "0 bytes of binary data; expected 4"),
     ((ANY, ANY), bytes(9), "9 bytes of binary data; expected 8"),
     ((ANY, 2, ANY), bytes(12), "12 bytes of binary data; expected 8"),
     ((ANY, ANY, ANY), bytes(8), r"shape \[-1, -1, -1\], which its bytes alone do not determine; expected JSON")],
)  # fmt: skip
def test_without_json_bytes_that_make_no_row_are_refused(shape: tuple[int, ...], data: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=f"'left' has {words}"):
        RequestReader({"left": Tensor("left", shape)}, OUTPUTS).parse(data, 0)


@pytest.mark.parametrize("shape", [(ANY, 1), (1,), (ANY,), (1, 1)])
@pytest.mark.parametrize("said", ["", "é!", "\0\0\0\0", "a" * 300])
def test_without_json_a_text_is_all_the_bytes_without_its_length(shape: tuple[int, ...], said: str) -> None:
    reader = RequestReader({"text": Tensor("text", shape, "BYTES")}, OUTPUTS)

    found = reader.parse(said.encode(), 0).inputs["text"]

    assert (found.shape, found.ravel().tolist()) == ((1,) * len(shape), [said])


@pytest.mark.parametrize(
    ("shape", "data", "words"),
    [((ANY, 2), b"a", "can only be one text; expected JSON"),
     ((ANY, ANY), b"a", "can only be one text; expected JSON"),
     ((ANY, 1), b"\xff", "a text that is not UTF-8"),
     ((ANY, 1), bytes(json_texts.MOST_BYTES + 1), "4,194,305 bytes of texts; expected at most 4,194,304")],
)  # fmt: skip
def test_without_json_bytes_that_are_no_text_are_refused(shape: tuple[int, ...], data: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=f"'text' has .*{words}"):
        RequestReader({"text": Tensor("text", shape, "BYTES")}, OUTPUTS).parse(data, 0)


def test_without_json_several_inputs_cannot_be_told_apart() -> None:
    with pytest.raises(InvalidInput, match="which bytes belong to which input"):
        parse([], b"12345678", json_bytes=0)


@pytest.mark.parametrize("json_bytes", [1, 50])
def test_a_length_of_the_json_within_it_is_refused(json_bytes: int) -> None:
    with pytest.raises(InvalidInput, match="not JSON"):
        parse([LEFT | {"data": [1, 2]}, RIGHT | {"data": ["a"]}], json_bytes=json_bytes)


GIVEN: list[dict[str, Any]] = [LEFT | {"data": [1, 2]}, RIGHT | {"data": ["a"]}]
ARRAYS: dict[str, Array] = {"sum": np.array([[0.5, np.inf]], np.float32), "name": np.array([["é"]], np.object_)}
SUM = struct.pack("<2f", 0.5, np.inf)


@pytest.mark.parametrize(
    ("fields", "binary"),
    [({"parameters": {"binary_data_output": True}}, {"sum": SUM, "name": text("é".encode())}),
     ({"outputs": [{"name": "name"}], "parameters": {"binary_data_output": True}}, {"name": text("é".encode())}),
     ({"outputs": [{"name": "name"}, {"name": "sum", "parameters": {"binary_data": True}}]}, {"sum": SUM}),
     ({"outputs": [{"name": "sum"}, {"name": "name", "parameters": {"binary_data": False, "other": 1}}],
       "parameters": {"binary_data_output": True}}, {"sum": SUM}),
     ({"outputs": [{"name": "name"}], "parameters": {"binary_data_output": False}}, {})],
)  # fmt: skip
def test_outputs_are_binary_where_that_is_asked_for_and_lie_in_the_order_of_the_json(
    fields: dict[str, Any], binary: dict[str, bytes]
) -> None:
    body, json_bytes = AnswerWriter("m", "1", OUTPUTS, []).answer(parse(GIVEN, **fields), ARRAYS)

    response = json.loads(body[:json_bytes])
    assert sorted(response) == ["model_name", "model_version", "outputs"]  # no parameter of an extension comes back
    sizes = {one["name"]: one["parameters"] for one in response["outputs"] if "data" not in one}
    assert sizes == {name: {"binary_data_size": len(data)} for name, data in binary.items()}
    assert (b"" if json_bytes is None else body[json_bytes:]) == b"".join(binary[name] for name in sizes)
    assert [one["data"] for one in response["outputs"] if "data" in one] == [["é"]] * ("name" not in binary)


@pytest.mark.parametrize("value", [1, "true", None])
def test_binary_data_output_is_true_or_false(value: object) -> None:
    with pytest.raises(InvalidInput, match=r"the parameter binary_data_output is .*; expected true or false"):
        parse(GIVEN, parameters={"binary_data_output": value})
