"""A message's fields are counted before they are made objects."""

import pytest
from google.protobuf.internal import encoder
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import InvalidInput
from serving.grpc.counted import check_fields
from serving.grpc.messages import CLASSES

MOST = 100


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
    with pytest.raises(InvalidInput, match=f"more than {MOST} fields"):
        check_fields(data, MOST)


def test_values_are_no_fields_however_many() -> None:
    for contents in ({"fp32_contents": [1.0] * 10_000}, {"bytes_contents": [b"a"] * 10_000}):
        check_fields(infer(model_name="m", inputs=[{"name": "x", "shape": [10_000], "contents": contents}]), MOST)
    check_fields(infer(raw_input_contents=[bytes(1 << 20)]), MOST)


@given(st.binary(max_size=64), st.integers(0, 40))
def test_whatever_the_bytes_are_they_are_counted_or_refused(data: bytes, most: int) -> None:
    try:
        check_fields(data, most)
    except InvalidInput:
        return
    assert len(data) < 2 * most or most > 0 or not data


def test_an_endless_number_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no ModelInferRequest"):
        check_fields(b"\xff" * 1000, MOST)
    with pytest.raises(InvalidInput, match="no ModelInferRequest"):
        check_fields(encoder.TagBytes(5, 2) + b"\xff\x7f" + bytes(400), MOST)  # longer than what is there
