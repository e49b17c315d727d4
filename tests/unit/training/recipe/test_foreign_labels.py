"""Which class a foreign model's numbers are for: its own labels decide, and those of other data are refused."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC

from tests.unit.training.recipe.test_foreign import ROWS, X, Y, answers
from tests.unit.training.recipe.test_foreign import flowers as numbered
from training.errors import ModelError
from training.recipe import foreign
from training.recipe.datasets.dataset import Dataset, TensorRows

NAMES = np.array(["setosa", "versicolor", "virginica"])
WEIGHTS = LogisticRegression(fit_intercept=False).fit(X, Y).coef_.T.astype(np.float32)
"""For the classes in the data's order."""


def flowers(classes: int = 3) -> Dataset:
    return replace(numbered(classes), classes=tuple(NAMES[:classes].tolist()))


def softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


EXPECTED = softmax(ROWS[:20].numpy() @ WEIGHTS)


def strings(texts: Sequence[str]) -> TensorProto:
    return TensorProto(data_type=TensorProto.STRING, dims=[len(texts)], string_data=[text.encode() for text in texts])


def model(order: list[int], *more: onnx.NodeProto, outputs: list[onnx.ValueInfoProto] | None = None) -> bytes:
    """Its columns are for the data's classes in this order; `more` says which they are."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["l"]), helper.make_node("Softmax", ["l"], ["p"], axis=1), *more]
    row = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])
    answer = helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 3])
    weights = numpy_helper.from_array(np.ascontiguousarray(WEIGHTS[:, order]), "w")
    graph = helper.make_graph(nodes, "graph", [row], outputs or [answer], [weights])
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    content: bytes = helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()
    return content


def zip_map(**labels: Any) -> bytes:
    order = labels.pop("order")
    kind = helper.make_map_type_proto(
        TensorProto.STRING if "classlabels_strings" in labels else TensorProto.INT64,
        helper.make_tensor_type_proto(TensorProto.FLOAT, []),
    )
    zipped = helper.make_value_info("z", helper.make_sequence_type_proto(kind))
    return model(order, helper.make_node("ZipMap", ["p"], ["z"], domain="ai.onnx.ml", **labels), outputs=[zipped])


def with_labels(order: list[int], *labels: str) -> bytes:
    """With an output that names the class of the largest number, as scikit-learn's converter makes one."""
    names = strings(labels)
    nodes = [
        helper.make_node("Constant", [], ["names"], value=names),
        helper.make_node("ArgMax", ["p"], ["largest"], axis=1, keepdims=0),
        helper.make_node("Gather", ["names", "largest"], ["label"]),
    ]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.STRING, ["n"]),
        helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 3]),
    ]
    return model(order, *nodes, outputs=outputs)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 0, 2]], ids=str)
@pytest.mark.parametrize("form", ["zip map", "numbers", "label output"])
def test_the_model_s_own_order_decides(order: list[int], form: str) -> None:
    """They were taken in the data's order: the wrong classes, without a word."""
    content = {
        "zip map": lambda: zip_map(order=order, classlabels_strings=NAMES[order].tolist()),
        "numbers": lambda: zip_map(order=order, classlabels_int64s=order),
        "label output": lambda: with_labels(order, *NAMES[order]),
    }[form]()

    assert np.allclose(answers(content, flowers()), EXPECTED, atol=1e-5)


def test_an_order_that_the_rows_do_not_show_is_refused() -> None:
    """Two classes have changed places, and no row is of the third."""
    content = with_labels([2, 0, 1], *NAMES[[2, 0, 1]])
    seen = replace(flowers(), rows=TensorRows(ROWS[Y == 0], torch.from_numpy(Y[Y == 0])))

    with pytest.raises(ModelError, match="the rows have 1 of 3: the columns"):
        foreign.load(content, seen)


