"""Cancels: SIGINT, SIGTERM, and the end of standard input, which means that the parent is gone, however it died.

Only the loop has something to save. Everywhere else the process may end between any two instructions: what it writes to
the store is atomic and each step is recorded before it is taken, so the next run goes on from there.
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
    """Ends the process on a cancel, at once or, while it is to `defer`, when the loop sees `requested`."""

    def __init__(self) -> None:
        self.requested = False
        self._deferred = False
        self.descriptors: tuple[int, ...] = ()
        """That it listens with."""

    def listen(self) -> None:
        """Takes over the signals of this process, also while a call into a library takes long."""
        for number in ENDING:
            signal.signal(number, self._on_signal)
        self.descriptors = _hear(lambda number: self._cancel())

    def watch(self, descriptor: int) -> None:
        """Makes the end of this file a cancel. What is still written there is read and dropped."""
        threading.Thread(target=_wait_for_end, args=(descriptor,), name="parent watch", daemon=True).start()

    def defer(self, wanted: bool) -> None:
        """From now on a cancel only sets `requested`; or it ends the process again, as does one that nobody saw."""
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
    """SIGINT and SIGTERM end this process at once, whatever it does: for a run of which nothing is kept."""

    def end(number: int) -> None:
        with contextlib.suppress(OSError):
            os.write(2, f"\n{last_words}\n".encode())
        os._exit(EXIT_CODE)

    _hear(end)
    for number in ENDING:
        signal.signal(number, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _hear(heard: Callable[[int], None]) -> tuple[int, int]:
    """Calls it, in a thread of its own, with each of the signals that end. Gives the pipe that they come by.

    Python's own handlers wait until a call into a library returns. The number of the signal, which C code writes into a
    pipe, does not.
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
