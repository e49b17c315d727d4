"""What a descent tells of itself is always JSON, and of the validation rows only what the run looks at."""

import json
import math
import os
from typing import Any

from training.events import EventStream
from training.job import Job
from training.options import EarlyStopping
from training.progress import Teller, find_loss, find_validation
from training.recipe.callback import Progress
from training.recipe.trainer_state import TrainerState
from training.report.energy import Meter


def told(job: Job, state: TrainerState, rows: int, *, last: bool = False) -> dict[str, Any]:
    reading, writing = os.pipe()
    with Meter() as meter:
        Teller(EventStream(writing), lambda: 1.5, meter, Progress()).tell(job, state, rows, last=last)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        (line,) = stream
    event: dict[str, Any] = json.loads(line)
    return event


def test_between_steps_of_the_first_epoch_the_loss_is_of_the_rows_so_far() -> None:
    event = told(Job(epochs=3, batch_size=32), TrainerState(step=2, summed_loss=32.0, summed_weight=64.0), 100)

    assert (event["epoch"], event["step"], event["steps"], event["loss"]) == (0, 2, 4, 0.5)
    assert (event["validation"], event["seconds"]) == ({}, 1.5)
    assert event["energy_joules"] >= 0


def test_steps_are_those_of_accumulated_batches() -> None:
    job = Job(epochs=3, batch_size=8, accumulate_steps=4)

    assert told(job, TrainerState(step=2, summed_loss=32.0, summed_weight=64.0), 100)["steps"] == 4


def test_rows_count_by_their_classes_weights() -> None:
    assert find_loss(TrainerState(step=1, summed_loss=3.0, summed_weight=1.5)) == 2.0


def test_the_last_time_of_a_descent_that_stopped_early_nothing_is_left_to_do() -> None:
    event = told(Job(epochs=300), TrainerState(epoch=39, loss=1.0), 100, last=True)

    assert (event["epoch"], event["last"], event["eta_seconds"]) == (39, True, 0.0)


def test_a_loss_that_is_no_number_is_none() -> None:
    assert told(Job(), TrainerState(epoch=1, loss=math.nan), 10)["loss"] is None


def test_the_metric_that_early_stopping_looks_at_is_shown() -> None:
    state = TrainerState(history=[{"loss": 1.0, "validation.mse": 4.0, "validation.mae": 2.0}])

    assert find_validation(Job(early_stopping=EarlyStopping(metric="mae")), state) == {"mae": 2.0}
    assert find_validation(Job(), state) == {"mse": 4.0}


def test_without_validation_rows_there_is_no_metric() -> None:
    assert find_validation(Job(), TrainerState(history=[{"loss": 1.0, "learningRate": 0.1}])) == {}
    assert find_validation(Job(), TrainerState()) == {}
