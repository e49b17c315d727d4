"""What is served, and what is refused and why."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from sealift.contents.description import Description
from sealift.serving import model as module
from sealift.serving.errors import InvalidInput, StartError
from sealift.serving.model import UNTRIED_SECONDS, Model
from sealift.serving.tensor import ANY, Tensor
from tests.unit.serving.described import summary
from tests.unit.serving.tiny import DESCRIPTION, WEIGHTS, id_model, onnx_model


def test_a_model_of_ids_answers_and_refuses_an_id_it_has_not() -> None:
    model = Model(id_model(), DESCRIPTION)

    answer = model.run({"input": np.array([[2], [0]])}, ["prediction"])
    assert answer["prediction"].tolist() == [[100], [1]]
    assert model.inputs == {"input": Tensor("input", (ANY, 1), "INT64")}
    with pytest.raises(InvalidInput, match="every id"):
        model.run({"input": np.array([[3]])}, ["prediction"])


def test_a_refused_id_is_in_no_line_of_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    model = Model(id_model(), DESCRIPTION)

    with pytest.raises(InvalidInput):
        model.run({"input": np.array([[41271]])}, ["prediction"])
    assert "".join(capfd.readouterr()) == ""


def test_shapes_that_do_not_fit_inside_the_model_are_the_requests_fault_and_are_not_quoted() -> None:
    row, other, answer = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", name]) for name in ("a", "b", "c")
    )
    model = Model(served_graph([helper.make_node("Add", ["a", "b"], ["c"], "inner")], [row, other], [answer]), {})

    assert model.run({"a": np.ones((1, 2), np.float32), "b": np.ones((1, 2), np.float32)}, ["c"])["c"].tolist() == [
        [2, 2]
    ]
    with pytest.raises(InvalidInput, match="check that their shapes fit") as error:
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
        StartError, match=r"tensor 'input' of the model has type tensor\(bfloat16\), which the server does not support"
    ):
        Model(onnx_model("Identity", ("input",), TensorProto.BFLOAT16), {})


def test_a_model_may_have_several_inputs() -> None:
    model = Model(onnx_model("Add", ("left", "right")), {})

    row = np.array([[1, 2, 3]], np.float32)
    assert model.run({"left": row, "right": row}, ["prediction"])["prediction"].tolist() == [[2, 4, 6]]
    assert list(model.inputs) == ["left", "right"]
    assert model.description == Description()


def ids_from(first: int) -> bytes:
    """INT64 [batch, 1] → FP32 [batch, 1] for three ids from `first` on; no other has an answer."""
    given = helper.make_tensor_value_info("id", TensorProto.INT64, ["batch", 1])
    answer = helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["batch", 1])
    weights = numpy_helper.from_array(WEIGHTS.ravel(), "weights")
    end = numpy_helper.from_array(np.array([first + 3]), "end")
    nodes = [
        helper.make_node("Sub", ["id", "end"], ["place"]),
        helper.make_node("Gather", ["weights", "place"], ["prediction"], axis=0),
    ]
    graph = helper.make_graph(nodes, "ids", [given], [answer], [weights, end])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def first_word() -> bytes:
    """BYTES [batch, 1] → the first word of each text; an empty one has none."""
    given = helper.make_tensor_value_info("text", TensorProto.STRING, ["batch", 1])
    answer = helper.make_tensor_value_info("word", TensorProto.STRING, ["batch", 1])
    first = numpy_helper.from_array(np.array(0), "first")
    nodes = [
        helper.make_node("StringSplit", ["text"], ["words", "count"], delimiter=" "),
        helper.make_node("Gather", ["words", "first"], ["word"], axis=2),
    ]
    graph = helper.make_graph(nodes, "words", [given], [answer], [first])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the server tells while it starts."""
    told: list[str] = []
    monkeypatch.setattr(module, "log", lambda level, event, **_fields: told.append(f"{level}: {event}"))
    return told


def test_a_model_is_tried_with_a_row_as_training_saw_them(lines: list[str]) -> None:
    known = {"features": ["id"], "inputReference": {"id": summary(51.2, 0.8, 50, 52)}}
    model = Model(ids_from(50), known)

    assert model.run({"id": np.array([[52]])}, ["prediction"])["prediction"].tolist() == [[100]]
    assert lines == []


def test_a_model_that_refuses_an_empty_text_or_a_zero_is_tried_with_others(lines: list[str]) -> None:
    with pytest.raises(InvalidInput):
        Model(first_word(), {}).run({"text": np.array([[""]], np.object_)}, ["word"])
    with pytest.raises(InvalidInput):
        Model(ids_from(1), {}).run({"id": np.array([[0]])}, ["prediction"])
    assert lines == []


def test_a_model_that_refuses_all_made_up_rows_starts_and_answers_what_it_can(lines: list[str]) -> None:
    model = Model(ids_from(50), {})

    assert model.run({"id": np.array([[50]])}, ["prediction"])["prediction"].tolist() == [[1]]
    assert lines == ["warning: the model did not accept the trial rows, so the first request takes longer"]
    assert model.run_seconds == UNTRIED_SECONDS
