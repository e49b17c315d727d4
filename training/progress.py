"""Progress of a run: its phases, and the state of its training loops. It keeps nothing and stops nothing."""

import math
import time
from collections.abc import Callable

from training.events import DescentEvent, Events, memory_bytes
from training.job import Job
from training.options import VALIDATION
from training.recipe.callback import Progress
from training.recipe.trainer_state import TrainerState
from training.report.energy import Meter
from training.throughput import Stopwatch


class Teller:
    """Sends events. `seconds` returns how long the run has taken, `meter` how much energy it has used."""

    def __init__(self, events: Events, seconds: Callable[[], float], meter: Meter, progress: Progress) -> None:
        self._events, self._seconds, self._meter = events, seconds, meter
        self._stopwatch = Stopwatch(progress.state)
        self._phases: list[tuple[str, float]] = []

    def phase(self, name: str, message: str) -> None:
        """Sends the start of a phase."""
        self._stopwatch.begin()
        self._phases.append((name, time.monotonic()))
        self._events.phase(name, message)

    def durations(self) -> dict[str, float]:
        """Returns the seconds of each phase of this process."""
        ends = [began for _, began in self._phases[1:]] + [time.monotonic()]
        spent: dict[str, float] = {}
        for (name, began), end in zip(self._phases, ends, strict=True):
            spent[name] = spent.get(name, 0.0) + end - began
        return spent

    def tell(self, job: Job, state: TrainerState, rows: int, *, last: bool) -> None:
        """Sends the progress of a loop over `rows` rows per epoch. The `last` event is always sent."""
        throughput = self._stopwatch.look(job, state, rows)

        def describe() -> DescentEvent:
            return DescentEvent(
                phase="train",
                epoch=state.epoch,
                epochs=job.epochs,
                step=state.step,
                steps=math.ceil(rows / job.rows_per_step),
                loss=find_loss(state),
                validation=find_validation(job, state),
                rows_per_second=round(throughput.rows_per_second, 1),
                training_seconds=round(throughput.seconds, 3),
                seconds=round(self._seconds(), 3),
                eta_seconds=0.0 if last else round(throughput.eta_seconds, 3),
                energy_joules=round(self._meter.energy().joules, 3),
                last=last,
                memory_bytes=memory_bytes(),
            )

        self._events.descent(describe, last=last)


def find_loss(state: TrainerState) -> float | None:
    """Returns the mean loss of the last epoch, or of the part done of the current one. None if it is not finite."""
    found = state.summed_loss / (state.summed_weight or 1.0) if state.step else state.loss
    return found if math.isfinite(found) else None


def find_validation(job: Job, state: TrainerState) -> dict[str, float]:
    """Returns the validation metric that the run uses, after the last epoch. Empty if there are no validation rows."""
    metrics = {
        name.removeprefix(VALIDATION): value
        for name, value in (state.history[-1] if state.history else {}).items()
        if name.startswith(VALIDATION) and math.isfinite(value)
    }
    wanted = [one.metric for one in (job.early_stopping, job.search) if one is not None]
    name = next((name for name in (*wanted, *metrics) if name in metrics), None)
    return {} if name is None else {name: metrics[name]}
