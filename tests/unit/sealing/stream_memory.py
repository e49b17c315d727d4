"""`python -m tests.unit.sealing.stream_memory seal|open BYTES`: prints how many bytes of memory a stream takes.

A generated stream of this many bytes is sealed to nothing, or it is sealed and opened to nothing in one go. The peak is
the process' own (VmHWM), above what it is after its imports.
"""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Final

from sealift.sealing.memory import Buffer
from sealift.sealing.segments import payload_size
from sealift.sealing.stream import open_unreleased, seal_stream

KEY: Final = bytes(32)
PIECE: Final = bytes(range(256)) * 256 * 12 + b"odd"
CONTEXT: Final = b"context"


def generated(size: int) -> Iterator[Buffer]:
    """Yields pieces of `size` bytes together."""
    for start in range(0, size, len(PIECE)):
        yield memoryview(PIECE)[: size - start]


def peak_bytes() -> int:
    """Returns the largest resident size of this process so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


def seal_and_open(size: int) -> int:
    """Opens while it seals. Returns the number of bytes that were opened."""
    handed, opened = Queue[bytes](2), list[int]()

    def seal() -> None:
        seal_stream(generated(size), KEY, CONTEXT, lambda stored: handed.put(bytes(stored)))
        handed.put(b"")

    sealing = threading.Thread(target=seal)
    sealing.start()
    payload = iter(handed.get, b"")
    open_unreleased(lambda plain: opened.append(len(plain)), payload, KEY, CONTEXT, payload_bytes=payload_size(size))
    sealing.join()
    return sum(opened)


def main() -> None:
    way, size = sys.argv[1], int(sys.argv[2])
    before = peak_bytes()
    if way == "seal":
        assert seal_stream(generated(size), KEY, CONTEXT, len).size_bytes == payload_size(size)
    else:
        assert seal_and_open(size) == size
    print(peak_bytes() - before)


if __name__ == "__main__":
    main()
