"""The rows are scikit-learn's, and the split is seeded, complete and without overlap."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_digits

from training import dataset, job


def rows_as_tuples(rows: dataset.Rows) -> list[tuple[float, ...]]:
    return [tuple(row) for row in rows.features_RF.tolist()]


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_diabetes_is_what_scikit_learn_loads() -> None:
    ours, theirs = dataset.parse("diabetes", job.read_data("diabetes")), load_diabetes(scaled=False)

    assert ours.features_RF.shape == (442, 10)
    assert np.array_equal(ours.features_RF, theirs.data)
    assert np.array_equal(ours.target_R, theirs.target)
    assert list(ours.feature_names) == theirs.feature_names
    assert (ours.task, ours.outputs) == ("regression", 1)


def test_digits_are_what_scikit_learn_loads() -> None:
    ours, theirs = dataset.parse("digits", job.read_data("digits")), load_digits()

    assert ours.features_RF.shape == (1797, 64)
    assert np.array_equal(ours.features_RF, theirs.data)
    assert np.array_equal(ours.target_R, theirs.target)
    assert list(ours.feature_names) == theirs.feature_names
    assert list(ours.classes) == [str(name) for name in theirs.target_names]
    assert (ours.task, ours.outputs) == ("classification", 10)


@pytest.mark.parametrize("name", job.DATASETS)
def test_the_split_has_every_row_once_and_a_fifth_held_out(name: str) -> None:
    data = dataset.parse(name, job.read_data(name))

    train, held_out = dataset.split(data, generator(0))

    both = sorted(rows_as_tuples(train) + rows_as_tuples(held_out))
    assert both == sorted(tuple(row) for row in data.features_RF.astype(np.float32).tolist())
    assert len(held_out) == round(len(data.features_RF) / 5)


def test_the_split_follows_the_seed() -> None:
    data = dataset.parse("diabetes", job.read_data("diabetes"))

    first, again, other = (rows_as_tuples(dataset.split(data, generator(seed))[1]) for seed in (1, 1, 2))

    assert first == again
    assert first != other