def test_labels_that_are_not_the_data_s_are_refused() -> None:
    for content in (
        zip_map(order=[0, 1, 2], classlabels_strings=["rose", "tulip", "lily"]),
        zip_map(order=[0, 1, 2], classlabels_int64s=[1, 2, 3]),
        with_labels([0, 1, 2], "rose", "tulip", "lily"),
    ):
        with pytest.raises(ModelError, match=r"has the labels .*; the data has the classes 'setosa', 'versicolor'"):
            foreign.load(content, flowers())


def test_labels_against_its_own_numbers_are_refused() -> None:
    """An output that names another class than the ZipMap would."""
    names = strings(NAMES[[1, 2, 0]].tolist())
    kind = helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    nodes = [
        helper.make_node("Constant", [], ["names"], value=names),
        helper.make_node("ArgMax", ["p"], ["largest"], axis=1, keepdims=0),
        helper.make_node("Gather", ["names", "largest"], ["label"]),
        helper.make_node("ZipMap", ["p"], ["z"], domain="ai.onnx.ml", classlabels_strings=NAMES.tolist()),
    ]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.STRING, ["n"]),
        helper.make_value_info("z", helper.make_sequence_type_proto(kind)),
    ]

    with pytest.raises(ModelError, match="although the largest number belongs to another class"):
        foreign.load(model([0, 1, 2], *nodes, outputs=outputs), flowers())


@pytest.mark.parametrize(
    "theirs",
    [
        RandomForestClassifier(n_estimators=7, random_state=0),
        MLPClassifier((8,), solver="lbfgs", max_iter=1000, random_state=0),
    ],
    ids=["forest", "network"],
)
def test_scikit_learn_s_labels_are_read_with_and_without_a_zip_map(theirs: Any) -> None:
    fitted = theirs.fit(X, NAMES[Y])
    for zipmap in (True, False):
        content = to_onnx(fitted, X[:1], options={"zipmap": zipmap}).SerializeToString()
        assert np.allclose(answers(content, flowers()), fitted.predict_proba(X[:20]), atol=1e-4)


def test_a_margin_is_above_zero_for_the_second_class() -> None:
    mine = Y < 2
    fitted = LinearSVC().fit(X[mine], NAMES[Y[mine]])
    found = answers(to_onnx(fitted, X[:1]).SerializeToString(), flowers(2))

    said = NAMES[found.argmax(axis=1)]
    assert said.tolist() == fitted.predict(X[:20]).tolist()


def one_number(first: str, second: str) -> bytes:
    """A probability, and the label that it says: `second` above one half."""
    names = strings([first, second])
    half = helper.make_tensor("", TensorProto.FLOAT, [], [0.5])
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["l"]),
        helper.make_node("Sigmoid", ["l"], ["p"]),
        helper.make_node("Constant", [], ["names"], value=names),
        helper.make_node("Constant", [], ["half"], value=half),
        helper.make_node("Greater", ["p", "half"], ["above"]),
        helper.make_node("Cast", ["above"], ["place"], to=TensorProto.INT64),
        helper.make_node("Gather", ["names", "place"], ["label"]),
    ]
    row = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.STRING, ["n", 1]),
        helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 1]),
    ]
    weights = numpy_helper.from_array(np.array([[1], [-1], [-1], [1]], np.float32), "w")
    graph = helper.make_graph(nodes, "graph", [row], outputs, [weights])
    imports = [helper.make_opsetid("", 17)]
    content: bytes = helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString()
    return content


def test_one_number_is_for_the_class_that_the_model_says() -> None:
    usual = answers(one_number("setosa", "versicolor"), flowers(2))
    turned = answers(one_number("versicolor", "setosa"), flowers(2))

    assert np.allclose(usual, turned[:, ::-1])
    assert not np.allclose(usual, turned)


def test_half_precision_is_taken() -> None:
    """It was "0 outputs of floating-point numbers"."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Softmax", ["y"], ["p"], axis=1)],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT16, ["n", 4])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT16, ["n", 3])],
        [numpy_helper.from_array(WEIGHTS.astype(np.float16), "w")],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    assert np.allclose(answers(proto.SerializeToString(), flowers()), EXPECTED, atol=1e-2)
