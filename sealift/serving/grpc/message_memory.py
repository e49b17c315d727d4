"""What a message takes once it is made objects, counted before it is: an empty input takes two bytes to send and some
hundred as an object, an empty text two and some fifty. https://protobuf.dev/programming-guides/encoding
"""

from typing import Final

import numpy as np

from sealift.serving.errors import InvalidInput

INPUTS: Final = 5
OUTPUTS: Final = 6
CONTENTS: Final = 5
"""Of an input."""
TEXTS: Final = 8
WIDTHS: Final = {1: 1, 2: 4, 3: 8, 4: 4, 5: 8}
"""Of contents whose values are sent in as many bytes as each needs: those that each has in memory."""
TEXT_BYTES: Final = 48
"""Of memory, beside a text's own: its place in a list, which is copied as it grows, and the object made of it."""
MORE_TIMES: Final = 3
"""What values may take beside the message, in its own limit: integers of one byte are four each, as they are read."""
MOST_FIELDS: Final = 1024
"""Beside those that the model's own inputs and outputs may need."""
FIELDS_PER_TENSOR: Final = 32
VARINT, FIXED64, BYTES, START, END, FIXED32 = range(6)
MESSAGE, INPUT, VALUES, OTHER = range(4)


def check_fields(data: bytes, most: int, most_bytes: int, *, texts: bool) -> int:
    """Of a ModelInferRequest, those of its inputs and outputs too; values are no fields, but where each is one: texts
    of a model that has none (`texts`), and numbers that are not packed, as all clients send them. Returns the memory
    that values take beside their bytes in the message. Raises InvalidInput, for more than `most_bytes` too."""
    if len(data) < 2 * most:  # a field has two bytes at least
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
                raise InvalidInput(f"the message has more than {self._most} fields, which is the limit for this model")
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
        """Those that follow each other. Where what comes after them begins."""
        data, tag, count = self._data, TEXTS << 3 | BYTES, 0
        most = (self._most_bytes - self.more) // TEXT_BYTES + 1
        while start < end and data[start] == tag and count < most:
            count += 1
            if start + 1 < end and data[start + 1] < 128:  # as most: many are short, and this is much faster
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
                f"the values take more than {self._most_bytes} bytes beside the message; "
                "expected fewer rows at a time, or raw_input_contents"
            )


def _varints(data: bytes, start: int, size: int) -> int:
    """How many there are in so many bytes."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8, size, start) < 128))


def _varint(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Its value, and where the next one begins."""
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
    return InvalidInput("this is no ModelInferRequest")
