"""Metrics against scikit-learn's."""

import pytest
import torch
from sklearn import metrics as oracle
from torch import nn

from training.recipe.datasets.dataset import TensorRows
from training.recipe.evaluate import evaluate, measure


class Fixed(nn.Module):
    """Answers each raw row with the row itself."""

    def forward(self, raw: torch.Tensor) -> torch.Tensor:
        return raw


def test_regression_metrics_are_scikit_learn_s() -> None:
    own = torch.Generator().manual_seed(0)
    answer, target = torch.randn(50, 1, generator=own) * 100 + 150, torch.randn(50, 1, generator=own) * 100 + 150

    found = evaluate(Fixed(), TensorRows(answer, target))

    assert found["mse"] == pytest.approx(oracle.mean_squared_error(target, answer))
    assert found["mae"] == pytest.approx(oracle.mean_absolute_error(target, answer))
    assert found["r2"] == pytest.approx(oracle.r2_score(target, answer))
    assert found["loss"] == found["mse"]
    assert sorted(found) == ["loss", "mae", "mse", "r2"]


def test_classification_metrics_are_scikit_learn_s() -> None:
    own = torch.Generator().manual_seed(0)
    probabilities = torch.softmax(torch.randn(60, 4, generator=own), dim=1)
    target = torch.arange(60) % 4

    found = evaluate(Fixed(), TensorRows(probabilities, target))

    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(target, probabilities.argmax(dim=1)))
    exact = probabilities.double()
    assert found["loss"] == pytest.approx(oracle.log_loss(target, exact / exact.sum(dim=1, keepdim=True)))
    said = probabilities.argmax(dim=1)
    assert found["balancedAccuracy"] == pytest.approx(oracle.balanced_accuracy_score(target, said))
    assert found["f1"] == pytest.approx(oracle.f1_score(target, said, average="macro"))
    assert found["auroc"] == pytest.approx(
        oracle.roc_auc_score(target, exact / exact.sum(dim=1, keepdim=True), average="macro", multi_class="ovr")
    )
    assert sorted(found) == ["accuracy", "auroc", "balancedAccuracy", "f1", "loss"]


def test_auroc_of_two_classes_with_equal_scores_is_scikit_learn_s() -> None:
    scores = torch.tensor([0.1, 0.4, 0.4, 0.4, 0.8, 0.8])
    target = torch.tensor([0, 0, 1, 1, 0, 1])

    found = measure(torch.stack([1 - scores, scores], dim=1), target, "classification")

    assert found["auroc"] == pytest.approx(oracle.roc_auc_score(target, scores))


def test_auroc_is_left_out_where_a_class_has_no_row() -> None:
    found = measure(torch.softmax(torch.randn(6, 3), dim=1), torch.tensor([0, 1, 0, 1, 0, 1]), "classification")

    assert "auroc" not in found


def test_r2_of_a_target_that_never_varies_is_zero() -> None:
    assert measure(torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [3.0]]), "regression")["r2"] == 0


def test_a_probability_rounded_to_zero_is_a_large_loss_and_not_an_infinite_one() -> None:
    found = evaluate(Fixed(), TensorRows(torch.tensor([[1.0, 0.0]]), torch.tensor([1])))

    assert 80 < found["loss"] < 100
