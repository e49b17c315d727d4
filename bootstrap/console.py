"""Lines on the terminal: one per step with its elapsed time, and the progress of a long step.

On a terminal the progress line is rewritten in place. Elsewhere (in a log, in CI), a line is printed every
HEARTBEAT_SECONDS.
"""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

HEARTBEAT_SECONDS = 20.0
REDRAW_SECONDS = 0.2
TITLE_COLUMNS = 20

Progress = Callable[[str], None]


def duration(seconds: float) -> str:
    """Formats a duration: 4.2 s, 1 min 05 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


class Step:
    """One running step: `progress(text)` shows its progress, `done(text)` sets its result."""

    def __init__(self, title: str, stream: TextIO, live: bool) -> None:
        self.title = title
        self.result = ""
        self._stream = stream
        self._live = live
        self._started = time.monotonic()
        self._shown = self._started

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def progress(self, text: str) -> None:
        """Shows the last line of `text`, unless a line was shown recently."""
        now = time.monotonic()
        if now - self._shown < (REDRAW_SECONDS if self._live else HEARTBEAT_SECONDS):
            return
        self._shown = now
        newest = text.strip().splitlines()[-1] if text.strip() else ""
        line = f"  … {self.title:<{TITLE_COLUMNS}} {duration(self.seconds):>12}  {newest}"
        if self._live:
            self._stream.write("\r\033[K" + line[: shutil.get_terminal_size().columns - 1])
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def done(self, result: str) -> None:
        self.result = result


class Console:
    """Console on `stream`. `live`: whether lines can be rewritten in place."""

    def __init__(self, stream: TextIO | None = None, *, live: bool | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.live = self.stream.isatty() if live is None else live
        unicode = (getattr(self.stream, "encoding", None) or "ascii").lower().startswith("utf")
        self._good, self._bad = ("✓", "✗") if unicode else ("ok", "no")

    def line(self, text: str = "") -> None:
        self.stream.write(text + "\n")
        self.stream.flush()

    def note(self, text: str) -> None:
        """Prints information that is not a problem."""
        self._clear()
        self.line("  " + text)

    def warn(self, text: str) -> None:
        self._clear()
        self.line("  warning: " + text)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Prints one line when the body ends, with a mark for success or failure."""
        step = Step(title, self.stream, self.live)
        if self.live:
            self.stream.write(f"  … {title}")
            self.stream.flush()
        good = False
        try:
            yield step
            good = True
        finally:
            self._clear()
            mark = self._good if good else self._bad
            self.line(f"{mark} {title:<{TITLE_COLUMNS}} {duration(step.seconds):>12}  {step.result}".rstrip())

    def _clear(self) -> None:
        if self.live:
            self.stream.write("\r\033[K")
