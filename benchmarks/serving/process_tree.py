"""Memory and processor time of a process and all its descendants.

Memory is counted as if nothing else ran on the machine. Anonymous memory is the sum of each process's proportional
share. Each piece of a mapped file counts once, in full: the proportional share would be smaller for a server whose
libraries another server has mapped too.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
KIB: Final = 1024


def tree(process: int) -> list[int]:
    """Returns the process, followed by its descendants that still run."""
    found = [process]
    for one in found:
        try:
            for thread in (PROC / str(one) / "task").iterdir():
                found += map(int, (thread / "children").read_text().split())
        except OSError:
            continue  # it has ended
    return found


def tree_bytes(process: int) -> int:
    """Memory of the whole tree in bytes."""
    anonymous, files = 0, dict[tuple[str, ...], int]()
    for one in tree(process):
        try:
            rollup = (PROC / str(one) / "smaps_rollup").read_text()
            mappings = (PROC / str(one) / "smaps").read_text()
        except OSError:
            continue
        anonymous += next(_size(line) for line in rollup.splitlines() if line.startswith("Pss_Anon:"))
        for piece, size in file_pages(mappings).items():
            files[piece] = max(size, files.get(piece, 0))
    return anonymous + sum(files.values())


def tree_cpu_seconds(process: int) -> float:
    """Processor time of the whole tree in seconds, without processes that have ended."""
    ticks = 0
    for one in tree(process):
        with suppress(OSError):
            words = (PROC / str(one) / "stat").read_text().rpartition(")")[2].split()
            ticks += int(words[11]) + int(words[12])  # utime and stime of proc_pid_stat(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def file_pages(mappings: str) -> dict[tuple[str, ...], int]:
    """Bytes in memory of each piece of a file (proc_pid_smaps(5)), without the bytes that the process has changed."""
    found: dict[tuple[str, ...], int] = {}
    piece: tuple[str, ...] = ()
    for line in mappings.splitlines():
        words = line.split()
        if not words[0].endswith(":"):  # addresses, permissions, offset, device, inode, path
            piece = (words[3], words[4], words[2])
        elif piece[1] != "0" and words[0] == "Rss:":
            found[piece] = found.get(piece, 0) + _size(line)
        elif piece[1] != "0" and words[0] == "Anonymous:":
            found[piece] -= _size(line)
    return found


def _size(line: str) -> int:
    return int(line.split()[1]) * KIB
