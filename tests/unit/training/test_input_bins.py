"""The bins of training rows: what they are, and that they tell of no single row."""

import json
from typing import Any

import numpy as np
import pytest
import torch

from training import input_bins as module
from training.input_bins import BINS, LEAST_ROWS, count_values, make_input_bins
from training.recipe.datasets.dataset import Dataset, TensorRows


def binned(values: np.ndarray[Any, Any]) -> dict[str, dict[str, list[float]]]:
    columns = values.reshape(len(values), -1).astype(np.float32)
    rows = TensorRows(torch.from_numpy(columns), torch.zeros(len(values), 1))
    names = tuple(f"f{number}" for number in range(columns.shape[1]))
    data = Dataset(name="d", rows=rows, task="regression", shape=(len(names),), feature_names=names)
    return {
        name: {"bounds": list(one.bounds), "shares": list(one.shares)}
        for name, one in make_input_bins(data, rows).items()
    }


def test_bins_lie_between_deciles_and_have_their_shares() -> None:
    values = np.random.default_rng(0).normal(100, 15, 5000)
    bins = binned(values)["f0"]

    assert bins["bounds"] == pytest.approx(np.quantile(values, np.arange(1, BINS) / BINS), abs=0.06)
    assert bins["shares"] == pytest.approx([0.1] * BINS, abs=0.005)
    assert sum(bins["shares"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("rows", [2, 19, 20, 35, 101])
def test_no_bin_has_so_few_rows_that_it_tells_of_one(rows: int) -> None:
    values = np.random.default_rng(1).exponential(1, rows).astype(np.float32)
    found = binned(values)

    if rows < 2 * LEAST_ROWS:
        assert found == {}
    if rows > 2 * LEAST_ROWS:
        assert found
    for bins in found.values():
        assert min(count_values(values, bins["bounds"])) >= LEAST_ROWS
        assert not {*bins["bounds"]} & {*map(float, values)}


def test_a_column_of_two_values_has_two_bins_and_a_constant_none() -> None:
    values = np.stack([np.arange(100) % 4 == 0, np.full(100, 7)], axis=1)

    assert {name: bins["shares"] for name, bins in binned(values).items()} == {"f0": [0.75, 0.25]}


def test_missing_values_are_in_no_bin() -> None:
    values = np.random.default_rng(2).normal(0, 1, 1000)
    with_missing = np.concatenate([values, np.full(500, np.nan)])

    assert binned(with_missing) == binned(values)


def test_a_large_table_is_sampled_across_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLED_VALUES", 500)
    monkeypatch.setattr(module, "SCALED_ROWS", 77)

    bounds = binned(np.arange(5000.0))["f0"]["bounds"]

    assert bounds == pytest.approx(np.arange(500, 5000, 500), abs=30)


def test_what_the_manifest_takes_is_bounded() -> None:
    wide = binned(np.random.default_rng(3).normal(0, 1, (300, 2000)))

    assert len(wide) == module.MOST_FEATURES
    assert len(json.dumps(wide)) < 100_000
