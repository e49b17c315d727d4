"""What a model's answers hang on is what it was made to hang on, and the same twice."""

# ruff: noqa: N802, N803, N806 (names of tensors carry the letters of their shape)

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import permutation_importance
from torch import nn

from training.report import explanation
from training.report.explanation import explain

ROWS = 600


class Linear(nn.Module):
    """y = 3a + b, and nothing of c."""

    def forward(self, raw_BF: torch.Tensor) -> torch.Tensor:
        return (raw_BF @ torch.tensor([3.0, 1.0, 0.0]))[:, None]


class Sign(nn.Module):
    """Probability of the second of two classes, by the sum of one part of an image, a sequence or a wide row."""

    def __init__(self, part: tuple[slice, ...]) -> None:
        super().__init__()
        self.part = (slice(None), *part)

    def forward(self, raw: torch.Tensor) -> torch.Tensor:
        z_B = raw[self.part].flatten(1).sum(dim=1)
        return torch.softmax(torch.stack([-z_B, z_B], dim=1), dim=1)


class Words(nn.Module):
    """Says the second class of rows with word 3, and knows no other word."""

    def forward(self, ids_BL: torch.Tensor) -> torch.Tensor:
        has_B = (ids_BL == 3).any(dim=1).float()
        return torch.stack([0.9 - 0.8 * has_B, 0.1 + 0.8 * has_B], dim=1)


@pytest.fixture
def rows_RF() -> torch.Tensor:
    return torch.randn(ROWS, 3, generator=torch.Generator().manual_seed(1))


class Oracle(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """The linear model as scikit-learn wants it."""

    fitted_ = True

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Oracle":
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        answer: np.ndarray = Linear()(torch.from_numpy(x)).numpy()[:, 0]
        return answer


def test_permutation_importance_is_scikit_learn_s(rows_RF: torch.Tensor) -> None:
    target = Linear()(rows_RF) + torch.randn(ROWS, 1, generator=torch.Generator().manual_seed(2))
    theirs = permutation_importance(Oracle(), rows_RF.numpy(), target.numpy()[:, 0], n_repeats=30, random_state=0)

    ours = explain(Linear(), rows_RF, target, "regression", ("a", "b", "c"))

    assert ours is not None
    assert [one.mean for one in ours.values.values()] == pytest.approx(theirs.importances_mean, rel=0.05, abs=1e-9)
    assert ours.values["c"].mean == 0
    assert (ours.values["a"].deviation or 0) < 0.15


def test_the_same_seed_gives_the_same_importances_and_another_seed_others(rows_RF: torch.Tensor) -> None:
    first, again, other = (
        explain(Linear(), rows_RF, Linear()(rows_RF), "regression", "abc", seed=seed) for seed in (4, 4, 5)
    )

    assert first == again
    assert first != other


def test_classes_are_scored_by_accuracy(rows_RF: torch.Tensor) -> None:
    model = Sign((slice(0, 1),))

    found = explain(model, rows_RF, (rows_RF[:, 0] > 0).long(), "classification", ("a", "b", "c"))

    assert found is not None
    assert found.unit == "loss of accuracy"
    assert found.values["a"].mean == pytest.approx(0.5, abs=0.05)
    assert (found.values["b"].mean, found.values["c"].mean) == (0, 0)


def test_a_large_table_is_sampled_and_the_method_says_so() -> None:
    rows_RF = torch.randn(explanation.PERMUTED_ROWS + 500, 3)

    found = explain(Linear(), rows_RF, Linear()(rows_RF), "regression", "abc")

    assert found is not None
    assert "2,000 held-out rows" in found.method


def test_an_image_s_heat_is_where_the_model_looks() -> None:
    images_RCHW = torch.rand(50, 3, 16, 12, generator=torch.Generator().manual_seed(3))
    model = Sign((slice(None), slice(0, 4), slice(0, 4)))

    found = explain(model, images_RCHW, torch.zeros(50, dtype=torch.int64), "classification")

    assert found is not None
    assert found.heat_map is not None
    heat_HW = np.array(found.heat_map.values)
    assert heat_HW.shape == (16, 12)
    assert heat_HW[:4, :4].min() > 0
    assert heat_HW.sum() == pytest.approx(heat_HW[:4, :4].sum())


def test_a_heat_map_is_no_larger_than_a_page_can_hold() -> None:
    model = Sign((slice(None), slice(None)))

    found = explain(model, torch.rand(3, 20, 5000), torch.zeros(3, dtype=torch.int64), "classification")

    assert found is not None
    assert found.heat_map is not None
    assert np.array(found.heat_map.values).shape == (20, explanation.HEAT_MAP_SIDE)
    assert (found.heat_map.rows, found.heat_map.columns) == ("channel", "time step")


def test_attributions_of_a_linear_model_are_its_weights_times_the_distance_from_the_mean_row() -> None:
    rows_RF = torch.randn(40, 300, generator=torch.Generator().manual_seed(4))
    weights_F = torch.linspace(-1, 1, 300)
    model = nn.Linear(300, 1, bias=False)
    model.weight.data = weights_F[None]
    names = [f"f{at}" for at in range(300)]

    found = explain(model, rows_RF, rows_RF[:, :1], "regression", names)

    assert found is not None
    expected_F = ((rows_RF - rows_RF.mean(dim=0)).abs() * weights_F.abs()).mean(dim=0)
    assert [found.values[name].mean for name in names] == pytest.approx(expected_F.tolist(), rel=1e-3, abs=1e-6)


def test_the_word_that_the_model_knows_is_the_one_that_counts() -> None:
    ids_RL = torch.tensor([[2, 3, 0], [4, 3, 2], [2, 4, 4], [4, 0, 0]])

    found = explain(Words(), ids_RL, torch.tensor([1, 1, 0, 0]), "classification", words=("", "", "a", "b", "c"))

    assert found is not None
    assert set(found.values) == {"a", "b", "c"}
    assert found.values["b"].mean == pytest.approx(np.log(0.9) - np.log(0.1))
    assert found.values["a"].mean == found.values["c"].mean == 0


def test_ids_that_no_one_named_are_not_explained() -> None:
    assert explain(Words(), torch.zeros(5, 3, dtype=torch.int64), torch.zeros(5), "classification") is None


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(rows_RF: torch.Tensor, training: bool) -> None:
    model = nn.Sequential(nn.Dropout(0.9), Linear()).train(training)
    before_RF = rows_RF.clone()

    found = explain(model, rows_RF, Linear()(rows_RF), "regression", "abc")

    assert found is not None
    assert found.values["c"].mean == 0  # dropout would have made it another number
    assert model.training == training
    assert torch.equal(rows_RF, before_RF)
    assert not rows_RF.requires_grad
