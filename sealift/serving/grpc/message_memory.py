"""The memory that a message's objects will take, computed from its bytes before it is parsed.

An empty input has two bytes on the wire and about a hundred as an object; an empty text has two and about fifty.
https://protobuf.dev/programming-guides/encoding
"""

from typing import Final

import numpy as np

from sealift.serving.errors import InvalidInput

INPUTS: Final = 5
OUTPUTS: Final = 6
CONTENTS: Final = 5
"""Field number of an input's contents."""
TEXTS: Final = 8
WIDTHS: Final = {1: 1, 2: 4, 3: 8, 4: 4, 5: 8}
"""Bytes in memory of each value, by the fields of InferTensorContents that send values as varints."""
TEXT_BYTES: Final = 48
"""Memory of a text besides its content: its place in a list, which is copied as it grows, and its object."""
MORE_TIMES: Final = 3
"""Memory that values may take beside the message, as a multiple of the message's limit. Integers of one byte take four
bytes each when they are read."""
MOST_FIELDS: Final = 1024
"""Allowed number of fields, in addition to FIELDS_PER_TENSOR for each input and output of the model."""
FIELDS_PER_TENSOR: Final = 32
VARINT, FIXED64, BYTES, START, END, FIXED32 = range(6)
MESSAGE, INPUT, VALUES, OTHER = range(4)


def check_fields(data: bytes, most: int, most_bytes: int, *, texts: bool) -> int:
    """Counts the fields of a ModelInferRequest, including those of its inputs and outputs.

    Packed numbers, which all clients send, are not counted as fields. Texts are not counted if the model has text
    inputs (`texts`). Returns the memory in bytes that values take in addition to their bytes in the message. Raises
    InvalidInput if there are more than `most` fields, if that memory exceeds `most_bytes`, or if the message is
    malformed.
    """
    if len(data) < 2 * most:  # a field has at least two bytes
        return 0
    counter = _Counter(data, most, most_bytes, texts)
    counter.count(0, len(data), MESSAGE)
    return counter.more


class _Counter:
    def __init__(self, data: bytes, most: int, most_bytes: int, texts: bool) -> None:
        self._data = data
        self._most = most
        self._most_bytes = most_bytes
        self._texts = texts
        self._fields = 0
        self.more = 0

    def count(self, start: int, end: int, within: int) -> None:
        data, texts = self._data, self._texts and within == VALUES
        while start < end:
            if texts and data[start] == TEXTS << 3 | BYTES:
                start = self._skip_texts(start, end)
                continue
            self._fields += 1
            if self._fields > self._most:
                raise InvalidInput(f"the message exceeds the limit of {self._most} fields for this model")
            tag, start = _varint(data, start, end)
            number, kind = tag >> 3, tag & 7
            if kind == VARINT:
                _, start = _varint(data, start, end)
            elif kind == BYTES:
                size, start = _varint(data, start, end)
                if size > end - start:
                    raise _broken()
                if within == MESSAGE and number in (INPUTS, OUTPUTS):
                    self.count(start, start + size, INPUT if number == INPUTS else OTHER)
                elif within == INPUT and number == CONTENTS:
                    self.count(start, start + size, VALUES)
                elif within == VALUES and number in WIDTHS:
                    self._add(_varints(data, start, size) * WIDTHS[number] - size)
                start += size
            elif kind in (FIXED32, FIXED64):
                start += 4 if kind == FIXED32 else 8
            elif kind not in (START, END):
                raise _broken()

    def _skip_texts(self, start: int, end: int) -> int:
        """Counts consecutive texts. Returns the position after them."""
        data, tag, count = self._data, TEXTS << 3 | BYTES, 0
        most = (self._most_bytes - self.more) // TEXT_BYTES + 1
        while start < end and data[start] == tag and count < most:
            count += 1
            if start + 1 < end and data[start + 1] < 128:  # a short text, as most are; much faster than the general way
                start += 2 + data[start + 1]
                continue
            size, start = _varint(data, start + 1, end)
            start += size
        if start > end:
            raise _broken()
        self._add(count * TEXT_BYTES)
        return start

    def _add(self, size: int) -> None:
        self.more += max(0, size)
        if self.more > self._most_bytes:
            raise InvalidInput(
                f"the values exceed the limit of {self._most_bytes} bytes beside the message; "
                "expected fewer rows at a time, or raw_input_contents"
            )


def _varints(data: bytes, start: int, size: int) -> int:
    """Returns the number of varints in `size` bytes from `start`."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8, size, start) < 128))


def _varint(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Returns the value of the varint at `start`, and the position after it."""
    value = shift = 0
    while start < end and shift < 70:
        byte = data[start]
        start += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, start
        shift += 7
    raise _broken()


def _broken() -> InvalidInput:
    return InvalidInput("the message is not a ModelInferRequest")
