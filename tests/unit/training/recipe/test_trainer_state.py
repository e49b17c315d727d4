"""What the loop counts, without a loop."""

import subprocess
import sys

import pytest

from training.job import Job
from training.options import EarlyStopping
from training.recipe.trainer_state import TrainerState, find_stop_reason


def test_an_epoch_s_loss_is_the_mean_over_the_weights_of_its_rows() -> None:
    state = TrainerState()
    state.add_steps(2, 6.0, 4.0)
    state.add_steps(1, 3.0, 2.0)
    assert (state.step, state.epoch) == (3, 0)

    state.end_epoch(0.1)

    assert state == TrainerState(epoch=1, loss=1.5, history=[{"loss": 1.5, "learningRate": 0.1}])


def test_an_epoch_without_a_row_has_the_loss_0() -> None:
    state = TrainerState()
    state.add_steps(1, 0.0, 0.0)
    state.end_epoch(0.1)

    assert state.loss == 0


@pytest.mark.parametrize(("metric", "values"), [("mse", [3.0, 2.0, 2.5]), ("accuracy", [0.5, 0.9, 0.8])])
def test_the_best_epoch_is_by_the_metric_s_own_direction(metric: str, values: list[float]) -> None:
    job, state, best = Job(early_stopping=EarlyStopping(metric)), TrainerState(), list[bool]()
    for value in values:
        state.end_epoch(0.1)
        state.add_metrics({metric: value})
        best.append(state.improve(job))

    assert best == [True, True, False]
    assert state.best_epoch == 2


def test_nothing_stops_within_an_epoch() -> None:
    job = Job(epochs=1)

    assert find_stop_reason(job, TrainerState(epoch=1)) == "epochs"
    assert find_stop_reason(job, TrainerState(epoch=1, step=1)) == ""


def test_it_is_read_without_torch() -> None:
    program = "import sys, training.recipe.callback, training.throughput; print('torch' in sys.modules)"

    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )
