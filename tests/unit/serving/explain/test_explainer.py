"""Rows of real models, explained: against captum, and where the right answer is known."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from captum.attr import ShapleyValues
from onnx import TensorProto, helper, numpy_helper

from sealift.serving.errors import InvalidAnswer, InvalidInput, Overloaded, StartError
from sealift.serving.explain.explainer import MOST_FEATURES, MOST_ROWS, Explainer, Explanation
from sealift.serving.model import Model
from sealift.serving.tensor import Array
from tests.unit.serving import described
from tests.unit.serving.described import summary
from tests.unit.serving.sockets import SECONDS
from tests.unit.serving.tiny import DESCRIPTION, WEIGHTS, id_model, onnx_model

HIDDEN = 8


def network(features: int, batch: str | int = "batch", seed: int = 0) -> tuple[bytes, torch.nn.Module]:
    """FP32 [batch, features] → tanh → three probabilities; and the same for torch."""
    torch.manual_seed(seed)
    layers = torch.nn.Sequential(
        torch.nn.Linear(features, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 3), torch.nn.Softmax(dim=1)
    )
    first, second = (layer for layer in layers if isinstance(layer, torch.nn.Linear))
    parts = {"w1": first.weight.T, "b1": first.bias, "w2": second.weight.T, "b2": second.bias}
    nodes = [
        helper.make_node("Gemm", ["input", "w1", "b1"], ["first"]),
        helper.make_node("Tanh", ["first"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "w2", "b2"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    weights = [numpy_helper.from_array(part.detach().numpy().copy(), name) for name, part in parts.items()]
    return graph(nodes, [("input", TensorProto.FLOAT, [batch, features])], [batch, 3], weights), layers


def graph(nodes: list[Any], inputs: list[Any], shape: list[Any], weights: Sequence[Any] = (), kind: int = 1) -> bytes:
    infos = [helper.make_tensor_value_info(*one) for one in inputs]
    output = helper.make_tensor_value_info(nodes[-1].output[0], kind, shape)
    made = helper.make_model(
        helper.make_graph(nodes, "explained", infos, [output], weights),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(made)
    content: bytes = made.SerializeToString()
    return content


def means(features: int) -> dict[str, Any]:
    names = [f"x{number}" for number in range(features)]
    return {"features": names, "inputReference": {name: summary(0.5, 1.0, -3, 3) for name in names}}


def explained(model: Model, until: float | None = None, **inputs: Array) -> Explanation:
    made = Explainer(model)
    return made.explain(inputs, list(made.outputs), time.monotonic() + SECONDS if until is None else until)


def rows_of(features: int, count: int = 2) -> Array:
    return np.random.default_rng(4).standard_normal((count, features)).astype(np.float32)


def test_a_classifier_s_every_class_is_as_captum_has_it() -> None:
    onnx_bytes, layers = network(4)
    rows = rows_of(4)

    found = explained(Model(onnx_bytes, means(4)), input=rows)

    for label in range(3):  # captum goes through all 24 orders
        with torch.no_grad():
            usual = torch.full((1, 4), 0.5)
            true = ShapleyValues(layers).attribute(torch.from_numpy(rows), usual, target=label).numpy()
        np.testing.assert_allclose(found.shap_values["probabilities"][:, :, label], true, rtol=0, atol=5e-7)
    assert (found.exact, found.evaluations, found.features) == (True, 2 * 2**4, means(4)["features"])


@pytest.mark.parametrize("features", [6, 12])
def test_contributions_sum_to_what_the_row_adds(features: int) -> None:
    onnx_bytes, layers = network(features)
    rows = rows_of(features, 3)

    found = explained(Model(onnx_bytes, means(features)), input=rows)

    with torch.no_grad():
        answers, usual = layers(torch.from_numpy(rows)).numpy(), layers(torch.full((1, features), 0.5)).numpy()
    np.testing.assert_allclose(found.base_values["probabilities"], np.repeat(usual, 3, axis=0), rtol=0, atol=2e-7)
    sums = found.base_values["probabilities"] + found.shap_values["probabilities"].sum(axis=1)
    np.testing.assert_allclose(sums, answers, rtol=0, atol=2e-7)
    assert (found.standard_errors["probabilities"] > 0).any() == (features > 10)


def test_of_a_linear_model_each_feature_adds_its_weight_times_what_it_is_beyond_the_reference() -> None:
    reference = {"age": summary(40, 10, 20, 60), "bmi": summary(25, 3, 15, 40)}
    row = np.array([[50, 24, 1]], np.float32)

    found = explained(Model(onnx_model(), DESCRIPTION | {"inputReference": reference}), input=row)

    expected = WEIGHTS * (row - np.array([[40, 25, 0]])).T
    np.testing.assert_allclose(found.shap_values["prediction"], expected[None])
    assert found.base_values["prediction"].tolist() == [[40 + 250]]
    assert found.features == ["age", "bmi", "sex"]


def test_columns_of_a_table_are_features_categories_among_them() -> None:
    model = Model(described.houses(), described.HOUSES)
    sizes, sides = np.array([[100], [117.2]], np.float32), np.array([["north"], ["south"]], np.object_)

    found = explained(model, size=sizes, side=sides)

    np.testing.assert_allclose(found.shap_values["prediction"][..., 0], [[-17200, -5000], [0, 0]], rtol=1e-6)
    assert found.features == ["size", "side"]
    assert found.evaluations == 4 + 1, "a row that is usual is only itself"
    assert (found.reference["size"].tolist(), found.reference["side"].tolist()) == ([[np.float32(117.2)]], [["south"]])


def test_an_id_is_a_feature_and_its_mean_a_whole_number() -> None:
    found = explained(Model(id_model(), {}), input=np.array([[2]], np.int64))

    np.testing.assert_allclose(found.shap_values["prediction"], [[[WEIGHTS[2, 0] - WEIGHTS[0, 0]]]])


def test_pixels_are_named_by_their_place_and_those_of_the_background_cost_nothing() -> None:
    picture = np.zeros((1, 1, 8, 8), np.float32)
    picture[0, 0, 0, :5] = 8

    found = explained(Model(described.digits(), described.DIGITS), input=picture)

    assert (found.exact, found.evaluations) == (True, 2**5)
    assert (found.features[0], found.features[-1], len(found.features)) == ("input[0, 0, 0]", "input[0, 7, 7]", 64)
    values = found.shap_values["probabilities"][0]
    assert not values[5:].any() and (values[:5, 1] > 0).all() and np.ptp(values[:5, 1]) < 1e-7


def test_twelve_sampled_features_are_near_their_exact_values(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(network(12)[0], means(12))

    sampled = explained(model, input=rows_of(12))
    monkeypatch.setattr("sealift.serving.explain.shapley.MOST_EXACT", 12)
    exact = explained(model, input=rows_of(12))

    assert (sampled.exact, exact.exact) == (False, True)
    away = np.abs(sampled.shap_values["probabilities"] - exact.shap_values["probabilities"])
    assert (away <= 5 * sampled.standard_errors["probabilities"] + 1e-7).all()
    assert away.max() < 0.01 * np.abs(exact.shap_values["probabilities"]).max()


@pytest.mark.parametrize("features", [5, 12])
def test_a_row_s_explanation_has_the_same_bits_again_and_among_others(features: int) -> None:
    model, rows = Model(network(features)[0], means(features)), rows_of(features, MOST_ROWS)

    together, alone = explained(model, input=rows), explained(model, input=rows[3:4])

    for name in ("shap_values", "base_values", "standard_errors"):
        assert getattr(together, name)["probabilities"][3].tobytes() == getattr(alone, name)["probabilities"].tobytes()


def test_a_model_that_takes_one_row_at_a_time_is_explained_alike() -> None:
    row = rows_of(6, 1)

    fixed = explained(Model(network(6, batch=1)[0], means(6)), input=row)
    free = explained(Model(network(6)[0], means(6)), input=row)

    values, same = fixed.shap_values["probabilities"], free.shap_values["probabilities"]
    np.testing.assert_allclose(values, same, rtol=0, atol=1e-7)


def test_more_is_refused_with_its_limit() -> None:
    model = Model(onnx_model(), DESCRIPTION)
    with pytest.raises(InvalidInput, match=f"9 rows to explain; expected at most {MOST_ROWS}"):
        explained(model, input=np.zeros((9, 3), np.float32))

    same = helper.make_node("Identity", ["input"], ["same"])
    shape = ["batch", "length"]
    free = Model(graph([same], [("input", TensorProto.FLOAT, shape)], shape), {})
    with pytest.raises(InvalidInput, match="1,025 values in a row to explain; expected at most 1,024"):
        explained(free, input=np.zeros((1, MOST_FEATURES + 1), np.float32))
    with pytest.raises(InvalidInput, match="have 1,048,576 contributions; expected at most 65,536"):
        explained(free, input=np.zeros((1, 1024), np.float32))
    assert explained(free, input=np.ones((8, 20), np.float32)).features[19] == "input[19]"


def test_what_takes_too_long_is_given_up() -> None:
    with pytest.raises(Overloaded, match="in time"):
        explained(Model(onnx_model(), DESCRIPTION), until=time.monotonic() - 1, input=np.ones((1, 3), np.float32))


def test_a_number_that_is_none_has_no_explanation() -> None:
    with pytest.raises(InvalidAnswer, match="not a finite number"):
        explained(Model(onnx_model(), DESCRIPTION), input=np.array([[1, np.nan, 1]], np.float32))


def test_a_model_without_numbers_or_rows_is_refused_at_the_start() -> None:
    texts = helper.make_node("Identity", ["input"], ["same"])
    with pytest.raises(StartError, match="no output of FP16, FP32 or FP64"):
        Explainer(Model(graph([texts], [("input", TensorProto.STRING, ["n", 1])], ["n", 1], kind=8), {}))

    added = helper.make_node("Add", ["rows", "all"], ["sum"])
    inputs = [("rows", TensorProto.FLOAT, ["n", 2]), ("all", TensorProto.FLOAT, [1, 2])]
    with pytest.raises(StartError, match="some inputs of the model have no dimension for rows"):
        Explainer(Model(graph([added], inputs, ["n", 2]), {}))
