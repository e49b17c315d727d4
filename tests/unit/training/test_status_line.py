"""The line that people read while a model is trained."""

from dataclasses import replace

from training.events import DescentEvent, PhaseEvent
from training.status_line import status_line

EVENT = DescentEvent(
    phase="train", epoch=12, epochs=100, step=0, steps=11, loss=0.41642, validation={"mae": 43.21},
    rows_per_second=117_903.4, training_seconds=0.5, seconds=1.52, eta_seconds=200.4, energy_joules=12.34, last=False,
    memory_bytes=2**20,
)  # fmt: skip


def test_it_says_how_far_how_good_how_long_how_fast_and_what_it_cost() -> None:
    assert status_line(EVENT, with_metrics=True) == (
        "epoch 12/100, loss 0.4164, validation mae 43.21, about 3 min 20 s left, 117,903 rows/s, 12.3 J"
    )


def test_loss_and_metrics_are_for_those_who_may_see_them() -> None:
    assert status_line(EVENT, with_metrics=False) == "epoch 12/100, about 3 min 20 s left, 117,903 rows/s, 12.3 J"


def test_inside_an_epoch_it_says_how_far_that_is() -> None:
    assert status_line(replace(EVENT, step=5), with_metrics=False).startswith("epoch 13/100 at 45 %, ")


def test_after_the_last_epoch_it_says_how_long_it_took() -> None:
    assert status_line(replace(EVENT, epoch=39, last=True), with_metrics=False).startswith(
        "epoch 39/100, 500 ms of training at 117,903 rows/s, 1.52 s in all, "
    ), "the seconds counted the loading of torch, the rate did not"


def test_a_loss_that_is_not_known_is_left_out() -> None:
    assert "loss" not in status_line(replace(EVENT, loss=None), with_metrics=True)


def test_a_phase_is_its_message() -> None:
    assert status_line(PhaseEvent("data", "reading iris", 0), with_metrics=True) == "reading iris"
