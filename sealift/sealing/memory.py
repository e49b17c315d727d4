"""Memory for plaintext: private, wiped in place, and reused piece by piece."""

import mmap
from typing import Final

Buffer = bytes | bytearray | memoryview | mmap.mmap

ZEROS: Final = bytes(1 << 20)


def private_memory(size: int) -> memoryview:
    """Returns anonymous memory of `size` bytes, which reaches a disk only as swap."""
    if size == 0:
        return memoryview(bytearray())
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)


def wipe(memory: memoryview) -> None:
    """Overwrites the memory with zeros."""
    for start in range(0, len(memory), len(ZEROS)):
        memory[start : start + len(ZEROS)] = ZEROS[: len(memory) - start]


class Slots:
    """Reused buffers of one size. Only the thread that takes and gives them may call it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._all, self._free = list[memoryview](), list[memoryview]()

    def take(self) -> memoryview:
        """Returns a buffer, whose content is undefined."""
        if not self._free:
            self._all.append(private_memory(self._size))
            return self._all[-1]
        return self._free.pop()

    def give(self, buffer: memoryview | None) -> None:
        """Takes back a buffer, if there is one."""
        if buffer is not None:
            self._free.append(buffer)

    def wipe(self) -> None:
        """Wipes all buffers, taken or not."""
        for buffer in self._all:
            wipe(buffer)
