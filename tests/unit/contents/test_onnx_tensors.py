"""The walk over an ONNX file's tensors: complete, and strict about what it does not know."""

from typing import Any

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealift.contents.onnx_tensors import OTHERS, TENSORS, NotOnnxError, external_locations
from tests.unit.training.test_weight_files import everywhere, outside


def descriptor(message: str) -> Any:
    return getattr(onnx, message).DESCRIPTOR


def leads_to_a_tensor(message: Any, seen: frozenset[str] = frozenset()) -> bool:
    if message is None or message.name in seen:
        return False
    if message.name == "TensorProto":
        return True
    return any(leads_to_a_tensor(field.message_type, seen | {message.name}) for field in message.fields)


@pytest.mark.parametrize("message", sorted(TENSORS.keys() - {"TensorProto"}))
def test_every_field_that_can_hold_a_tensor_is_followed(message: str) -> None:
    fields = descriptor(message).fields

    leading = {field.number: field.message_type.name for field in fields if leads_to_a_tensor(field.message_type)}
    assert leading == TENSORS[message]


@pytest.mark.parametrize("message", sorted(OTHERS))
def test_all_fields_of_onnx_are_known_and_no_others(message: str) -> None:
    numbers = {field.number for field in descriptor(message).fields}

    assert numbers == OTHERS[message] | TENSORS.get(message, {}).keys()


def test_a_tensor_elsewhere_is_found_though_it_does_not_say_where() -> None:
    for tensor in (
        onnx.TensorProto(data_location=onnx.TensorProto.EXTERNAL),
        onnx.TensorProto(external_data=[onnx.StringStringEntryProto(key="offset", value="1")]),
    ):
        model = onnx.ModelProto(graph=onnx.GraphProto(initializer=[tensor]))
        assert external_locations(model.SerializeToString()) == {""}


def test_training_information_is_looked_through() -> None:
    """ONNX Runtime does not read it today."""
    graph = onnx.GraphProto(initializer=[outside("w", "in_training")])
    model = onnx.ModelProto(training_info=[onnx.TrainingInfoProto(algorithm=graph)])

    assert external_locations(model.SerializeToString()) == {"in_training"}


def test_onnx_runtime_s_own_format_is_not_taken_for_onnx() -> None:
    """It can be written so that it is a ModelProto too: a number of eight bytes, then one field with all the rest."""
    hidden = b"\x08\x20\x09\x00ORTM" + bytes(4) + b"\x12\x04abcd"

    with pytest.raises(NotOnnxError, match="ONNX Runtime's own format"):
        external_locations(hidden)


def test_an_unknown_group_hides_nothing() -> None:
    """protobuf's own parsers skip one; what is behind it counted as no part of the model before."""
    content = everywhere().SerializeToString()
    start, end = bytes([15 << 3 | 3]), bytes([15 << 3 | 4])
    assert onnx.ModelProto.FromString(start + end + content).graph.initializer

    for hidden in (start + end + content, b"\x3b\x3c" + content):
        with pytest.raises(NotOnnxError):
            external_locations(hidden)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x38\x01", "field 7 of a ModelProto is not a message"),
        (b"\x98\x06\x01", "has field 99, which onnx.proto3 does not have"),
        (b"\x3a\x05\x0a", "ends in the middle"),
        (b"\x0d\x00", "ends in the middle"),
        (b"\xff" * 11, "a number has no end"),
        (b"\x0b", "is a group"),
    ],
)
def test_what_is_not_understood_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(NotOnnxError, match=said):
        external_locations(content)


@given(st.data())
def test_whatever_protobuf_parses_as_a_tensor_elsewhere_is_found_or_the_file_is_refused(data: st.DataObject) -> None:
    from training.recipe.external import is_external, list_tensors

    content = bytearray(everywhere().SerializeToString())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        parsed = onnx.ModelProto.FromString(bytes(content))
    except Exception:  # noqa: BLE001 - of either implementation of protobuf
        return
    named = {
        entry.value
        for tensor in list_tensors(parsed)
        if is_external(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    }
    try:
        found = external_locations(bytes(content))
    except NotOnnxError:
        return
    assert named <= found
