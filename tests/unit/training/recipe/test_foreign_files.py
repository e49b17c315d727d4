"""Models that others trained, whose weights lie in files beside them: made one file, or too large for one."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, external_data_helper, helper, numpy_helper
from torch import nn

from sealift.serving.model import Model
from sealift.serving.plain_model import read_plain_model as read
from tests.unit.training.recipe.test_foreign import ROWS, flowers, from_torch
from tests.unit.training.unwatched import Unwatched
from training.errors import ModelError
from training.fit import FitResult, fit
from training.job import Job
from training.options import Compress
from training.recipe import foreign
from training.recipe.callback import Progress
from training.recipe.finish import TrainedModel, take_in
from training.recipe.make import Inputs
from training.weight_files import locations

CONTENT = from_torch(nn.Sequential(nn.Linear(4, 300), nn.ReLU(), nn.Linear(300, 3)), ROWS[:2])


def written(folder: Path, content: bytes = CONTENT) -> bytes:
    """The model, its weights in a file of a folder beside it."""
    (folder / "weights").mkdir(parents=True, exist_ok=True)
    proto = onnx.ModelProto.FromString(content)
    external_data_helper.convert_model_to_external_data(proto, location="weights/all.bin", size_threshold=0)
    onnx.save(proto, folder / "theirs.onnx")
    return (folder / "theirs.onnx").read_bytes()


def test_what_fits_into_one_file_is_the_same_as_if_it_had_been_one(tmp_path: Path) -> None:
    theirs = written(tmp_path)

    assert b"weights/all.bin" in theirs
    assert foreign.load(theirs, flowers(), tmp_path).content() == foreign.load(CONTENT, flowers()).content()


def test_what_does_not_fit_answers_the_same_here_and_when_it_is_served(tmp_path: Path) -> None:
    whole = foreign.load(CONTENT, flowers())
    model = foreign.load(written(tmp_path), flowers(), tmp_path, largest=2000)
    plain = read(memoryview(model.content()))
    served = Model(bytes(plain.graph), {}, weights=plain.weights)

    assert sorted(array.shape for array in plain.weights.values()) == [(3, 300), (300,), (300, 4)]
    expected = whole.answers(ROWS)
    assert torch.allclose(model.answers(ROWS), expected, atol=1e-6)
    answer = served.run({"input": ROWS.numpy()}, ["probabilities"])["probabilities"]
    assert np.allclose(answer, expected.numpy(), atol=1e-6)
    assert model.content() == model.content()
    assert list(served.inputs) == ["input"]


def test_weights_of_constants_and_branches_are_found_too(tmp_path: Path) -> None:
    """External data may stand in any tensor, not only in initializers of the graph."""
    (tmp_path / "c.bin").write_bytes(np.full((4, 3), 0.5, np.float32).tobytes())
    constant = TensorProto(name="c", data_type=TensorProto.FLOAT, dims=[4, 3], data_location=TensorProto.EXTERNAL)
    constant.external_data.add(key="location", value="c.bin")
    nodes = [
        helper.make_node("Constant", [], ["c"], value=constant),
        helper.make_node("MatMul", ["x", "c"], ["y"]),
        helper.make_node("Add", ["y", "bias"], ["z"]),
        helper.make_node("Softmax", ["z"], ["p"], axis=1),
    ]
    row = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])
    answer = helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 3])
    bias = numpy_helper.from_array(np.arange(3, dtype=np.float32), "bias")
    graph = helper.make_graph(nodes, "graph", [row], [answer], [bias])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    model = foreign.load(proto.SerializeToString(), flowers(), tmp_path)
    assert torch.allclose(model.answers(ROWS[:1]), torch.softmax(torch.arange(3.0), 0))


@pytest.mark.parametrize("largest", [2000, foreign.LARGEST_FILE])
@pytest.mark.parametrize("location", ["../all.bin", "/etc/passwd", "link.bin", "none.bin"])
def test_files_elsewhere_are_not_read(tmp_path: Path, location: str, largest: int) -> None:
    folder = tmp_path / "model"
    proto = onnx.ModelProto.FromString(written(folder))
    (tmp_path / "all.bin").write_bytes(bytes(1 << 20))
    (folder / "link.bin").symlink_to(tmp_path / "all.bin")
    next(entry for entry in proto.graph.initializer[0].external_data if entry.key == "location").value = location

    with pytest.raises(ModelError, match="which is not a file in the model's folder"):
        foreign.load(proto.SerializeToString(), flowers(), folder, largest)


def function_default(location: str) -> onnx.ModelProto:
    """A model of one function, whose attribute has a file's content for its default."""
    constant = TensorProto(name="c", data_type=TensorProto.FLOAT, dims=[4, 3], data_location=TensorProto.EXTERNAL)
    constant.external_data.add(key="location", value=location)
    inner = helper.make_node("Constant", [], ["c"])
    inner.attribute.add(name="value", ref_attr_name="content", type=onnx.AttributeProto.TENSOR)
    nodes = [inner, helper.make_node("MatMul", ["x", "c"], ["y"]), helper.make_node("Softmax", ["y"], ["p"], axis=1)]
    own = helper.make_function("own", "Net", ["x"], ["p"], nodes, [helper.make_opsetid("", 17)])
    own.attribute_proto.append(helper.make_attribute("content", constant))
    row = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])
    answer = helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph([helper.make_node("Net", ["x"], ["p"], domain="own")], "graph", [row], [answer])
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=9, functions=[own])


