"""Where the bytes of a payload or a plaintext come from: memory, a file, ranges of a store, or a stream.

Sources of a known size are read at any place, by several threads at once. Streams are read once, in order.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import BinaryIO, Protocol, cast, runtime_checkable

from sealift.sealing.errors import ArtifactCorrupt
from sealift.sealing.memory import Buffer

Fill = Callable[[memoryview], int]
"""Fills a buffer. Returns the number of its bytes, which is smaller than the buffer only at the end."""


@runtime_checkable
class ByteSource(Protocol):
    """Bytes of a known size."""

    @property
    def size_bytes(self) -> int: ...

    def read(self, start: int, size: int, /) -> Buffer:
        """Returns `size` bytes, fewer at the end. They stay valid until the same thread reads again."""


@runtime_checkable
class _IntoBuffers(Protocol):
    def readinto(self, buffer: memoryview, /) -> int | None: ...


@runtime_checkable
class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class MemorySource:
    """Bytes in memory, which must not change meanwhile."""

    def __init__(self, content: Buffer) -> None:
        self._content = memoryview(content).cast("B")
        self.size_bytes = len(self._content)

    def read(self, start: int, size: int, /) -> memoryview:
        return self._content[start : start + size]


class JoinedSource:
    """Several buffers as one, without a copy of all of them."""

    def __init__(self, pieces: Iterable[Buffer]) -> None:
        self._pieces = [memoryview(piece).cast("B") for piece in pieces]
        self.size_bytes = sum(map(len, self._pieces))

    def read(self, start: int, size: int, /) -> Buffer:
        found = list[memoryview]()
        for piece in self._pieces:
            if size > 0 and start < len(piece):
                found.append(piece[start : start + size])
                size -= len(found[-1])
            start = max(0, start - len(piece))
        return found[0] if len(found) == 1 else b"".join(found)


class FileSource:
    """An open file. Each thread reads into one buffer of its own, so what is hashed is what is decrypted, even if the
    file changes meanwhile."""

    def __init__(self, descriptor: int) -> None:
        """The caller keeps the descriptor open."""
        self._descriptor = descriptor
        self.size_bytes = os.fstat(descriptor).st_size
        self._own = threading.local()

    def read(self, start: int, size: int, /) -> memoryview:
        """Raises OSError."""
        buffer = getattr(self._own, "buffer", b"")
        if len(buffer) < size:
            buffer = self._own.buffer = bytearray(size)
        whole, filled = memoryview(buffer)[:size], 0
        while filled < size and (more := os.preadv(self._descriptor, [whole[filled:]], start + filled)):
            filled += more
        return whole[:filled]


class RangeSource:
    """Ranges that a function returns, such as `Store.get_range` of one file. Several threads call it at once."""

    def __init__(self, get_range: Callable[[int, int], Buffer], size_bytes: int) -> None:
        self.read = get_range
        self.size_bytes = size_bytes


Payload = Buffer | ByteSource | BinaryIO | Iterable[Buffer]
Plaintext = Buffer | ByteSource | BinaryIO | Iterable[Buffer]


def as_source(content: Plaintext) -> ByteSource | None:
    """Returns a source of what has a known size, otherwise None."""
    if isinstance(content, ByteSource):
        return content
    try:
        return MemorySource(content)  # type: ignore[arg-type] # refused if it is not a buffer
    except TypeError:
        return None


def as_stream(content: Plaintext) -> Fill:
    """Returns a function that fills buffers from a stream, or from pieces of any sizes."""
    stream: object = content
    if isinstance(stream, _IntoBuffers):
        return partial(_fill_in_steps, stream.readinto)
    if isinstance(stream, _Readable):
        return partial(_fill_in_steps, partial(_read_into, stream))
    return _Pieces(iter(cast(Iterable[Buffer], content))).fill


def _fill_in_steps(readinto: Callable[[memoryview], int | None], buffer: memoryview) -> int:
    """A network's stream may return less than requested from each read."""
    filled = 0
    while filled < len(buffer):
        more = readinto(buffer[filled:])
        if not more:
            break
        filled += more
    return filled


def _read_into(stream: _Readable, buffer: memoryview) -> int:
    piece = stream.read(len(buffer))
    if len(piece) > len(buffer):
        raise ArtifactCorrupt("the stream returned more than requested", "use a stream that keeps to the sizes")
    buffer[: len(piece)] = piece
    return len(piece)


class _Pieces:
    """Pieces of any sizes, of which the rest of one is kept."""

    def __init__(self, pieces: Iterator[Buffer]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def fill(self, buffer: memoryview) -> int:
        filled = 0
        while filled < len(buffer):
            if not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._rest = memoryview(piece).cast("B")
                continue
            taken = self._rest[: len(buffer) - filled]
            buffer[filled : filled + len(taken)] = taken
            filled += len(taken)
            self._rest = self._rest[len(taken) :]
        return filled
