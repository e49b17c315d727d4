"""The parent process, and detection of its end, so that processes that the engine starts end with the engine.

A kill -9 of the engine does not notify its children. Linux's parent-death signal is sent when the thread that made the
child ends, and Go's threads may end at any time. Therefore children poll. Standard input is a pipe whose other end only
the engine has. The pipe hangs up even if the engine ended before this process first polled.
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
        """Returns the parent of this process, which the engine started."""
        return Parent(os.getppid(), STANDARD_INPUT if _is_pipe(STANDARD_INPUT) else None)

    def is_gone(self) -> bool:
        """Returns whether the parent has ended, in any way."""
        return os.getppid() != self.process_id or (self.pipe is not None and _hung_up(self.pipe))

    def watch(self, gone: Callable[[], object]) -> None:
        """Starts a thread that calls `gone` once the parent has ended."""

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
    """Returns whether the other end is closed. Reads nothing, because the data may be for other code."""
    look = select.poll()
    look.register(pipe, 0)  # POLLHUP is always reported
    return bool(look.poll(0))
