"""What is asked against what was trained on, with references that training makes itself."""

from typing import Any

import numpy as np
import pytest
import torch

from sealift.contents.codec import encode
from sealift.serving.drift import LEAST_ROWS, NOTED_REQUESTS, NOTED_VALUES, SLOT_SECONDS, SLOTS, Drift, psi
from sealift.serving.model import Model
from tests.unit.serving.tiny import DESCRIPTION, onnx_model
from training.input_bins import make_input_bins
from training.recipe.datasets.dataset import Dataset, TensorRows

FEATURES = ("age", "bmi", "sex")


def drawn(rows: int, seed: int, shift: float = 0.0) -> np.ndarray[Any, Any]:
    """An age around 50, a mass index around 25, and a sex of 0 or 1."""
    chance = np.random.default_rng(seed)
    age, bmi, sex = chance.normal(50 + shift, 10, rows), chance.normal(25, 4, rows), chance.integers(0, 2, rows)
    return np.stack([age, bmi, sex], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> Model:
    rows = TensorRows(torch.from_numpy(drawn(5000, 0)), torch.zeros(5000, 1))
    dataset = Dataset(name="d", rows=rows, task="regression", shape=(3,), feature_names=FEATURES)
    return Model(onnx_model(), DESCRIPTION | {"inputBins": encode(make_input_bins(dataset, rows))})


def asked(drift: Drift, rows: np.ndarray[Any, Any], at: float = 0.0) -> None:
    """In requests of 20 rows."""
    for start in range(0, len(rows), 20):
        drift.note({"input": rows[start : start + 20]})
        drift.count(at)


def found(drift: Drift) -> dict[str, tuple[float, float]]:
    return {one.name: (one.mean, one.psi) for one in drift.features()}


def test_the_index_is_the_formulas() -> None:
    """Worked by hand: (0.5 - 0.4) ln(0.5 / 0.4) + (0.3 - 0.4) ln(0.3 / 0.4) + 0."""
    assert psi(np.array([50, 30, 20]), np.array([0.4, 0.4, 0.2])) == pytest.approx(
        0.1 * np.log(1.25) - 0.1 * np.log(0.75)
    )
    assert psi(np.array([40, 40, 20]), np.array([0.4, 0.4, 0.2])) == 0
    assert np.isfinite(psi(np.array([100, 0, 0]), np.array([0.4, 0.4, 0.2])))


def test_the_same_world_has_not_drifted_and_another_has(model: Model) -> None:
    same, older = Drift(model), Drift(model)
    asked(same, drawn(2000, 1))
    asked(older, drawn(2000, 1, shift=10))

    assert all(index < 0.05 for _, index in found(same).values())
    assert found(same)["age"][0] == pytest.approx(50, abs=1)
    assert found(older)["age"][0] == pytest.approx(60, abs=1)
    assert found(older)["age"][1] > 0.5
    assert found(older)["bmi"] == found(same)["bmi"]
    assert list(found(same)) == list(FEATURES)


def test_few_rows_are_not_told(model: Model) -> None:
    drift = Drift(model)
    asked(drift, drawn(LEAST_ROWS - 1, 1))
    assert (drift.rows, drift.features()) == (LEAST_ROWS - 1, [])

    asked(drift, drawn(1, 2))
    assert len(drift.features()) == len(FEATURES)


def test_what_was_asked_over_an_hour_ago_is_forgotten(model: Model) -> None:
    drift = Drift(model)
    asked(drift, drawn(400, 1, shift=30))
    asked(drift, drawn(400, 2), at=SLOT_SECONDS)
    assert drift.rows == 800

    drift.count(SLOTS * SLOT_SECONDS)
    assert drift.rows == 400
    assert found(drift)["age"][0] == pytest.approx(50, abs=2)

    drift.count(100 * SLOTS * SLOT_SECONDS)
    assert (drift.rows, drift.features()) == (0, [])


def test_a_missing_value_is_left_out_and_takes_no_other_with_it(model: Model) -> None:
    drift, whole = Drift(model), Drift(model)
    rows = drawn(400, 1)
    asked(whole, rows)
    rows[::2, 1] = np.nan
    rows[1, 1] = np.inf
    asked(drift, rows)

    assert {name: found(drift).get(name) for name in ("age", "sex")} == {
        name: found(whole)[name] for name in ("age", "sex")
    }
    assert "bmi" not in found(drift)


def test_no_more_is_noted_than_can_be_counted_at_once(model: Model) -> None:
    drift, takes = Drift(model), []
    for _ in range(NOTED_REQUESTS):
        takes.append(drift.takes)
        drift.note({"input": drawn(1, 0)})
    takes.append(drift.takes)
    drift.count(0)
    takes.append(drift.takes)
    drift.note({"input": drawn(NOTED_VALUES, 0)})
    takes.append(drift.takes)
    drift.count(0)

    assert takes == [*[True] * NOTED_REQUESTS, False, True, False]
    assert drift.rows == NOTED_REQUESTS + NOTED_VALUES // len(FEATURES)


def test_columns_of_a_table_are_known_by_their_inputs_names() -> None:
    bins = {"a": {"bounds": [0.0], "shares": [0.5, 0.5]}, "b": {"bounds": [1.0], "shares": [0.5, 0.5]}}
    drift = Drift(
        Model(onnx_model("Add", ("a", "b")), DESCRIPTION | {"features": ["a", "b"], "inputBins": {"b": bins["b"]}})
    )
    for _ in range(LEAST_ROWS):
        drift.note({"a": np.zeros((1, 3), np.float32), "b": np.full((1, 3), 2, np.float32)})
        drift.count(0)

    assert [(one.name, one.mean) for one in drift.features()] == [("b", 2.0)]


def test_a_model_that_says_nothing_of_its_rows_costs_nothing() -> None:
    drift = Drift(Model(onnx_model(), DESCRIPTION))
    drift.count(0)

    assert (drift.takes, drift.rows, drift.features()) == (False, 0, [])
