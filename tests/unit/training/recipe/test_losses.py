"""The losses are torch's, and what is written out of them is what torch's autograd finds, however large the answers."""

import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional

from training.recipe.losses import make_loss, write_out
from training.recipe.step import Loss

NAMES = ("mse", "mae", "huber", "crossEntropy", "bce")
WEIGHTS: dict[str, torch.Tensor | None] = {"": None, "weighted ": torch.tensor([0.2, 5.0, 1.0])}
ANSWERS = {
    "common": lambda answer: answer,
    "all alike": lambda answer: answer * 0,
    "small": lambda answer: answer * 1e-6,
    "large": lambda answer: answer * 100,
    "extreme": lambda answer: answer * 1e30,
}


def batch(name: str, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    own = torch.Generator().manual_seed(7)
    answer = torch.randn(rows, 1 if name == "bce" else 3, generator=own)
    if name in ("crossEntropy", "bce"):
        return answer, torch.randint(0, 2 if name == "bce" else 3, (rows,), generator=own)
    return answer, torch.randn(rows, 3, generator=own)


def by_autograd(loss: Loss, answer: torch.Tensor, target: torch.Tensor) -> tuple[float, torch.Tensor]:
    leaf = answer.clone().requires_grad_()
    mean = loss(leaf, target)
    return mean.item(), torch.autograd.grad(mean, leaf)[0]


def by_hand(loss: Loss, answer: torch.Tensor, target: torch.Tensor) -> tuple[float, torch.Tensor]:
    places = write_out(loss)
    assert places is not None
    found = torch.full_like(answer, math.nan)
    with torch.no_grad():
        return places(answer, found)(target.numpy()), found


@pytest.mark.parametrize(
    ("name", "theirs"),
    [("mse", nn.MSELoss()), ("mae", nn.L1Loss()), ("huber", nn.HuberLoss()), ("crossEntropy", nn.CrossEntropyLoss())],
)
def test_losses_are_torch_s(name: str, theirs: nn.Module) -> None:
    answer = torch.randn(5, 3)
    target = torch.tensor([0, 1, 2, 1, 0]) if name == "crossEntropy" else torch.randn(5, 3)

    assert make_loss(name)(answer, target) == theirs(answer, target)


def test_binary_cross_entropy_takes_one_logit_for_two_classes() -> None:
    answer, target = torch.randn(5, 1), torch.tensor([0, 1, 1, 1, 0])

    found = make_loss("bce")(answer, target)

    both = torch.cat([torch.zeros(5, 1), answer], dim=1)
    assert torch.allclose(found, nn.functional.cross_entropy(both, target))


def test_classes_weights_make_cross_entropy_torch_s_weighted_mean() -> None:
    answer, target, weights = torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0]), torch.tensor([0.5, 2.0, 7.0])

    found = make_loss("crossEntropy", weights)(answer, target)

    assert found == nn.functional.cross_entropy(answer, target, weight=weights)


def test_classes_weights_mean_the_same_to_bce_as_to_cross_entropy_of_two_classes() -> None:
    answer, target, weights = torch.randn(5, 1), torch.tensor([0, 1, 1, 1, 0]), torch.tensor([0.5, 4.0])

    found = make_loss("bce", weights)(answer, target)

    both = torch.cat([torch.zeros(5, 1), answer], dim=1)
    assert torch.allclose(found, nn.functional.cross_entropy(both, target, weight=weights))


@pytest.mark.parametrize("rows", [1, 2, 32, 33])
@pytest.mark.parametrize("size", ANSWERS)
@pytest.mark.parametrize(
    "loss", ["mse", "mae", "huber", "crossEntropy", "bce", "weighted crossEntropy", "weighted bce"]
)
def test_the_slope_that_is_written_out_is_autograd_s(loss: str, size: str, rows: int) -> None:
    name = loss.removeprefix("weighted ")
    function = make_loss(name, WEIGHTS[loss.removesuffix(name)])
    answer, target = batch(name, rows)
    answer = ANSWERS[size](answer)

    value, slope = by_hand(function, answer, target)

    their_value, their_slope = by_autograd(function, answer, target)
    assert value == pytest.approx(their_value, rel=1e-5, abs=1e-7)
    torch.testing.assert_close(slope, their_slope, rtol=1e-5, atol=1e-7)
    assert slope.isfinite().all()


@pytest.mark.parametrize("name", ["crossEntropy", "bce"])
def test_a_logit_as_large_as_numbers_go_costs_nothing_if_it_is_right(name: str) -> None:
    most = torch.finfo(torch.float32).max
    answer = torch.tensor([[most], [-most]]) if name == "bce" else torch.tensor([[-most, most], [most, -most]])

    value, slope = by_hand(make_loss(name), answer, torch.tensor([1, 0]))

    assert value == 0
    assert slope.equal(torch.zeros_like(answer))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_a_number_shows_in_the_loss(name: str) -> None:
    answer, target = batch(name, 4)
    answer[1] = math.nan

    value, slope = by_hand(make_loss(name), answer, target)

    assert math.isnan(value)
    assert slope[1].isnan().all()


def test_a_loss_that_is_none_of_ours_is_not_taken_for_one() -> None:
    ours = partial(functional.cross_entropy, weight=torch.ones(3))
    assert write_out(ours) is not None

    for other in (
        functional.smooth_l1_loss,
        partial(functional.huber_loss, delta=2.0),
        partial(functional.cross_entropy, weight=torch.ones(3), label_smoothing=0.1),
        lambda answer, target: functional.mse_loss(answer, target),
    ):
        assert write_out(other) is None
