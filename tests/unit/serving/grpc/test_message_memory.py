"""A message's fields are counted before they are made objects."""

import pytest
from google.protobuf.internal import encoder
from hypothesis import given
from hypothesis import strategies as st

from sealift.serving.errors import InvalidInput
from sealift.serving.grpc.message_memory import TEXT_BYTES, check_fields
from sealift.serving.grpc.messages import CLASSES

MOST = 100
MOST_BYTES = 1 << 20


def check(data: bytes, most: int = MOST, *, texts: bool = False) -> int:
    return check_fields(data, most, MOST_BYTES, texts=texts)


def values(**contents: object) -> bytes:
    return infer(model_name="m", inputs=[{"name": "x", "datatype": "BYTES", "shape": [1], "contents": contents}])


def infer(**fields: object) -> bytes:
    data: bytes = CLASSES["ModelInferRequest"](**fields).SerializeToString()
    return data


@pytest.mark.parametrize(
    "data",
    [
        infer(inputs=[{}] * (MOST + 1)),
        infer(outputs=[{}] * (MOST + 1)),
        infer(raw_input_contents=[b""] * (MOST + 1)),
        infer(parameters={str(number): {} for number in range(MOST + 1)}),
        infer(inputs=[{"parameters": {str(number): {} for number in range(MOST)}}]),
        infer(outputs=[{"parameters": {str(number): {} for number in range(MOST // 2)}}] * 2),
        b"\x08\x01" * (MOST + 1),
        b"\xf3\x07" * (MOST + 1),
    ],
    ids=["inputs", "outputs", "raw", "parameters", "an input's", "an output's", "of no number known", "groups"],
)
def test_a_message_of_more_fields_than_the_model_can_need_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=f"exceeds the limit of {MOST} fields"):
        check(data)


def test_values_are_no_fields_however_many() -> None:
    check(values(fp32_contents=[1.0] * 10_000))
    check(values(bytes_contents=[b"a"] * 10_000), texts=True)
    check(infer(raw_input_contents=[bytes(1 << 20)]))


@pytest.mark.parametrize(
    "data",
    [values(bytes_contents=[b""] * (MOST + 1)), infer(inputs=[{"contents": {"bytes_contents": [b"a"] * 60}}] * 2)],
    ids=["of one input", "of all inputs"],
)
def test_texts_are_fields_where_the_model_takes_none(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=f"exceeds the limit of {MOST} fields"):
        check(data)
    assert check(data, texts=True) > 0


def test_numbers_that_are_not_packed_are_fields() -> None:
    contents = (encoder.TagBytes(6, 5) + bytes(4)) * (MOST + 1)
    tensor = encoder.TagBytes(5, 2) + encoder._VarintBytes(len(contents)) + contents
    with pytest.raises(InvalidInput, match=f"exceeds the limit of {MOST} fields"):
        check(encoder.TagBytes(5, 2) + encoder._VarintBytes(len(tensor)) + tensor)


@pytest.mark.parametrize(
    ("contents", "more"),
    [
        ({"int64_contents": [1] * 9000}, 7 * 9000),
        ({"uint_contents": [200] * 9000}, 2 * 9000),
        ({"int_contents": [-1] * 9000}, 0),
        ({"bool_contents": [True] * 9000}, 0),
        ({"fp64_contents": [1.0] * 9000}, 0),
        ({"bytes_contents": [b"", b"a" * 200, b"abc"] * 3000}, TEXT_BYTES * 9000),
        ({"int_contents": [1] * 9000, "bytes_contents": [b""] * 9000}, (3 + TEXT_BYTES) * 9000),
    ],
)
def test_the_memory_that_values_take_beside_the_message_is_told(contents: dict[str, object], more: int) -> None:
    assert check(values(**contents), texts=True) == more


@pytest.mark.parametrize(
    "data",
    [
        values(bytes_contents=[b""] * (MOST_BYTES // TEXT_BYTES + 1)),
        values(int64_contents=[1] * (MOST_BYTES // 7 + 1)),
        infer(inputs=[{"contents": {"int_contents": [1] * (MOST_BYTES // 6 + 1)}}] * 2),
    ],
    ids=["texts", "numbers", "all inputs"],
)
def test_values_of_more_memory_than_may_be_taken_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=f"exceed the limit of {MOST_BYTES} bytes beside the message; expected"):
        check(data, texts=True)


@given(st.binary(max_size=64), st.integers(0, 40), st.booleans())
def test_whatever_the_bytes_are_they_are_counted_or_refused(data: bytes, most: int, texts: bool) -> None:
    try:
        check(data, most, texts=texts)
    except InvalidInput:
        return
    assert len(data) < 2 * most or most > 0 or not data


def test_an_endless_number_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not a ModelInferRequest"):
        check(b"\xff" * 1000)
    with pytest.raises(InvalidInput, match="not a ModelInferRequest"):
        check(encoder.TagBytes(5, 2) + b"\xff\x7f" + bytes(400))  # longer than what is there


@pytest.mark.parametrize("size", [b"\x05", b"\xff\x7f"], ids=["short", "long"])
def test_a_text_longer_than_what_is_there_is_refused(size: bytes) -> None:
    contents = b"\x42\x01a" * 100 + b"\x42" + size
    tensor = encoder.TagBytes(5, 2) + encoder._VarintBytes(len(contents)) + contents
    with pytest.raises(InvalidInput, match="not a ModelInferRequest"):
        check(encoder.TagBytes(5, 2) + encoder._VarintBytes(len(tensor)) + tensor, texts=True)
