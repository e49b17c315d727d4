"""Cancels: SIGINT, SIGTERM, and the end of standard input, which means that the parent is gone, however it died.

Only the loop has something to save. Everywhere else the process may end between any two instructions: what it writes to
the store is atomic and each step is recorded before it is taken, so the next run goes on from there.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

EXIT_CODE: Final = 130
ENDING: Final = (signal.SIGINT, signal.SIGTERM)


class CancelledError(Exception):
    """The run was cancelled and its checkpoint is saved."""


class Cancellation:
    """Ends the process on a cancel, at once or, inside `deferred`, when the loop sees `requested`."""

    def __init__(self) -> None:
        self.requested = False
        self._deferred = False

    def listen(self) -> None:
        """Takes over the signals of this process."""
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)

    def watch(self, descriptor: int) -> None:
        """Makes the end of this file a cancel. What is still written there is read and dropped."""
        threading.Thread(target=_wait_for_end, args=(descriptor,), name="parent watch", daemon=True).start()

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Inside, a cancel only sets `requested`; one that nobody saw ends the process on the way out."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
        if self.requested:
            os._exit(EXIT_CODE)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if not self._deferred:
            os._exit(EXIT_CODE)


def _wait_for_end(descriptor: int) -> None:
    while os.read(descriptor, 65536):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def end_on_signal(last_words: str) -> None:
    """SIGINT and SIGTERM end this process at once, whatever it does: for a run of which nothing is kept.

    Python's own handlers wait until a call into a library returns. The number of the signal, which C code writes into a
    pipe, does not.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    threading.Thread(target=_end, args=(reading, last_words), name="signals", daemon=True).start()
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in ENDING:
        signal.signal(number, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _end(reading: int, last_words: str) -> None:
    while not set(os.read(reading, 1)) & set(ENDING):
        pass
    with contextlib.suppress(OSError):
        os.write(2, f"\n{last_words}\n".encode())
    os._exit(EXIT_CODE)
