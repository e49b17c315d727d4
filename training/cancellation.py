"""Cancelling a run: SIGINT, SIGTERM, or the end of standard input, which means that the parent is gone.

Only the training loop has something to save. Elsewhere the process may end between any two instructions: its writes to
the store are atomic and each step is recorded before it is taken, so the next run continues from there.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

EXIT_CODE: Final = 130
ENDING: Final = (signal.SIGINT, signal.SIGTERM)


class CancelledError(Exception):
    """The run was cancelled and its checkpoint is saved."""


class Cancellation:
    """Ends the process on a cancel: at once, or inside `defer`, when the loop sees `requested`."""

    def __init__(self) -> None:
        self.requested = False
        self._deferred = False
        self.descriptors: tuple[int, ...] = ()
        """File descriptors on which a cancel arrives."""

    def listen(self) -> None:
        """Handles the signals of this process, even during a long call into a library."""
        for number in ENDING:
            signal.signal(number, self._on_signal)
        self.descriptors = _hear(lambda number: self._cancel())

    def watch(self, descriptor: int) -> None:
        """Treats the end of this file as a cancel. Reads and ignores anything still written to it."""
        threading.Thread(target=_wait_for_end, args=(descriptor,), name="parent watch", daemon=True).start()

    def defer(self, wanted: bool) -> None:
        """With `wanted`, a cancel only sets `requested`. Otherwise it ends the process, at once if one has been
        requested.
        """
        self._deferred = wanted
        if self.requested:
            self._cancel()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._cancel()

    def _cancel(self) -> None:
        self.requested = True
        if not self._deferred:
            os._exit(EXIT_CODE)


def end_on_signal(last_words: str) -> None:
    """Makes SIGINT and SIGTERM end this process at once, in any state: for a run that keeps nothing."""

    def end(number: int) -> None:
        with contextlib.suppress(OSError):
            os.write(2, f"\n{last_words}\n".encode())
        os._exit(EXIT_CODE)

    _hear(end)
    for number in ENDING:
        signal.signal(number, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _hear(heard: Callable[[int], None]) -> tuple[int, int]:
    """Calls `heard`, in its own thread, with each signal that ends the process. Returns the pipe of the signals.

    Python's handlers wait until a call into a library returns. The signal's number, which C code writes into a pipe,
    does not.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def wait() -> None:
        while True:
            (number,) = os.read(reading, 1)
            if number in ENDING:
                heard(number)

    threading.Thread(target=wait, name="signals", daemon=True).start()
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading, writing


def _wait_for_end(descriptor: int) -> None:
    while os.read(descriptor, 65536):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
