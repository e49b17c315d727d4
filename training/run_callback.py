"""Actions of a sealed run between two stretches of steps: report progress, save checkpoints, stop if cancelled."""

import time
from collections.abc import Callable
from typing import Final

from training.cancellation import Cancellation, CancelledError
from training.checkpoint import RecordKeeper, TrainingRecord
from training.events import EventStream
from training.job import Job
from training.progress import Teller
from training.recipe.callback import Progress
from training.recipe.trainer_state import TrainerState
from training.report.energy import Meter
from training.request import RunRequest

CHEAP: Final = 50
"""Factor for cheap checkpoints: one at an epoch's end is cheap if the epochs since the last took this many times its
duration.
"""
DESCENTS: Final = ("search", "folds", "train")
"""Phases in which `RunCallback.after` is called repeatedly."""
MOMENT_SECONDS: Final = 1.0
"""Duration in seconds of training that is not worth a checkpoint when it ends."""
FIRST_SAVE_SECONDS: Final = 0.02
"""Assumed duration of the first checkpoint, so that it comes at an epoch's end after a second."""


class Clock:
    """Wall-clock time of a run over all its processes."""

    def __init__(self) -> None:
        self.seconds_before = 0.0
        self._started = time.monotonic()

    def seconds(self) -> float:
        """Returns the seconds of this process and of earlier ones, as far as they recorded them."""
        return self.seconds_before + time.monotonic() - self._started


class RunCallback(Teller):
    """Callback between two stretches of steps: reports progress, saves checkpoints, and stops when cancelled."""

    def __init__(
        self,
        request: RunRequest,
        records: RecordKeeper,
        events: EventStream,
        cancellation: Cancellation,
        clock: Clock,
        meter: Meter,
        progress: Progress,
    ) -> None:
        super().__init__(events, clock.seconds, meter, progress)
        self._request, self._records = request, records
        self._cancellation, self._clock = cancellation, clock
        self._saved = time.monotonic()
        self._save_seconds = FIRST_SAVE_SECONDS

    def phase(self, name: str, message: str) -> None:
        """Sends the start of a phase. Only training loops defer a cancel, since they have something to save and check
        often. Reading rows or writing a report may take long.
        """
        super().phase(name, message)
        self._cancellation.defer(name in DESCENTS)

    def after(
        self,
        job: Job,
        progress: Callable[[], Progress],
        state: TrainerState,
        *,
        rows: int,
        epoch_ended: bool,
        last: bool,
    ) -> None:
        """Reports progress and saves a checkpoint if one is due. If a cancel was requested, saves one and raises
        CancelledError.
        """
        self.tell(job, state, rows, last=last)
        if self._is_cancelled():
            self._save(progress())
            raise CancelledError(f"cancelled after epoch {state.epoch} of {job.epochs}; the checkpoint is saved")
        since = time.monotonic() - self._saved
        cheap = epoch_ended and since > CHEAP * self._save_seconds
        lost = last and since > max(MOMENT_SECONDS, self._save_seconds)  # if a kill came during export or report
        if since >= self._request.checkpoint_seconds or cheap or lost:
            self._save(progress())

    def _is_cancelled(self) -> bool:
        """Returns whether to stop. Several workers stop together, since otherwise one would wait for the others
        indefinitely.
        """
        if self._request.job.processes == 1:
            return self._cancellation.requested
        from training.distributed import ask_all

        return ask_all(self._cancellation.requested)

    def _save(self, progress: Progress) -> None:
        began = time.monotonic()
        joules = self._meter.energy().joules
        self._records.save(TrainingRecord(seconds=self._clock.seconds(), joules=joules, **vars(progress)))
        self._saved = time.monotonic()
        self._save_seconds = self._saved - began
