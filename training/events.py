"""What a run tells whoever started it, and how that is written: one JSON object per line.

    {"event": "progress", "phase": "data", "message": "reading iris", "memory_bytes": 123456}

The dataclasses are the schema, with the names that they have there. A process writes to a file descriptor that nothing
else writes to. Standard library only.
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
"""A display cannot use more, and each costs its reader a line."""
KIBIBYTE: Final = 1024  # ru_maxrss counts these


@dataclass(frozen=True)
class LogEvent:
    """A line that lasts."""

    level: Literal["info", "warning"]
    message: str


@dataclass(frozen=True)
class PhaseEvent:
    """What begins now."""

    phase: str
    """ "load", "data", "search", "folds", "train", "export", "report" or "seal"."""
    message: str
    memory_bytes: int
    """The most that the process had."""


@dataclass(frozen=True, kw_only=True)
class DescentEvent:
    """How far training is, between two steps."""

    phase: Literal["train"]
    epoch: int
    """How many are done."""
    epochs: int
    step: int
    """Done of the next epoch."""
    steps: int
    loss: float | None
    validation: Mapping[str, float]
    """A metric's name and value; empty where there is none."""
    rows_per_second: float
    training_seconds: float
    """What that is over."""
    seconds: float
    eta_seconds: float
    energy_joules: float
    last: bool
    """Whether the descent ends here, maybe early."""
    memory_bytes: int


@dataclass(frozen=True)
class ResultEvent:
    """The end of a run that is sealed; run_result.py declares the fields."""

    fields: Mapping[str, object]


@dataclass(frozen=True)
class ErrorEvent:
    """The end of a run that is not."""

    message: str
    hint: str
    report: Mapping[str, str] = field(default_factory=dict)
    """Of a model that its gates refuse: artifact_id and payload_digest of its sealed report; else left out."""


Event = LogEvent | PhaseEvent | DescentEvent | ResultEvent | ErrorEvent
NAMES: Final[Mapping[type[Event], str]] = {
    LogEvent: "log", PhaseEvent: "progress", DescentEvent: "progress", ResultEvent: "result", ErrorEvent: "error",
}  # fmt: skip


def write_event(event: Event) -> bytes:
    """The line. Raises ValueError for a number that JSON has no word for."""
    told = dict(event.fields if isinstance(event, ResultEvent) else vars(event))
    if isinstance(event, ErrorEvent) and not event.report:
        del told["report"]
    return json.dumps({"event": NAMES[type(event)], **told}, allow_nan=False).encode() + b"\n"


def read_event(line: bytes) -> Event | None:
    """None if it is not a whole event: the process died while it wrote."""
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
    """Raises LookupError."""
    if name == "progress":
        return DescentEvent if "epoch" in told else PhaseEvent
    return {"log": LogEvent, "error": ErrorEvent}[name]


class Events(ABC):
    """What is told, whoever listens."""

    def __init__(self) -> None:
        self._next_progress = 0.0

    @abstractmethod
    def tell(self, event: Event) -> None:
        """Passes on one event."""

    def log(self, level: Literal["info", "warning"], message: str) -> None:
        """Tells a line that lasts."""
        self.tell(LogEvent(level, without_credentials(message)))

    def phase(self, phase: str, message: str) -> None:
        """Tells what begins now."""
        self.tell(PhaseEvent(phase, without_credentials(message), memory_bytes()))

    def descent(self, describe: Callable[[], DescentEvent], *, last: bool) -> None:
        """Tells how far training is, four times a second at most; the last time always. Asks for no more events than
        it tells.
        """
        now = time.monotonic()
        if now < self._next_progress and not last:
            return
        self._next_progress = now + PROGRESS_SECONDS
        self.tell(describe())


class EventStream(Events):
    """Writes events to `descriptor`. A closed reader means that the parent is gone: a cancel, as any other."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor
        self._lock = threading.Lock()
        self._closed = False

    def tell(self, event: Event) -> None:
        """Writes the whole event, or nothing once the reader is gone."""
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
    """The most that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
