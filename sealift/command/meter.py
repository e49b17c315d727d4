"""A bar for long work, on standard error, only if that is a terminal. Short work shows none.

It counts the bytes that are read: of a source of a known size, or of a stream.
"""

import sys
import time
from types import TracebackType
from typing import BinaryIO, Final, Self, TextIO, cast

from sealift.sealing.memory import Buffer
from sealift.sealing.sources import ByteSource, as_stream

QUIET_SECONDS: Final = 0.7
STEP_SECONDS: Final = 0.1
WIDTH: Final = 24
UNITS: Final = ("B", "kB", "MB", "GB", "TB")
CLEAR_LINE: Final = "\r\x1b[K"


class ByteMeter:
    """Counts bytes and shows them. Several threads may count at once."""

    def __init__(self, what: str, total_bytes: int | None, stream: TextIO | None = None) -> None:
        self._what, self._total = what, total_bytes
        self._stream = sys.stderr if stream is None else stream
        self._is_shown = self._stream.isatty()
        self._begun = self._last = time.monotonic()
        self._has_line = False
        self.done_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._has_line:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()

    def add(self, count_bytes: int) -> None:
        """Counts bytes."""
        self.done_bytes += count_bytes
        now = time.monotonic()
        if not self._is_shown or now - self._begun < QUIET_SECONDS or now - self._last < STEP_SECONDS:
            return
        self._last, self._has_line = now, True
        self._stream.write(CLEAR_LINE + self.line(now - self._begun))
        self._stream.flush()

    def line(self, seconds: float) -> str:
        """Returns the line after so much time."""
        rate = f"{size_text(self.done_bytes / seconds)}/s"
        if not self._total:
            return f"{self._what}  {size_text(self.done_bytes)}  {rate}"
        share = min(1.0, self.done_bytes / self._total)
        bar = ("#" * int(share * WIDTH)).ljust(WIDTH, ".")
        return f"{self._what} [{bar}] {share:4.0%} of {size_text(self._total)}  {rate}"

    def source(self, content: ByteSource | BinaryIO) -> ByteSource | BinaryIO:
        """Returns the same content, whose reads are counted."""
        return MeteredSource(content, self) if isinstance(content, ByteSource) else self.stream(content)

    def stream(self, content: BinaryIO) -> BinaryIO:
        """Returns the same stream, whose reads are counted. It has only `readinto`, all that sealing needs."""
        return cast(BinaryIO, MeteredStream(content, self))


class MeteredSource:
    """A source of a known size, whose reads a meter counts."""

    def __init__(self, source: ByteSource, meter: ByteMeter) -> None:
        self._source, self._meter = source, meter
        self.size_bytes = source.size_bytes

    def read(self, start: int, size: int, /) -> Buffer:
        """See ByteSource."""
        content = self._source.read(start, size)
        self._meter.add(len(content))
        return content


class MeteredStream:
    """A stream, whose reads a meter counts."""

    def __init__(self, stream: BinaryIO, meter: ByteMeter) -> None:
        self._fill, self._meter = as_stream(stream), meter

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills the buffer, except at the end."""
        count = self._fill(buffer)
        self._meter.add(count)
        return count


def size_text(count_bytes: float) -> str:
    """Writes a size with powers of 1,000: 2.4 GB."""
    unit = 0
    while count_bytes >= 999.5 and unit < len(UNITS) - 1:
        count_bytes, unit = count_bytes / 1000, unit + 1
    return f"{count_bytes:.3g} {UNITS[unit]}"
