"""Search for tensors of an ONNX file whose content is in other files. It reads the bytes without any library.

ONNX Runtime opens every file that a tensor names (TensorProto.external_data), even in a model of unknown origin.
Therefore a model from elsewhere is searched before anything else parses it. The search follows protobuf's wire format
(protobuf.dev/programming-guides/encoding) through every message of onnx.proto3 that can contain a tensor. Fields that
onnx.proto3 does not have are refused instead of skipped, because another parser may know them.
"""

import mmap
from collections.abc import Iterator
from typing import Final

TENSORS: Final[dict[str, dict[int, str]]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto", 6: "GraphProto", 10: "TensorProto", 11: "GraphProto", 22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "TensorProto": {13: "StringStringEntryProto"},
}  # fmt: skip
"""Fields that can contain a tensor, or a tensor's reference to a file, by message and field number."""
OTHERS: Final[dict[str, frozenset[int]]] = {
    "ModelProto": frozenset({1, 2, 3, 4, 5, 6, 8, 14, 26}),
    "TrainingInfoProto": frozenset({3, 4}),
    "GraphProto": frozenset({2, 10, 11, 12, 13, 14, 16}),
    "FunctionProto": frozenset({1, 4, 5, 6, 8, 9, 10, 12, 13, 14}),
    "NodeProto": frozenset({1, 2, 3, 4, 6, 7, 8, 9, 10}),
    "AttributeProto": frozenset({1, 2, 3, 4, 7, 8, 9, 13, 14, 15, 20, 21}),
    "SparseTensorProto": frozenset({3}),
    "TensorProto": frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16}),
    "StringStringEntryProto": frozenset({1, 2}),
}
"""All other fields, by message."""
DATA_LOCATION: Final = 14
"""Field number of a tensor's data_location. Any value but 0 means that its content is elsewhere."""
KEY, VALUE = 1, 2
LOCATION: Final = b"location"
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
LARGEST_VARINT_BITS: Final = 70
Content = bytes | mmap.mmap | memoryview


ORT_MARK: Final = b"ORTM"
"""Mark at the fifth byte of ONNX Runtime's own format, by which alone it is recognised (FlatBuffers' identifier)."""


class NotOnnxError(ValueError):
    """The bytes are not an ONNX file, or the file has parts that this search does not know."""


def external_locations(content: Content) -> set[str]:
    """Returns the names of the files that tensors refer to, and "" for a tensor whose file is not named.

    Raises NotOnnxError if the bytes are not an ONNX file, or have parts that this search does not know.
    """
    if bytes(content[4:8]) == ORT_MARK:
        raise NotOnnxError("it is in ONNX Runtime's own format")
    found: set[str] = set()
    left = [("ModelProto", slice(0, len(content)))]
    while left:
        kind, span = left.pop()
        if kind == "TensorProto":
            found |= _locations_of_tensor(content, span)
        else:
            left += [
                (TENSORS[kind][number], part)
                for number, part in _fields(content, kind, span)
                if number in TENSORS[kind] and isinstance(part, slice)
            ]
    return found


def _locations_of_tensor(content: Content, span: slice) -> set[str]:
    outside, named = False, set()
    for number, part in _fields(content, "TensorProto", span):
        if number == DATA_LOCATION:
            outside = outside or part != 0
        elif isinstance(part, slice) and number in TENSORS["TensorProto"]:
            outside = True
            entry = {
                one: content[at]
                for one, at in _fields(content, "StringStringEntryProto", part)
                if isinstance(at, slice)
            }
            if entry.get(KEY) == LOCATION:
                named.add(bytes(entry.get(VALUE, b"")))
    try:
        return {name.decode() for name in named} or ({""} if outside else set())
    except UnicodeDecodeError:
        raise NotOnnxError("the name of a file is not UTF-8") from None


def _fields(content: Content, kind: str, span: slice) -> Iterator[tuple[int, slice | int]]:
    """Yields a message's fields: the number of each, and the slice of its content, or its value if it is a varint."""
    leading = TENSORS.get(kind, {})
    position, end = span.start, span.stop
    while position < end:
        tag, position = _varint(content, position, end)
        number, form = tag >> 3, tag & 7
        if number not in leading and number not in OTHERS[kind]:
            raise NotOnnxError(f"a {kind} has field {number}, which onnx.proto3 does not have")
        if form == LENGTH:
            size, position = _varint(content, position, end)
            yield number, slice(position, position + size)
            position += size
        elif number in leading:
            raise NotOnnxError(f"field {number} of a {kind} is not a message")
        elif form == VARINT:
            value, position = _varint(content, position, end)
            yield number, value
        elif form in (EIGHT_BYTES, FOUR_BYTES):
            position += 8 if form == EIGHT_BYTES else 4
        else:
            raise NotOnnxError(f"field {number} of a {kind} is a group")
    if position != end:
        raise NotOnnxError(f"a {kind} ends in the middle of a field")


def _varint(content: Content, position: int, end: int) -> tuple[int, int]:
    """Returns the varint at `position`, and the position after it."""
    value = shift = 0
    while position < end and shift < LARGEST_VARINT_BITS:
        byte = content[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
    raise NotOnnxError("a number has no end")
