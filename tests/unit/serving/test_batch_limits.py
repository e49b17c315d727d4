"""How many rows a model runs together: what it gives for each must not depend on the others."""

import time
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sealift.serving.batch_limits import MOST_ROWS, TRYING_SECONDS, fill, find_batch_limits
from sealift.serving.model import Model
from tests.unit.serving.tiny import DESCRIPTION, id_model, onnx_model


def model(*nodes: onnx.NodeProto, width: int = 8) -> Model:
    """FP32 [batch, width] `input` → `prediction`, with matrices `square` and `column`."""
    numbers = np.random.default_rng(7)
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", width])
    answer = helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["batch", None])
    weights = [
        numpy_helper.from_array(numbers.standard_normal((width, size)).astype(np.float32), name)
        for name, size in (("square", width), ("column", 1))
    ]
    graph = helper.make_graph(list(nodes), "graph", [given], [answer], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return Model(made.SerializeToString(), DESCRIPTION)


def node(operator: str, *names: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, list(names[:-1]), [names[-1]], **attributes)


def test_rows_of_a_network_are_run_together_and_each_gives_what_it_gave_alone() -> None:
    net = model(
        node("MatMul", "input", "square", "hidden"),
        node("Tanh", "hidden", "active"),
        node("MatMul", "active", "column", "prediction"),
    )
    limits = find_batch_limits(net)
    rows = np.random.default_rng(1).standard_normal((limits.most, 8)).astype(np.float32) * 10

    assert limits.most > 1
    answer = net.run({"input": rows}, ["prediction"])["prediction"]
    for number in range(len(rows)):
        alone = fill({"input": rows[number : number + 1]}, limits.least)
        assert net.run(alone, ["prediction"])["prediction"][0].tobytes() == answer[number].tobytes()


@pytest.mark.parametrize("operator", ["Softmax", "CumSum"])
def test_rows_that_look_at_each_other_are_run_alone(operator: str) -> None:
    axis: dict[str, Any] = {"Softmax": {"axis": 0}, "CumSum": {}}[operator]
    names = {"Softmax": ("input", "prediction"), "CumSum": ("input", "zero", "prediction")}[operator]
    zero = node("Constant", "zero", value=numpy_helper.from_array(np.array(0, np.int64)))
    nodes = [*([zero] if operator == "CumSum" else []), node(operator, *names, **axis)]

    assert (find_batch_limits(model(*nodes)).least, find_batch_limits(model(*nodes)).most) == (1, 1)


def test_a_model_that_gives_one_answer_for_all_rows_is_run_alone() -> None:
    assert (
        find_batch_limits(model(node("ReduceMean", "input", "prediction", axes=[0]))).least,
        find_batch_limits(model(node("ReduceMean", "input", "prediction", axes=[0]))).most,
    ) == (1, 1)


def test_ids_cannot_be_made_up() -> None:
    assert (
        find_batch_limits(Model(id_model(), DESCRIPTION)).least,
        find_batch_limits(Model(id_model(), DESCRIPTION)).most,
    ) == (1, 1)


def test_several_inputs_are_made_up_together() -> None:
    begun = time.monotonic()
    limits = find_batch_limits(Model(onnx_model("Add", ("input", "more")), DESCRIPTION))

    assert limits.least == 1 < limits.most <= MOST_ROWS
    assert 0 < limits.run_seconds < time.monotonic() - begun


def test_few_rows_are_filled_up_with_the_last() -> None:
    assert fill({"a": np.array([[1], [2]]), "b": np.array([3, 4])}, 4)["a"].tolist() == [[1], [2], [2], [2]]


def test_a_slow_model_is_tried_with_few_rows_and_a_very_slow_one_not_at_all() -> None:
    net = model(node("MatMul", "input", "column", "prediction"))
    net.run_seconds = TRYING_SECONDS / 10
    assert find_batch_limits(net).most == 3
    net.run_seconds = TRYING_SECONDS
    assert (find_batch_limits(net).most, find_batch_limits(net).run_seconds) == (1, TRYING_SECONDS)
