"""Events on a terminal: a progress bar with the most important figures. Without a terminal, lines."""

import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final, TextIO

from tqdm import tqdm

from training.events import DescentEvent, Event, Events, LogEvent, PhaseEvent
from training.report.units import printable
from training.status_line import costs, figures, status_line, where

LINE_SECONDS: Final = 5.0
"""Seconds between two lines about the same loop."""
BAR_WIDTH: Final = 24


class Display(Events):
    """Shows events on a stream, by default standard error, since standard output has the result."""

    def __init__(self, stream: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._stream, self._clock = stream, clock
        self._bar: tqdm[Any] | None = None
        self._next_line = 0.0

    def tell(self, event: Event) -> None:
        """Shows progress and log lines."""
        if isinstance(event, LogEvent):
            self._line(f"{event.level}: {event.message}")
        elif isinstance(event, PhaseEvent):
            self.close()
            self._next_line = 0.0
            self._line(status_line(event, with_metrics=True))
        elif isinstance(event, DescentEvent):
            self._show(event)

    def close(self) -> None:
        """Leaves the bar as it is, and continues below it."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, event: DescentEvent) -> None:
        if _has_width(self._stream):
            self._draw(event)
        elif self._clock() >= self._next_line or event.last:
            self._next_line = self._clock() + LINE_SECONDS
            self._line(status_line(event, with_metrics=True))

    def _line(self, text: str) -> None:
        tqdm.write(printable(text), file=self._stream)
        self._stream.flush()

    def _draw(self, event: DescentEvent) -> None:
        """Draws the bar. It starts again for each loop of a search."""
        looks = f"{where(event)} |{{bar:{BAR_WIDTH}}}| {', '.join((*figures(event), *costs(event)))}"
        done, epochs = event.epoch + event.step / event.steps, event.epochs
        if self._bar is None:
            self._bar = tqdm(total=epochs, initial=done, bar_format=looks, file=self._stream, dynamic_ncols=True)
        else:
            self._bar.n, self._bar.total, self._bar.bar_format = done, epochs, looks
            self._bar.refresh()


def _has_width(stream: TextIO) -> bool:
    """Returns whether it is a terminal with a known width. Some pseudo-terminals report 0."""
    return stream.isatty() and os.get_terminal_size(stream.fileno()).columns > 0
