"""Events that a run sends to the process that started it, and their form: one JSON object per line.

    {"event": "progress", "phase": "data", "message": "reading iris", "memory_bytes": 123456}

The dataclasses are the schema, with the same names. Nothing else writes to the file descriptor. Standard library only.
"""

import json
import os
import resource
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from sealift.contents.codec import decode_fields
from sealift.settings.urls import without_credentials

PROGRESS_SECONDS: Final = 0.25
"""Seconds between progress events: a display cannot use more, and each costs its reader a line."""
KIBIBYTE: Final = 1024  # the unit of ru_maxrss


@dataclass(frozen=True)
class LogEvent:
    """A log line, which stays on the display."""

    level: Literal["info", "warning"]
    message: str


@dataclass(frozen=True)
class PhaseEvent:
    """The start of a phase."""

    phase: str
    """Name of the phase: "load", "data", "search", "folds", "train", "export", "report" or "seal"."""
    message: str
    memory_bytes: int
    """Peak memory of the process, in bytes."""


@dataclass(frozen=True, kw_only=True)
class DescentEvent:
    """Progress of training, between two steps."""

    phase: Literal["train"]
    epoch: int
    """Number of epochs done."""
    epochs: int
    step: int
    """Number of steps done of the next epoch."""
    steps: int
    loss: float | None
    validation: Mapping[str, float]
    """Name and value of one metric of the validation rows. Empty if there are no such rows."""
    rows_per_second: float
    training_seconds: float
    """Seconds of training, which the rate is averaged over."""
    seconds: float
    eta_seconds: float
    energy_joules: float
    last: bool
    """Whether training ends here, possibly early."""
    memory_bytes: int


@dataclass(frozen=True)
class ResultEvent:
    """The end of a sealed run. run_result.py declares the fields."""

    fields: Mapping[str, object]


@dataclass(frozen=True)
class ErrorEvent:
    """The end of a run that failed."""

    message: str
    hint: str
    report: Mapping[str, str] = field(default_factory=dict)
    """Sealed report of a model that its gates refuse: artifact_id and payload_digest. Otherwise empty and not written.
    """


Event = LogEvent | PhaseEvent | DescentEvent | ResultEvent | ErrorEvent
NAMES: Final[Mapping[type[Event], str]] = {
    LogEvent: "log", PhaseEvent: "progress", DescentEvent: "progress", ResultEvent: "result", ErrorEvent: "error",
}  # fmt: skip


def write_event(event: Event) -> bytes:
    """Returns the event as one line of JSON. Raises ValueError for a number that JSON cannot express."""
    told = dict(event.fields if isinstance(event, ResultEvent) else vars(event))
    if isinstance(event, ErrorEvent) and not event.report:
        del told["report"]
    return json.dumps({"event": NAMES[type(event)], **told}, allow_nan=False).encode() + b"\n"


def read_event(line: bytes) -> Event | None:
    """Returns the event of a line, or None if it is incomplete because the process died while it wrote."""
    try:
        told = json.loads(line)
        name = told.pop("event")
        if name == "result":
            return ResultEvent(told)
        kind = _kind(name, told)
        return decode_fields(kind, told, name)
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None


def _kind(name: str, told: Mapping[str, object]) -> type[Event]:
    """Returns the class of an event. Raises LookupError."""
    if name == "progress":
        return DescentEvent if "epoch" in told else PhaseEvent
    return {"log": LogEvent, "error": ErrorEvent}[name]


class Events(ABC):
    """Sink of a run's events."""

    def __init__(self) -> None:
        self._next_progress = 0.0

    @abstractmethod
    def tell(self, event: Event) -> None:
        """Passes on one event."""

    def log(self, level: Literal["info", "warning"], message: str) -> None:
        """Sends a log line."""
        self.tell(LogEvent(level, without_credentials(message)))

    def phase(self, phase: str, message: str) -> None:
        """Sends the start of a phase."""
        self.tell(PhaseEvent(phase, without_credentials(message), memory_bytes()))

    def descent(self, describe: Callable[[], DescentEvent], *, last: bool) -> None:
        """Sends the progress of training, at most four times a second, and always the last time. Calls `describe` only
        for events that it sends.
        """
        now = time.monotonic()
        if now < self._next_progress and not last:
            return
        self._next_progress = now + PROGRESS_SECONDS
        self.tell(describe())


class EventStream(Events):
    """Writes events to `descriptor`. If the reader has closed it, the parent is gone, which counts as a cancel."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor
        self._lock = threading.Lock()
        self._closed = False

    def tell(self, event: Event) -> None:
        """Writes the whole event, or nothing if the reader is gone."""
        line = write_event(event)
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


def memory_bytes() -> int:
    """Returns the peak memory of this process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
