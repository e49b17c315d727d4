"""How many fields a message has, counted before any is made an object: an empty input takes two bytes to send and some
hundred as an object. https://protobuf.dev/programming-guides/encoding
"""

from typing import Final

from serving.errors import InvalidInput

INPUTS: Final = 5
OUTPUTS: Final = 6
MOST_FIELDS: Final = 1024
"""Beside those that the model's own inputs and outputs may need."""
FIELDS_PER_TENSOR: Final = 32
VARINT, FIXED64, BYTES, START, END, FIXED32 = range(6)


def check_fields(data: bytes, most: int) -> None:
    """Of a ModelInferRequest, those of its inputs and outputs too; values are no fields. Raises InvalidInput."""
    if len(data) >= 2 * most:  # a field has two bytes at least
        _count(data, 0, len(data), 0, most, within=False)


def _count(data: bytes, start: int, end: int, count: int, most: int, *, within: bool) -> int:
    while start < end:
        count += 1
        if count > most:
            raise InvalidInput(f"the message has more than {most} fields, which is more than this model can take")
        tag, start = _varint(data, start, end)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            _, start = _varint(data, start, end)
        elif kind == BYTES:
            size, start = _varint(data, start, end)
            if size > end - start:
                raise _broken()
            if not within and number in (INPUTS, OUTPUTS):
                count = _count(data, start, start + size, count, most, within=True)
            start += size
        elif kind in (FIXED32, FIXED64):
            start += 4 if kind == FIXED32 else 8
        elif kind not in (START, END):
            raise _broken()
    return count


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
