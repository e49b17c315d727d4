"""Parts of a report that are counted are counted right; scikit-learn and NumPy are asked."""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix

from training.report import Column, measure


def test_a_confusion_matrix_is_scikit_learn_s() -> None:
    generator = torch.Generator().manual_seed(0)
    answer_RK, target_R = torch.rand(500, 7, generator=generator), torch.randint(7, (500,), generator=generator)

    found = measure.confusion(answer_RK, target_R)

    dense_KK = np.zeros((found.size, found.size), dtype=int)
    for true, predicted, rows in found.cells:
        dense_KK[true, predicted] = rows
    assert dense_KK.tolist() == confusion_matrix(target_R, answer_RK.argmax(dim=1)).tolist()


def test_residuals_are_predicted_less_true_and_every_row_is_in_a_bin() -> None:
    true_R1 = torch.linspace(0, 1, 200)[:, None]
    found = measure.residuals(true_R1 * 1.5, true_R1, "price (EUR)")

    counts, edges = np.histogram((true_R1 * 1.5).double() - true_R1.double(), bins=measure.BINS)
    assert found.counts == tuple(counts)
    assert found.edges == pytest.approx(tuple(edges))
    assert (found.true[-1], found.predicted[-1], found.target) == (1.0, 1.5, "price (EUR)")


def test_a_model_without_error_has_residuals_too() -> None:
    found = measure.residuals(torch.ones(5, 1), torch.ones(5, 1))

    assert sum(found.counts) == 5
    assert (found.edges[0], found.edges[-1]) == (-0.5, 0.5)


def test_columns_count_what_is_missing_and_leave_it_out_of_the_rest() -> None:
    rows_RF = torch.tensor([[1.0, torch.nan], [3.0, torch.nan], [torch.nan, torch.nan]])

    assert measure.columns(rows_RF, ("a", "b")) == (Column("a", 2.0, 1.0, 1.0, 3.0, 1), Column("b", missing=3))


def test_labels_count_classes_without_rows_as_none() -> None:
    assert measure.labels(torch.tensor([2, 0, 2]), ("x", "y", "z")) == {"x": 1, "y": 0, "z": 2}
