"""A seekable file of a payload's plaintext, for libraries that read a part: zipfile, numpy, safetensors."""

import io
import os
from typing import Any

from sealift.sealing.memory import private_memory, wipe
from sealift.sealing.parallel import for_each
from sealift.sealing.segments import (
    HEADER_BYTES,
    PIECE_BYTES,
    Segment,
    SegmentCipher,
    corrupt,
    index_of,
    plaintext_size,
    segment_at,
)
from sealift.sealing.sources import ByteSource


class PlainReader(io.RawIOBase):
    """Opens only the segments that are read, and keeps the last one. One thread at a time may use it.

    What a read guarantees: each segment is authentic under the data key, at its place in this payload. A payload that
    is cut off is refused, because its size decides which segment is the last one. Only the holder of the data key
    could have made other content.
    What it does not: the digest covers the whole payload, so no part is compared with it. Whoever has the data key can
    replace a segment unnoticed; `open_artifact` would refuse that. Use it only where the store is trusted as far as
    those who have the data key.
    """

    def __init__(self, payload: ByteSource, data_key: bytes, associated_data: bytes) -> None:
        """The payload's size must be the one of the authenticated manifest. Raises ArtifactCorrupt."""
        super().__init__()
        self.size_bytes = plaintext_size(payload.size_bytes)
        self._payload = payload
        self._cipher = SegmentCipher(data_key, bytes(payload.read(0, HEADER_BYTES)), associated_data)
        self._position = 0
        self._kept = private_memory(PIECE_BYTES)
        self._kept_index: int | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._check_open()
        if whence not in (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END):
            raise ValueError(f"whence is {whence}; allowed: 0, 1, 2")
        position = (0, self._position, self.size_bytes)[whence] + offset
        if position < 0:
            raise ValueError(f"the position {position} is before the start")
        self._position = position
        return position

    def readinto(self, buffer: Any, /) -> int:
        """Fills the buffer, except at the end. Raises ArtifactCorrupt, and then nothing remains in the buffer."""
        self._check_open()
        into = memoryview(buffer).cast("B")
        into = into[: max(0, min(len(into), self.size_bytes - self._position))]
        if into:
            self._read_at(self._position, into)
        self._position += len(into)
        return len(into)

    def readall(self) -> bytes:
        """Returns the rest. Raises ArtifactCorrupt."""
        return bytes(self.read_range(self._position, self.seek(0, os.SEEK_END)))

    def read_range(self, start: int, size: int) -> memoryview:
        """Returns `size` bytes from `start`, fewer at the end, in private memory. Raises ArtifactCorrupt."""
        self._check_open()
        if start < 0 or size < 0:
            raise ValueError(f"the range has the start {start} and the size {size}; allowed: 0 and more")
        into = private_memory(max(0, min(size, self.size_bytes - start)))
        if into:
            self._read_at(start, into)
        return into

    def close(self) -> None:
        """Wipes the kept segment."""
        if not self.closed:
            wipe(self._kept)
        super().close()

    def _read_at(self, start: int, into: memoryview) -> None:
        end = start + len(into)
        whole, cut = list[Segment](), list[Segment]()
        for index in range(index_of(start), index_of(end - 1) + 1):
            segment = segment_at(index, self.size_bytes)
            (whole if start <= segment.plain.start and segment.plain.stop <= end else cut).append(segment)
        try:
            for_each(lambda at: self._open(whole[at], into[_within(whole[at].plain, start)]), len(whole))
            for segment in cut:
                self._keep(segment)
                taken = slice(max(start, segment.plain.start), min(end, segment.plain.stop))
                into[_within(taken, start)] = self._kept[_within(taken, segment.plain.start)]
        except BaseException:
            wipe(into)
            raise

    def _keep(self, segment: Segment) -> None:
        if self._kept_index == segment.number:
            return
        self._kept_index = None
        try:
            self._open(segment, self._kept[: segment.plain_bytes])
        except BaseException:
            wipe(self._kept)
            raise
        self._kept_index = segment.number

    def _open(self, segment: Segment, plain: memoryview) -> None:
        stored = self._payload.read(segment.stored.start, segment.stored_bytes)
        if len(stored) != segment.stored_bytes:
            raise corrupt()
        self._cipher.open(segment, stored, plain)

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("the file is closed")


def _within(part: slice, start: int) -> slice:
    """The place of a part of the plaintext in memory that begins at `start`."""
    return slice(part.start - start, part.stop - start)
