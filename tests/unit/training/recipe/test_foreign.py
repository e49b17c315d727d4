"""Models that others trained, in the form of ours: the same answers, whoever wrote the ONNX."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from training.errors import ModelError
from training.recipe import foreign
from training.recipe.datasets.dataset import Dataset, TensorRows

KERAS = Path(__file__).resolve().parents[3] / "vectors" / "keras-3-made"
Dimension = str | int | None
X, Y = load_iris(return_X_y=True)
X = X.astype(np.float32)
ROWS = torch.from_numpy(X)


def flowers(classes: int = 3) -> Dataset:
    rows = TensorRows(ROWS[classes > Y], torch.from_numpy(Y[classes > Y]))
    return Dataset("iris", "classification", rows, (4,), tuple("abcd"), tuple(map(str, range(classes))))


def numbers() -> Dataset:
    features, target = load_diabetes(return_X_y=True)
    rows = TensorRows(torch.from_numpy(features).float(), torch.from_numpy(target).float().unsqueeze(1))
    return Dataset("diabetes", "regression", rows, (10,), tuple("abcdefghij"))


def images(channels: int = 3) -> Dataset:
    rows = TensorRows(torch.rand(20, channels, 8, 6, generator=torch.Generator().manual_seed(0)), torch.arange(20) % 2)
    return Dataset("images", "classification", rows, (channels, 8, 6), (), ("no", "yes"))


def from_torch(net: nn.Module, sample: torch.Tensor, *, dynamic: bool = True) -> bytes:
    file = io.BytesIO()
    axes = {"in": {0: "n"}, "out": {0: "n"}} if dynamic else None
    torch.onnx.export(
        net.eval(), (sample,), file, dynamo=False, opset_version=17, input_names=["in"], output_names=["out"],  # type: ignore[arg-type]
        dynamic_axes=axes,
    )  # fmt: skip
    return file.getvalue()


def answers(content: bytes, dataset: Dataset, rows: int = 20) -> Any:
    model = foreign.load(content, dataset)
    session = onnxruntime.InferenceSession(model.content())
    (given,), (answered,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape) == ("input", ["batch", *dataset.shape])
    assert answered.name == ("probabilities" if dataset.task == "classification" else "prediction")
    assert (answered.type, answered.shape) == ("tensor(float)", ["batch", dataset.outputs])
    return model.answers(dataset.rows.first(rows)[0]).numpy()


@pytest.mark.parametrize("zipmap", [True, False, "columns"])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_scikit_learn_classifier_answers_its_probabilities(zipmap: bool | str, classes: int) -> None:
    mine = classes > Y
    theirs = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[mine], Y[mine])
    content = to_onnx(theirs, X[:1], options={"zipmap": zipmap}).SerializeToString()
    if zipmap == "columns":
        with pytest.raises(ModelError, match=f"{classes} outputs of floating-point numbers"):
            foreign.load(content, flowers(classes))
        return

    found = answers(content, flowers(classes))

    assert np.allclose(found, theirs.predict_proba(X[mine][:20]), atol=1e-5)


def test_a_scikit_learn_forest_with_double_inputs_answers_floats() -> None:
    theirs = RandomForestClassifier(n_estimators=5, random_state=0).fit(X.astype(np.float64), Y)
    content = to_onnx(theirs, X[:1].astype(np.float64), options={"zipmap": False}).SerializeToString()

    assert np.allclose(answers(content, flowers()), theirs.predict_proba(X[:20]), atol=1e-5)


def test_a_scikit_learn_regression_answers_its_prediction() -> None:
    features, target = load_diabetes(return_X_y=True)
    theirs = LinearRegression().fit(features, target)
    content = to_onnx(theirs, features[:1].astype(np.float32)).SerializeToString()

    assert np.allclose(answers(content, numbers())[:, 0], theirs.predict(features[:20]), rtol=1e-4)


def test_logits_of_a_torch_classifier_become_probabilities() -> None:
    net = nn.Linear(4, 3)

    found = answers(from_torch(net, ROWS[:2]), flowers())

    assert np.allclose(found, torch.softmax(net(ROWS[:20]), dim=1).detach(), atol=1e-6)


def test_one_logit_becomes_the_probabilities_of_two_classes() -> None:
    net = nn.Linear(4, 1)
    nn.init.ones_(net.weight)  # logits far above 1, which nobody takes for probabilities

    found = answers(from_torch(net, ROWS[:2]), flowers(2))

    assert np.allclose(found[:, 1:], torch.sigmoid(net(ROWS[:20])).detach(), atol=1e-6)
    assert np.allclose(found.sum(axis=1), 1)


def test_a_flat_answer_becomes_a_column() -> None:
    net = nn.Sequential(nn.Linear(10, 1), nn.Flatten(0))

    assert answers(from_torch(net, torch.zeros(2, 10)), numbers()).shape == (20, 1)


def test_a_batch_of_one_is_made_any_where_the_graph_allows_it() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(1))

    found = answers(from_torch(net, ROWS[:1], dynamic=False), flowers())

    assert np.allclose(found, net(ROWS[:20]).detach(), atol=1e-6)


def keras_like(channels: int = 3) -> bytes:
    """Channels last, a sigmoid for two classes, as tf2onnx writes them."""
    weight = np.random.default_rng(0).normal(size=(8 * 6 * channels, 1)).astype(np.float32) / 10
    nodes = [
        helper.make_node("Flatten", ["input_1"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "w"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["dense"]),
    ]
    return model(nodes, ["unk__5", 8, 6, channels], ["unk__6", 1], {"w": weight}, "input_1", "dense")


def model(
    nodes: Sequence[onnx.NodeProto], given: Sequence[Dimension], answered: Sequence[Dimension],
    weights: dict[str, Any], name: str = "x", output: str = "y",
) -> bytes:  # fmt: skip
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(name, TensorProto.FLOAT, given)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, answered)],
        [numpy_helper.from_array(value, key) for key, value in weights.items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 15)]
    content: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return content


def test_channels_last_are_moved_and_a_sigmoid_is_the_second_class() -> None:
    data = images()
    theirs = onnxruntime.InferenceSession(keras_like())
    features = data.rows.first(20)[0]

    found = answers(keras_like(), data)

    (expected,) = theirs.run(None, {"input_1": features.permute(0, 2, 3, 1).contiguous().numpy()})
    assert np.allclose(found[:, 1:], expected, atol=1e-6)


@pytest.mark.parametrize(("name", "step"), [("iris", 15), ("digits", 180)])
def test_a_file_that_keras_wrote_answers_as_keras_did(name: str, step: int) -> None:
    """Probabilities of a table; logits of images with their channels last."""
    if name == "iris":
        dataset = flowers()
    else:
        pixels, classes = load_digits(return_X_y=True)
        rows = TensorRows(torch.from_numpy(pixels).float().reshape(-1, 1, 8, 8), torch.from_numpy(classes))
        dataset = Dataset("digits", "classification", rows, (1, 8, 8), (), tuple("0123456789"))

    model = foreign.load((KERAS / f"{name}.onnx").read_bytes(), dataset)

    theirs = np.array(json.loads((KERAS / "answers.json").read_text())[name])
    ours = model.answers(dataset.rows.first(len(dataset.rows))[0][::step])
    assert len(theirs) >= 10
    assert np.allclose(ours, theirs, atol=1e-5)


def test_names_that_are_ours_do_not_collide() -> None:
    nodes = [helper.make_node("MatMul", ["input", "probabilities"], ["table"]),
             helper.make_node("Softmax", ["table"], ["floats"], axis=1)]  # fmt: skip
    content = model(nodes, ["n", 4], ["n", 3], {"probabilities": np.eye(4, 3, dtype=np.float32)}, "input", "floats")

    assert answers(content, flowers()).shape == (20, 3)


def test_the_same_file_gives_the_same_bytes() -> None:
    content = from_torch(nn.Linear(4, 3), ROWS[:2])

    assert foreign.load(content, flowers()).content() == foreign.load(content, flowers()).content()


def external() -> bytes:
    proto = onnx.ModelProto.FromString(from_torch(nn.Linear(4, 3), ROWS[:2]))
    proto.graph.initializer[0].data_location = TensorProto.EXTERNAL
    content: bytes = proto.SerializeToString()
    return content


def own_operators() -> bytes:
    proto = onnx.ModelProto.FromString(from_torch(nn.Linear(4, 3), ROWS[:2]))
    proto.opset_import.append(helper.make_opsetid("com.example", 1))
    content: bytes = proto.SerializeToString()
    return content


class Two(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(2, 4) @ torch.eye(4, 3)


class Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.softmax((x - x.mean(dim=0, keepdim=True))[:, :3], dim=1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no model", ["not an ONNX file"]),
        (b"", ["not an ONNX file"]),
        (external(), ["other files", "onnx.save"]),
        (own_operators(), ["com.example", "ai.onnx.ml"]),
        (from_torch(nn.Linear(5, 3), torch.zeros(2, 5)), ["shape (5)", "(4)", "iris"]),
        (from_torch(nn.Linear(4, 7), ROWS[:2]), ["(150, 7)", "(150, 3)"]),
        (from_torch(Two(), ROWS[:2], dynamic=False), ["cannot be run on 150 rows", "any number of rows"]),
        (from_torch(Mean(), ROWS[:2]), ["for a row alone than"]),
    ],
    ids=["text", "nothing", "external data", "own operators", "other features", "other classes", "static", "batch"],
)
def test_what_cannot_be_taken_in_is_refused_with_the_way_out(content: bytes, words: list[str]) -> None:
    with pytest.raises(ModelError) as refused:
        foreign.load(content, flowers())

    for word in words:
        assert word in str(refused.value)
    assert refused.value.hint != ""
