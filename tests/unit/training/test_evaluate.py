"""Metrics against scikit-learn's."""

import pytest
import torch
from sklearn import metrics as oracle
from torch import nn

from training.dataset import Rows
from training.evaluate import evaluate


class Fixed(nn.Module):
    """Answers each raw row with the row itself."""

    def forward(self, raw: torch.Tensor) -> torch.Tensor:
        return raw


def test_regression_metrics_are_scikit_learn_s() -> None:
    own = torch.Generator().manual_seed(0)
    answer, target = torch.randn(50, 1, generator=own) * 100 + 150, torch.randn(50, 1, generator=own) * 100 + 150

    found = evaluate(Fixed(), Rows(answer, target))

    assert found["mse"] == pytest.approx(oracle.mean_squared_error(target, answer))
    assert found["mae"] == pytest.approx(oracle.mean_absolute_error(target, answer))
    assert found["r2"] == pytest.approx(oracle.r2_score(target, answer))
    assert sorted(found) == ["mae", "mse", "r2"]


def test_classification_metrics_are_scikit_learn_s() -> None:
    own = torch.Generator().manual_seed(0)
    probabilities = torch.softmax(torch.randn(60, 4, generator=own), dim=1)
    target = torch.arange(60) % 4

    found = evaluate(Fixed(), Rows(probabilities, target))

    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(target, probabilities.argmax(dim=1)))
    exact = probabilities.double()
    assert found["loss"] == pytest.approx(oracle.log_loss(target, exact / exact.sum(dim=1, keepdim=True)))
    assert sorted(found) == ["accuracy", "loss"]


def test_a_probability_rounded_to_zero_is_a_large_loss_and_not_an_infinite_one() -> None:
    found = evaluate(Fixed(), Rows(torch.tensor([[1.0, 0.0]]), torch.tensor([1])))

    assert 80 < found["loss"] < 100
