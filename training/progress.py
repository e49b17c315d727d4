"""What a run that is under way tells: its phases, and how its descents go. It keeps and stops nothing."""

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from training.events import DescentEvent, Events, memory_bytes
from training.job import Job
from training.options import VALIDATION
from training.pace import Stopwatch
from training.report.energy import Meter

if TYPE_CHECKING:  # at run time it would load torch
    from training.recipe.make import Progress
    from training.recipe.sgd import Position

"""What the names of the validation rows' metrics begin with in a position's history."""


class Teller:
    """Tells events. `seconds` says how long the run has taken, `meter` with how much energy."""

    def __init__(self, events: Events, seconds: Callable[[], float], meter: Meter, progress: "Progress") -> None:
        self._events, self._seconds, self._meter = events, seconds, meter
        self._stopwatch = Stopwatch(progress.position)
        self._phases: list[tuple[str, float]] = []

    def phase(self, name: str, message: str) -> None:
        """Tells what begins now."""
        self._stopwatch.begin()
        self._phases.append((name, time.monotonic()))
        self._events.phase(name, message)

    def durations(self) -> dict[str, float]:
        """Seconds of each phase of this process."""
        ends = [began for _, began in self._phases[1:]] + [time.monotonic()]
        spent: dict[str, float] = {}
        for (name, began), end in zip(self._phases, ends, strict=True):
            spent[name] = spent.get(name, 0.0) + end - began
        return spent

    def tell(self, job: Job, position: "Position", rows: int, *, last: bool) -> None:
        """Where a descent over so many rows an epoch is; and whether it is the last time, which is always told."""
        pace = self._stopwatch.look(job, position, rows)

        def describe() -> DescentEvent:
            return DescentEvent(
                phase="train",
                epoch=position.epoch,
                epochs=job.epochs,
                step=position.step,
                steps=math.ceil(rows / job.rows_per_step),
                loss=loss(position),
                validation=validation(job, position),
                rows_per_second=round(pace.rows_per_second, 1),
                training_seconds=round(pace.seconds, 3),
                seconds=round(self._seconds(), 3),
                eta_seconds=0.0 if last else round(pace.eta_seconds, 3),
                energy_joules=round(self._meter.energy().joules, 3),
                last=last,
                memory_bytes=memory_bytes(),
            )

        self._events.descent(describe, last=last)


def loss(position: "Position") -> float | None:
    """Of the last epoch, or of what there is of the one under way; None while it is no number."""
    found = position.summed_loss / (position.summed_mass or 1.0) if position.step else position.loss
    return found if math.isfinite(found) else None


def validation(job: Job, position: "Position") -> dict[str, float]:
    """The one metric of the validation rows that the run looks at, after the last epoch; empty if there are no rows."""
    metrics = {
        name.removeprefix(VALIDATION): value
        for name, value in (position.history[-1] if position.history else {}).items()
        if name.startswith(VALIDATION) and math.isfinite(value)
    }
    wanted = [one.metric for one in (job.early_stopping, job.search) if one is not None]
    name = next((name for name in (*wanted, *metrics) if name in metrics), None)
    return {} if name is None else {name: metrics[name]}
