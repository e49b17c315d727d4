"""Which process a number means: numbers are given again, so a process is its number, its start and the machine's boot.

Linux's /proc (proc(5)). Standard library only.
"""

from pathlib import Path
from typing import Final

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def read_boot_id() -> str:
    """This boot of this machine. Raises OSError."""
    return BOOT_ID.read_text(encoding="ascii").strip()


def find_start(pid: int) -> int | None:
    """When the process started, in ticks since the boot. None: it has ended, even if its parent has not asked how."""
    try:
        # The name, second field, is in parentheses and may itself contain spaces and parentheses.
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])
