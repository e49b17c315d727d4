"""No core dump of a process that has private keys in its memory.

A limit of 0 keeps the kernel from writing a file. A handler that the kernel pipes dumps to, as systemd-coredump is,
gets them whatever the limit: not those of a process that is not dumpable, whose memory no other process of the user's
can read either.
"""

import contextlib
import ctypes
import resource
import sys
from typing import Final

PR_SET_DUMPABLE: Final = 4


def forbid() -> None:
    """For the rest of this process; the limit also for those that it starts."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
