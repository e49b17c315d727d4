"""When a run that is under way keeps a checkpoint."""

import os
from dataclasses import dataclass, field
from typing import cast

import pytest

from training import run_callback
from training.cancellation import Cancellation
from training.checkpoint import Record, Records, TrainingRecord
from training.events import EventStream
from training.job import Job
from training.recipe.callback import Progress
from training.recipe.trainer_state import TrainerState
from training.report.energy import Meter
from training.request import RunRequest
from training.run_callback import Clock, RunCallback

JOB = Job(epochs=100)


@dataclass
class Passing:
    """Time, which passes when a test says so."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Kept:
    """Records that take their time."""

    time: Passing
    seconds: float
    epochs: list[int] = field(default_factory=list)

    def save(self, record: Record) -> None:
        self.time.now += self.seconds
        assert isinstance(record, TrainingRecord)
        assert record.state is not None
        self.epochs.append(record.state.epoch)


def kept(monkeypatch: pytest.MonkeyPatch, save_seconds: float, looks: list[tuple[float, bool]]) -> list[int]:
    """The epochs that a checkpoint is kept after, of those that take so long and may be the last one."""
    time = Passing()
    monkeypatch.setattr(run_callback, "time", time)
    records = Kept(time, save_seconds)
    request = RunRequest(JOB, "file:///nowhere", b"", (), "ab" * 32)
    events = EventStream(os.open(os.devnull, os.O_WRONLY))
    with Meter() as meter:
        callback = RunCallback(request, cast(Records, records), events, Cancellation(), Clock(), meter, Progress())
        for epoch, (seconds, last) in enumerate(looks, 1):
            time.now += seconds
            progress = Progress(state=TrainerState(epoch=epoch))
            callback.after(JOB, lambda: progress, TrainerState(epoch=epoch), rows=10, epoch_ended=True, last=last)  # noqa: B023
    os.close(events.descriptor)
    return records.epochs


def test_a_checkpoint_is_kept_at_an_epoch_s_end_if_it_is_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept(monkeypatch, 0.5, [(2.0, False), (20.0, False), (6.0, False)]) == [1, 3]


def test_the_end_of_a_descent_is_kept_though_it_be_not_cheap_so_that_a_kill_in_the_export_loses_no_epoch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert kept(monkeypatch, 0.5, [(2.0, False), (20.0, True)]) == [1, 2]


@pytest.mark.parametrize(("save_seconds", "looks"), [(0.5, [(0.9, True)]), (9.0, [(2.0, False), (8.0, True)])])
def test_a_moment_is_not_worth_a_checkpoint_nor_is_less_than_that_takes(
    monkeypatch: pytest.MonkeyPatch, save_seconds: float, looks: list[tuple[float, bool]]
) -> None:
    assert len(looks) not in kept(monkeypatch, save_seconds, looks)
