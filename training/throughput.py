"""Speed and remaining time of a training loop, from its state between two stretches of its steps."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from training.job import Job
from training.recipe.trainer_state import TrainerState


@dataclass(frozen=True)
class Throughput:
    """Speed of a loop at one moment."""

    rows_per_second: float
    """Training rows per second of this loop in this process."""
    eta_seconds: float
    """Seconds until its last epoch is done, at that rate."""
    seconds: float
    """Seconds of this loop in this process, which the rate is averaged over."""


class Stopwatch:
    """Measures one loop after the other: the trials of a search, folds, the model's own.

    `resumed` is the state from which the first one continues.
    """

    def __init__(self, resumed: TrainerState | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._resumed = resumed
        self._state: TrainerState | None = None
        self._began = self._last_look = clock()
        self._first_epochs = 0.0

    def begin(self) -> None:
        """Starts the time of the next loop, which does not include what came before."""
        self._last_look = self._clock()

    def look(self, job: Job, state: TrainerState, rows: int) -> Throughput:
        """Returns the loop's speed. `rows` is the number of rows per epoch."""
        now = self._clock()
        if state is not self._state:
            self._began, self._state = self._last_look, state
            self._first_epochs = _count_epochs(job, self._resumed, rows) if self._resumed else 0.0
            self._resumed = None
        self._last_look = now
        done = _count_epochs(job, state, rows)
        seconds = max(now - self._began, 1e-9)
        epochs_per_second = max(done - self._first_epochs, 1e-9) / seconds
        return Throughput(rows * epochs_per_second, (job.epochs - done) / epochs_per_second, seconds)


def _count_epochs(job: Job, state: TrainerState, rows: int) -> float:
    """Returns the number of epochs done, including the part done of the current one."""
    return state.epoch + min(1.0, state.step * job.rows_per_step / rows)
