"""Identity of a process: its number, its start time and the machine's boot, because Linux reuses the numbers.

Uses Linux's /proc (proc(5)). Standard library only.
"""

from pathlib import Path
from typing import Final

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def read_boot_id() -> str:
    """Returns the id of this machine's current boot. Raises OSError if it cannot be read."""
    return BOOT_ID.read_text(encoding="ascii").strip()


def find_start(pid: int) -> int | None:
    """Returns the process's start in clock ticks since boot, or None if it has ended, including as a zombie."""
    try:
        # The second field, the name, is in parentheses and may itself contain spaces and parentheses.
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])
