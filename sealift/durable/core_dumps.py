"""Prevention of core dumps of processes that have private keys in memory.

A limit of 0 keeps the kernel from writing a file. A handler that the kernel pipes dumps to, such as systemd-coredump,
ignores the limit. So the process is also made non-dumpable, which keeps other processes of the user from reading its
memory, too.
"""

import contextlib
import ctypes
import resource
import sys
from typing import Final

PR_SET_DUMPABLE: Final = 4


def forbid() -> None:
    """Forbids core dumps for the rest of this process. Its children inherit only the limit."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library without prctl
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
