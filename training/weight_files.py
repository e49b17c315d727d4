"""Which files an ONNX file keeps weights in, beside itself: they are part of what the model is.

Standard library only, since a preview tells what a run is made from before onnx is installed. It reads as much of
protobuf's wire format as leads to `TensorProto.external_data` (onnx.proto3), and judges nothing else.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from training.errors import ModelError

MESSAGES: Final = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
"""By field number, what leads to an entry of external data: its key is field 1, its value field 2."""
LOCATION: Final = b"location"
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
Content = bytes | mmap.mmap


def weight_files(model: Path) -> dict[str, Path]:
    """By what the model calls them, which is relative to its folder. Raises ModelError for any that is not in there,
    and OSError where the model cannot be read.
    """
    with model.open("rb") as file:
        if not model.stat().st_size:
            return {}
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            names = locations(content)
    return {name: inside(model.parent, name) for name in sorted(names)}


def inside(folder: Path, location: str) -> Path:
    """The file that a model in the folder calls so. Raises ModelError for what is none, or leads elsewhere."""
    try:
        path = (folder / location).resolve()
        ours = path.is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError):  # a name that is too long, or has a zero byte
        ours = False
    if not ours:
        raise ModelError(
            f"model keeps weights in {location!r}, which is no file in the model's folder",
            "put the files of its weights beside it, and no links to elsewhere",
        )
    return path


def locations(content: Content) -> set[str]:
    """What an ONNX file calls the files of its weights; none of what is no ONNX file, which others refuse."""
    if content.find(LOCATION) < 0:
        return set()
    found = set()
    try:
        left = [("model", 0, len(content))]
        while left:
            kind, start, end = left.pop()
            if kind != "entry":
                left += [(MESSAGES[kind][number], *at) for number, at in _parts(content, start, end, MESSAGES[kind])]
                continue
            entry = {number: content[slice(*at)] for number, at in _parts(content, start, end, {1: "", 2: ""})}
            if entry.get(1) == LOCATION:
                found.add(entry.get(2, b"").decode())
    except (IndexError, UnicodeDecodeError):
        return set()
    return found


def _parts(content: Content, position: int, end: int, wanted: dict[int, str]) -> Iterator[tuple[int, tuple[int, int]]]:
    """The wanted fields of one message that have a length, and where they lie. Raises IndexError for what is none."""
    while position < end:
        tag, position = _varint(content, position)
        number, form = tag >> 3, tag & 7
        if form == LENGTH:
            size, position = _varint(content, position)
            if position + size > end:
                raise IndexError
            if number in wanted:
                yield number, (position, position + size)
            position += size
        elif form == VARINT:
            _, position = _varint(content, position)
        elif form in (EIGHT_BYTES, FOUR_BYTES):
            position += 8 if form == EIGHT_BYTES else 4
        else:
            raise IndexError


def _varint(content: Content, position: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = shift = 0
    while True:
        byte = content[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
        if shift > 63:
            raise IndexError
