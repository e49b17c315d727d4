"""ONNX external data: tensors of a model whose content is in files beside it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.protobuf.message import Message
from onnx import TensorProto, helper

from training.errors import ModelError
from training.weight_files import inside

PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Region:
    """Place of a tensor's content in a file."""

    path: Path
    start: int
    size: int

    def pieces(self) -> Iterator[bytes]:
        """Yields the content in pieces. Raises ModelError if the file is shorter, or cannot be read."""
        left = self.size
        try:
            with self.path.open("rb") as file:
                file.seek(self.start)
                while left:
                    piece = file.read(min(PIECE_BYTES, left))
                    if not piece:
                        raise ModelError(f"the weights file {self.path.name} is too short")
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise ModelError(f"the weights file {self.path.name} cannot be read: {error.strerror}") from (error)


def is_external(tensor: TensorProto) -> bool:
    return bool(tensor.data_location == TensorProto.EXTERNAL)


def list_tensors(message: Message) -> Iterator[TensorProto]:
    """Yields all tensors of a model, wherever the format allows one."""
    if isinstance(message, TensorProto):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else (value,):
                yield from list_tensors(part)


def count_bytes(tensor: TensorProto) -> int:
    """Returns the content's size in bytes of a tensor whose elements are whole bytes."""
    size: int = math.prod(tensor.dims) * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    return size


def find_region(tensor: TensorProto, folder: Path) -> Region:
    """Returns the place of a tensor's content. Raises ModelError for a file outside the folder, or a size that is not
    the tensor's.
    """
    said = {entry.key: entry.value for entry in tensor.external_data}
    path = inside(folder, said.get("location", ""))
    try:
        size = count_bytes(tensor)
        start, length = int(said.get("offset", 0)), int(said.get("length", size))
    except (KeyError, TypeError, ValueError):
        size, start, length = 0, -1, -1
    if start < 0 or length != size:
        raise ModelError(f"model gives the tensor {tensor.name!r} a size in its file other than {size:,} bytes")
    return Region(path, start, size)


def bring_in(tensor: TensorProto, folder: Path) -> None:
    """Moves a tensor's content from its file into the model. Raises ModelError."""
    tensor.raw_data = b"".join(find_region(tensor, folder).pieces())
    tensor.ClearField("data_location")
    tensor.ClearField("external_data")
