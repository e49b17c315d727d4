"""Learning rate of each step: a pure function of the run's settings, so that a resumed run needs no state for it.

Schedules follow SGDR (Loshchilov, Hutter 2017, without restarts), the linear warm-up Goyal et al. 2017.
"""

import math
from dataclasses import dataclass

from training.job import Job


@dataclass(frozen=True)
class Rates:
    """Learning rates of a run with `steps` steps in each epoch."""

    job: Job
    steps: int

    def of(self, epoch: int, first: int, last: int) -> list[float]:
        """Returns the rates of the steps `first` to `last` - 1 of an epoch, counted from 0."""
        rate = self._after_warmup(epoch)
        if epoch >= self.job.schedule.warmup_epochs:
            return [rate] * (last - first)
        return [rate * self._warmup(epoch, step) for step in range(first, last)]

    def _after_warmup(self, epoch: int) -> float:
        rate, schedule = self.job.learning_rate, self.job.schedule
        if schedule.kind == "step":
            return float(rate * schedule.factor ** (epoch // schedule.step_epochs))
        if schedule.kind == "cosine":
            lasting = max(1, self.job.epochs - schedule.warmup_epochs)
            done = min(1.0, max(0, epoch - schedule.warmup_epochs) / lasting)
            return schedule.minimum + (rate - schedule.minimum) * (1 + math.cos(math.pi * done)) / 2
        return rate

    def _warmup(self, epoch: int, step: int) -> float:
        warmup_steps = self.job.schedule.warmup_epochs * self.steps
        return (epoch * self.steps + step + 1) / warmup_steps
