"""The parent process, and detection of its end, so that processes that the engine starts end with the engine.

A kill -9 of the engine tells its children nothing, and Linux's parent-death signal would come when the engine's thread
ends that made the child, which Go's threads do at any time. So children look: standard input is a pipe whose other end
only the engine has, and it hangs up even if the engine went before this process first looked.
"""

import os
import select
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LOOK_SECONDS: Final = 0.5
STANDARD_INPUT: Final = 0


@dataclass(frozen=True)
class Parent:
    """The process with this id. It also has the writing end of the pipe `pipe`, if that is not None."""

    process_id: int
    pipe: int | None = None

    @staticmethod
    def now() -> "Parent":
        """Of a process that the engine starts."""
        return Parent(os.getppid(), STANDARD_INPUT if _is_pipe(STANDARD_INPUT) else None)

    def is_gone(self) -> bool:
        """Whether it has ended, however it did."""
        return os.getppid() != self.process_id or (self.pipe is not None and _hung_up(self.pipe))

    def watch(self, gone: Callable[[], object]) -> None:
        """Calls `gone` once it has ended, in a thread of its own."""

        def look() -> None:
            pause = threading.Event()
            while not self.is_gone():
                pause.wait(LOOK_SECONDS)
            gone()

        threading.Thread(target=look, name="parent watch", daemon=True).start()


def _is_pipe(descriptor: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:  # it is closed
        return False


def _hung_up(pipe: int) -> bool:
    """Nothing is read: what is there may be for somebody else."""
    look = select.poll()
    look.register(pipe, 0)  # POLLHUP is told unasked
    return bool(look.poll(0))