def test_a_default_of_a_function_s_attribute_is_a_file_of_the_weights_like_any_other(tmp_path: Path) -> None:
    """It was read from wherever it said, and counted in no digest."""
    (tmp_path / "model").mkdir()
    for folder in (tmp_path, tmp_path / "model"):
        (folder / "c.bin").write_bytes(np.full((4, 3), 0.5, np.float32).tobytes())
    inside, outside = (function_default(where).SerializeToString() for where in ("c.bin", "../c.bin"))

    assert set(locations(inside)) == {"c.bin"}
    model = foreign.load(inside, flowers(), tmp_path / "model")
    assert torch.allclose(model.answers(ROWS[:1]), torch.full((1, 3), 1 / 3))
    assert locations(model.content()) == set()
    with pytest.raises(ModelError, match="which is not a file in the model's folder"):
        foreign.load(outside, flowers(), tmp_path / "model")


def test_a_hidden_file_is_not_read_as_weights(tmp_path: Path) -> None:
    (tmp_path / ".sealift").mkdir()
    (tmp_path / ".sealift" / "passphrase").write_bytes(bytes(48))

    with pytest.raises(ModelError, match="hidden"):
        foreign.load(function_default(".sealift/passphrase").SerializeToString(), flowers(), tmp_path)


def test_a_file_with_parts_that_are_not_understood_is_refused() -> None:
    with pytest.raises(ModelError, match=r"parts that cannot be read: .* is a group"):
        foreign.load(b"\x0b\x0c" + CONTENT, flowers())


def fitted(folder: Path, **settings: Any) -> FitResult:
    job = Job(**{"source": "onnx", "model": "theirs.onnx", "dataset": "iris", **settings})
    return fit(job, Inputs(folder, bytes(32)), Progress(), Unwatched())


def test_a_run_takes_it_in(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "theirs.onnx").write_bytes(CONTENT)

    assert fitted(tmp_path).model == fitted(tmp_path / "one").model


def taken(folder: Path, **settings: Any) -> TrainedModel:
    """Of a job that asks for more than the large form can do."""
    dataset = flowers()
    job = Job(source="onnx", model="theirs.onnx", dataset="iris", **settings)
    return take_in(job, folder, dataset, dataset.rows, dataset.rows, largest=2000)


def test_a_large_one_is_measured_and_not_compressed(tmp_path: Path) -> None:
    written(tmp_path)

    made = taken(tmp_path)
    assert read(memoryview(made.content)).weights_start
    assert set(made.metrics) >= {"accuracy"}
    with pytest.raises(ModelError, match="a model above 2 GB cannot be compressed"):
        taken(tmp_path, compress=Compress())
