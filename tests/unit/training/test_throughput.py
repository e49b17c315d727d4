"""Rate and time left, over looks at one descent after the other."""

import pytest

from training.job import Job
from training.recipe.trainer_state import TrainerState
from training.throughput import Stopwatch

JOB = Job(epochs=10, batch_size=50)
ROWS = 1000


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_is_over_all_of_the_descent_and_the_time_left_follows_from_it() -> None:
    clock, state = Clock(), TrainerState()
    stopwatch = Stopwatch(clock=clock)
    clock.now += 2
    state.epoch = 1

    throughput = stopwatch.look(JOB, state, ROWS)

    assert throughput.rows_per_second == pytest.approx(500)
    assert throughput.eta_seconds == pytest.approx(18)


def test_steps_of_an_epoch_under_way_count() -> None:
    clock, state = Clock(), TrainerState(epoch=0, step=5)
    stopwatch = Stopwatch(clock=clock)
    clock.now += 1

    throughput = stopwatch.look(JOB, state, ROWS)

    assert throughput.rows_per_second == pytest.approx(250)
    assert throughput.eta_seconds == pytest.approx(39)


def test_a_step_of_several_batches_has_the_rows_of_all() -> None:
    clock, state = Clock(), TrainerState(epoch=0, step=2)
    stopwatch = Stopwatch(clock=clock)
    clock.now += 1

    throughput = stopwatch.look(Job(epochs=10, batch_size=50, accumulate_steps=4), state, ROWS)

    assert throughput.rows_per_second == pytest.approx(400)


def test_epochs_of_an_earlier_process_are_no_part_of_the_rate() -> None:
    clock, state = Clock(), TrainerState(epoch=8)
    stopwatch = Stopwatch(TrainerState(epoch=7), clock)
    clock.now += 4

    throughput = stopwatch.look(JOB, state, ROWS)

    assert throughput.rows_per_second == pytest.approx(250)
    assert throughput.eta_seconds == pytest.approx(8)


def test_what_came_before_a_descent_is_no_part_of_it() -> None:
    clock = Clock()
    stopwatch = Stopwatch(clock=clock)
    clock.now += 60
    stopwatch.begin()
    clock.now += 2
    stopwatch.look(JOB, TrainerState(epoch=10), ROWS)
    clock.now += 1

    throughput = stopwatch.look(JOB, TrainerState(epoch=1), ROWS)

    assert throughput.rows_per_second == pytest.approx(1000)
    assert throughput.eta_seconds == pytest.approx(9)


def test_a_descent_that_is_done_has_no_time_left() -> None:
    assert Stopwatch(clock=Clock()).look(JOB, TrainerState(epoch=10), ROWS).eta_seconds == 0
