"""How fast a descent goes and when it will be done, from looks at its position between two stretches of its steps."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from training.job import Job

if TYPE_CHECKING:  # at run time it would load torch
    from training.recipe.sgd import Position


@dataclass(frozen=True)
class Pace:
    """At one look."""

    rows_per_second: float
    """Of this descent, in this process."""
    eta_seconds: float
    """Until its last epoch is done, at that rate."""
    seconds: float
    """That it took so far, in this process: what the rate is over."""


class Stopwatch:
    """Looks at one descent after the other: the trials of a search, folds, the model's own.

    `resumed` is where the first one goes on.
    """

    def __init__(self, resumed: Mapping[str, Any] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._resumed = resumed
        self._descent: Position | None = None
        self._began = self._last_look = clock()
        self._first_epochs = 0.0

    def begin(self) -> None:
        """What comes before this is no part of the next descent."""
        self._last_look = self._clock()

    def look(self, job: Job, position: "Position", rows: int) -> Pace:
        """`rows` are those of an epoch."""
        now = self._clock()
        if position is not self._descent:
            self._began, self._descent = self._last_look, position
            self._first_epochs = _epochs_done(job, self._resumed, rows) if self._resumed else 0.0
            self._resumed = None
        self._last_look = now
        done = _epochs_done(job, vars(position), rows)
        seconds = max(now - self._began, 1e-9)
        epochs_per_second = max(done - self._first_epochs, 1e-9) / seconds
        return Pace(rows * epochs_per_second, (job.epochs - done) / epochs_per_second, seconds)


def _epochs_done(job: Job, position: Mapping[str, Any], rows: int) -> float:
    return float(position["epoch"] + min(1.0, position["step"] * job.rows_per_step / rows))
