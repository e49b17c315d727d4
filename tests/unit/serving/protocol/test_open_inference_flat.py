"""Whatever is sent, the quick reader gives what the general one gives, or leaves it to that one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealift.serving.errors import InvalidInput
from sealift.serving.protocol.open_inference_flat import PAUSE
from sealift.serving.protocol.open_inference_request import RequestReader
from sealift.serving.tensor import ANY, Tensor

DATATYPES = ("FP32", "FP64", "FP16", "INT8", "UINT8", "INT64", "UINT64", "BOOL", "BYTES")
OUTPUTS = {"y": Tensor("y", (ANY, 1))}
NUMBERS: Any = (
    st.integers(-300, 300) | st.floats(width=32) | st.booleans() | st.sampled_from([1e39, 2**64, 65520.0, "a"])
)
DATA = st.lists(NUMBERS, max_size=6) | st.lists(st.lists(NUMBERS, max_size=3), max_size=3) | st.none()
PARAMETERS = st.sampled_from([None, {}, {"binary_data_size": 4}, {"binary_data_size": None}, {"other": 1}, "x"])

REST = st.sampled_from(
    [{}, {"id": "i"}, {"id": 1}, {"outputs": [{"name": "y"}]}, {"outputs": [{"name": "z"}]}, {"parameters": {"a": 1}}]
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Requests for a model with the input `x`, right and wrong."""
    shape = draw(st.lists(st.integers(-1, 4), max_size=3) | st.just([2, 3]))
    item = {
        "name": draw(st.sampled_from(["x", "x", "x", "other"])),
        "shape": shape,
        "datatype": draw(st.sampled_from(DATATYPES)),
        "data": draw(DATA),
        "parameters": draw(PARAMETERS),
    }
    item = {name: value for name, value in item.items() if draw(st.integers(0, 9)) or name == "data"}
    request: dict[str, Any] = {
        "inputs": [item] * draw(st.sampled_from([1, 1, 1, 0, 2])),
        "id": draw(st.sampled_from(["i", 1])),
    }
    request |= draw(
        st.sampled_from([{}, {"outputs": [{"name": "y"}]}, {"outputs": [{"name": "z"}]}, {"parameters": {"a": 1}}])
    )
    return json.dumps(request).encode() + draw(st.sampled_from([b"", b"", b" ", b"}", b"\x00"]))


def outcome(reader: RequestReader, body: bytes) -> Any:
    try:
        asked = reader.parse(body, None)
    except InvalidInput as error:
        return error.message
    arrays = {name: (array.tobytes(), array.shape, array.dtype) for name, array in asked.inputs.items()}
    return arrays, [*asked.outputs], [*asked.wanted], asked.request_id, asked.parameters


@pytest.mark.parametrize("datatype", DATATYPES)
@given(bodies())
def test_both_readers_say_the_same(datatype: str, body: bytes) -> None:
    quick, general = (RequestReader({"x": Tensor("x", (ANY, 3), datatype)}, OUTPUTS) for _ in range(2))
    general._flat = None

    assert outcome(quick, body) == outcome(general, body)


def test_after_another_request_it_rests_and_then_tries_again() -> None:
    reader = RequestReader({"x": Tensor("x", (ANY, 1))}, OUTPUTS)
    assert reader._flat is not None
    nested = json.dumps({"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [[1.5]]}]}).encode()
    flat = nested.replace(b"[[1.5]]", b"[1.5]")

    assert reader.parse(nested, None).inputs["x"].tolist() == [[1.5]]
    for _ in range(PAUSE):
        assert reader._flat.read(flat) is None
    found = reader._flat.read(flat)
    assert found is not None and found[1]["x"].tolist() == [[1.5]]


def test_a_model_with_several_inputs_or_texts_has_none() -> None:
    assert RequestReader({"x": Tensor("x", (ANY, 1), "BYTES")}, OUTPUTS)._flat is None
    assert RequestReader({name: Tensor(name, (ANY, 1)) for name in "xy"}, OUTPUTS)._flat is None
