"""Our own sealing and opening, as artifacts and records use it. Every function returns the seconds it took."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from sealift.sealing.memory import private_memory
from sealift.sealing.plain_reader import PlainReader
from sealift.sealing.segments import SEGMENT_BYTES, payload_size
from sealift.sealing.sources import FileSource, MemorySource
from sealift.sealing.stream import (
    open_stream,
    open_unreleased,
    seal_in_memory,
    seal_stream,
    seal_undigested,
    seal_undigested_stream,
)

KEY: Final = bytes(32)
CONTEXT: Final = b"benchmark"
RANGE_BYTES: Final = 1024
RANGES: Final = 200


class InMemory:
    """A plaintext in memory, and memory that is used again for the results, as the limits do."""

    def __init__(self, plain: memoryview) -> None:
        self._source = MemorySource(plain)
        self._sealed = private_memory(payload_size(len(plain)))
        self._opened = private_memory(len(plain))
        self._digest = ""
        self.seal()

    def seal_undigested(self) -> float:
        return seconds_of(lambda: seal_undigested(self._source, KEY, CONTEXT, self._into_sealed))

    def open_undigested(self) -> float:
        return seconds_of(lambda: open_stream(self._sealed, KEY, CONTEXT, self._into_opened))

    def seal(self) -> float:
        def work() -> None:
            _, info = seal_in_memory(self._source, KEY, CONTEXT, self._into_sealed)
            self._digest = info.digest_hex

        return seconds_of(work)

    def open(self) -> float:
        self.seal()
        return seconds_of(lambda: open_stream(self._sealed, KEY, CONTEXT, self._into_opened, digest=self._digest))

    def range_seconds(self) -> float:
        """Returns the median seconds in which 1 KiB opens, at places that no earlier range has opened."""
        self.seal()
        reader = PlainReader(MemorySource(self._sealed), KEY, CONTEXT)
        step = max(SEGMENT_BYTES, len(self._opened) // RANGES)  # a segment that was opened before is kept
        places = range(0, len(self._opened), step)
        return median(seconds_of(partial(reader.read_range, at, RANGE_BYTES)) for at in places)

    def _into_sealed(self, size: int) -> memoryview:
        return self._sealed[:size]

    def _into_opened(self, size: int) -> memoryview:
        return self._opened[:size]


def seal_file(source: Path, to: Path) -> str:
    """Seals a file into a file. Returns the payload's digest."""
    with source.open("rb") as plain, to.open("wb", buffering=0) as sealed:
        return seal_stream(FileSource(plain.fileno()), KEY, CONTEXT, sealed.write).digest_hex


def seal_file_undigested(source: Path, to: Path) -> None:
    """Seals a file into a file, without a digest."""
    with source.open("rb") as plain, to.open("wb", buffering=0) as sealed:
        seal_undigested_stream(FileSource(plain.fileno()), KEY, CONTEXT, sealed.write)


def open_file(source: Path, to: Path, digest: str | None) -> float:
    """Opens a file into a file, and compares the payload's digest if there is one."""

    def work() -> None:
        with source.open("rb") as sealed, to.open("wb", buffering=0) as plain:
            open_unreleased(plain.write, FileSource(sealed.fileno()), KEY, CONTEXT, digest=digest)

    return seconds_of(work)


def open_from_file(source: Path, digest: str) -> float:
    """Opens a file into new memory, as a pod does when it starts."""

    def work() -> None:
        with source.open("rb") as sealed:
            open_stream(FileSource(sealed.fileno()), KEY, CONTEXT, digest=digest)

    return seconds_of(work)


def seconds_of(work: Callable[[], object]) -> float:
    """Returns the seconds that the work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
