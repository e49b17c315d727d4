"""What a kept run does between two stretches of steps: tell, save a checkpoint from time to time, stop if cancelled."""

import time
from collections.abc import Callable
from typing import Final

from training.cancellation import Cancellation, CancelledError
from training.checkpoint import Records, TrainingRecord
from training.events import EventStream
from training.job import Job
from training.progress import Teller
from training.recipe.callback import Progress
from training.recipe.trainer_state import TrainerState
from training.report.energy import Meter
from training.request import RunRequest

CHEAP: Final = 50
"""A checkpoint at an epoch's end is cheap if the epochs since the last one took this many times what that took."""
DESCENTS: Final = ("search", "folds", "train")
"""Phases in which `RunCallback.after` is called again and again."""
MOMENT_SECONDS: Final = 1.0
"""Of a descent's end, which is not worth a checkpoint."""
FIRST_SAVE_SECONDS: Final = 0.02
"""What the first one is taken for, so that it comes at the end of an epoch after a second."""


class Clock:
    """Wall-clock time of a run over all the processes that worked on it."""

    def __init__(self) -> None:
        self.seconds_before = 0.0
        self._started = time.monotonic()

    def seconds(self) -> float:
        """Of this process and of those before it, as far as they recorded it."""
        return self.seconds_before + time.monotonic() - self._started


class RunCallback(Teller):
    """What happens between two stretches of steps: tell, save from time to time, and stop when cancelled."""

    def __init__(
        self,
        request: RunRequest,
        records: Records,
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
        """Tells what begins now. A cancel waits for a descent alone, which has something to save and looks often; to
        read rows or to write a report may take long.
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
        """Raises CancelledError, with the checkpoint saved, if a cancel was requested."""
        self.tell(job, state, rows, last=last)
        if self._is_cancelled():
            self._save(progress())
            raise CancelledError(f"cancelled after epoch {state.epoch} of {job.epochs}; the checkpoint is saved")
        since = time.monotonic() - self._saved
        cheap = epoch_ended and since > CHEAP * self._save_seconds
        lost = last and since > max(MOMENT_SECONDS, self._save_seconds)  # were the process killed in export or report
        if since >= self._request.checkpoint_seconds or cheap or lost:
            self._save(progress())

    def _is_cancelled(self) -> bool:
        """Several workers stop together, or one would wait for the others for ever."""
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
