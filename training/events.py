"""What a run tells whoever started it; a process that did: one JSON object per line, on a file descriptor that nothing
else writes to.
"""

import json
import os
import resource
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Final

from sealift.settings.urls import without_credentials

PROGRESS_SECONDS: Final = 0.25
"""A display cannot use more, and each costs its reader a line."""
KIBIBYTE: Final = 1024  # ru_maxrss counts these


class Events(ABC):
    """What is told, whoever listens."""

    def __init__(self) -> None:
        self._next_progress = 0.0

    @abstractmethod
    def tell(self, event: str, **fields: object) -> None:
        """Passes on one event."""

    def log(self, level: str, message: str) -> None:
        """`level` is "info" or "warning"."""
        self.tell("log", level=level, message=without_credentials(message))

    def phase(self, phase: str, message: str) -> None:
        """Tells what begins now."""
        memory_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
        self.tell("progress", phase=phase, message=without_credentials(message), memory_bytes=memory_bytes)

    def descent(self, fields: Callable[[], Mapping[str, object]], *, last: bool) -> None:
        """Tells how far training is, four times a second at most; the last time always. Asks for no more fields than
        it tells.
        """
        now = time.monotonic()
        if now < self._next_progress and not last:
            return
        self._next_progress = now + PROGRESS_SECONDS
        memory_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
        self.tell("progress", phase="train", **fields(), memory_bytes=memory_bytes)


class EventStream(Events):
    """Writes events to `descriptor`. A closed reader means that the parent is gone: a cancel, as any other."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor
        self._lock = threading.Lock()
        self._closed = False

    def tell(self, event: str, **fields: object) -> None:
        """Writes the whole event, or nothing once the reader is gone."""
        line = json.dumps({"event": event, **fields}, allow_nan=False).encode() + b"\n"
        with self._lock:
            if not self._closed and not self._write(line):
                self._closed = True
                signal.raise_signal(signal.SIGTERM)

    def _write(self, line: bytes) -> bool:
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
        except BrokenPipeError:
            return False
        return True
