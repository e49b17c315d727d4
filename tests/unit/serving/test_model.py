"""What is served, and what is refused and why."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from serving.errors import InvalidInput, StartError
from serving.model import Model
from serving.tensor import ANY, Tensor
from tests.unit.serving.tiny import DESCRIPTION, id_model, onnx_model


def test_a_model_of_ids_answers_and_refuses_an_id_it_has_not() -> None:
    model = Model(id_model(), DESCRIPTION)

    answer = model.run({"input": np.array([[2], [0]])}, ["prediction"])
    assert answer["prediction"].tolist() == [[100], [1]]
    assert model.inputs == {"input": Tensor("input", (ANY, 1), "INT64")}
    with pytest.raises(InvalidInput, match="every id"):
        model.run({"input": np.array([[3]])}, ["prediction"])


def test_shapes_that_do_not_fit_inside_the_model_are_the_requests_fault_and_are_not_quoted() -> None:
    row, other, answer = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", name]) for name in ("a", "b", "c")
    )
    model = Model(served_graph([helper.make_node("Add", ["a", "b"], ["c"], "inner")], [row, other], [answer]), {})

    assert model.run({"a": np.ones((1, 2), np.float32), "b": np.ones((1, 2), np.float32)}, ["c"])["c"].tolist() == [
        [2, 2]
    ]
    with pytest.raises(InvalidInput, match="do their shapes fit") as error:
        model.run({"a": np.ones((1, 2), np.float32), "b": np.ones((1, 37), np.float32)}, ["c"])
    assert not {"inner", "37"} & set(error.value.message.split())


def test_memory_that_is_not_there_is_no_fault_of_the_requests() -> None:
    value = helper.make_tensor_value_info("value", TensorProto.FLOAT, [1])
    size = helper.make_tensor_value_info("size", TensorProto.INT64, [1])
    answer = helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["n"])
    model = Model(
        served_graph([helper.make_node("Expand", ["value", "size"], ["answer"])], [value, size], [answer]), {}
    )

    with pytest.raises(Exception, match="alloc") as error:
        model.run({"value": np.ones(1, np.float32), "size": np.array([1 << 58])}, ["answer"])
    assert not isinstance(error.value, InvalidInput)


def served_graph(nodes: list[Any], inputs: list[Any], outputs: list[Any]) -> bytes:
    graph = helper.make_graph(nodes, "graph", inputs, outputs)
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content


def test_tensors_of_other_types_are_not_served() -> None:
    with pytest.raises(
        StartError, match=r"tensor 'input' of the model is tensor\(bfloat16\), which is not served; export it as one of"
    ):
        Model(onnx_model("Identity", ("input",), TensorProto.BFLOAT16), {})


def test_a_model_may_have_several_inputs() -> None:
    model = Model(onnx_model("Add", ("left", "right")), {})

    row = np.array([[1, 2, 3]], np.float32)
    assert model.run({"left": row, "right": row}, ["prediction"])["prediction"].tolist() == [[2, 4, 6]]
    assert list(model.inputs) == ["left", "right"]
    assert model.description == {}
