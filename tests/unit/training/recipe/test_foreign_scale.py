"""Probabilities or logits: the model's last operators say it, and what nothing says is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.ensemble import BaggingClassifier, GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC
from torch import nn

from tests.unit.training.recipe.test_foreign import ROWS, X, Y, answers, flowers, from_torch, model
from training.errors import ModelError
from training.recipe import foreign

SMALL = np.linspace(0.01, 0.03, 12, dtype=np.float32).reshape(4, 3)
"""Weights whose products with the rows are all between 0 and 1, without the sum 1."""


def network(*ends: str, weights: Any = SMALL) -> bytes:
    """A layer, and then these operators."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["n0"])]
    nodes += [helper.make_node(end, [f"n{at}"], [f"n{at + 1}"]) for at, end in enumerate(ends)]
    return model(nodes, ["n", 4], ["n", weights.shape[1]], {"w": weights}, "x", f"n{len(ends)}")


@pytest.mark.parametrize("ends", [(), ("Identity",), ("Dropout", "Identity")], ids=str)
def test_logits_between_0_and_1_are_no_probabilities(ends: tuple[str, ...]) -> None:
    logits = ROWS[:20].numpy() @ SMALL[:, :1]
    assert logits.min() > 0 and logits.max() < 1

    found = answers(network(*ends, weights=SMALL[:, :1]), flowers(2))

    assert np.allclose(found[:, 1:], 1 / (1 + np.exp(-logits)), atol=1e-6)


def test_logits_of_a_torch_layer_between_0_and_1_are_no_probabilities() -> None:
    layer = nn.Linear(4, 1)
    nn.init.constant_(layer.weight, 0.01)
    nn.init.constant_(layer.bias, 0.1)
    net = nn.Sequential(layer, nn.Flatten(0))

    found = answers(from_torch(net, ROWS[:2]), flowers(2))

    assert np.allclose(found[:, 1], torch.sigmoid(net(ROWS[:20])).detach(), atol=1e-6)


def test_a_probability_is_known_behind_operators_that_keep_it() -> None:
    axes = helper.make_tensor("", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["l"]),
        helper.make_node("Sigmoid", ["l"], ["p"]),
        helper.make_node("Constant", [], ["axes"], value=axes),
        helper.make_node("Squeeze", ["p", "axes"], ["flat"]),
        helper.make_node("Cast", ["flat"], ["y"], to=TensorProto.FLOAT),
    ]
    weights = SMALL[:, :1]

    found = answers(model(nodes, ["n", 4], ["n"], {"w": weights}), flowers(2))

    assert np.allclose(found[:, 1:], 1 / (1 + np.exp(-(ROWS[:20].numpy() @ weights))), atol=1e-6)


def test_rows_with_the_sum_1_are_probabilities_whatever_makes_them() -> None:
    """A Softmax that was exported as its parts."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["l"]),
        helper.make_node("Exp", ["l"], ["e"]),
        helper.make_node("ReduceL1", ["e"], ["s"], axes=[1]),
        helper.make_node("Div", ["e", "s"], ["y"]),
    ]
    powers = np.exp(ROWS[:20].numpy() @ SMALL)

    found = answers(model(nodes, ["n", 4], ["n", 3], {"w": SMALL}), flowers())

    assert np.allclose(found, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)


def test_a_scaled_layer_is_a_layer() -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["l"]),
        helper.make_node("Add", ["l", "b"], ["m"]),
        helper.make_node("Div", ["m", "t"], ["y"]),
    ]
    logits = (ROWS[:20].numpy() @ SMALL + 0.1) / 2

    found = answers(
        model(
            nodes, ["n", 4], ["n", 3], {"w": SMALL, "b": np.full(3, 0.1, np.float32), "t": np.full(1, 2, np.float32)}
        ),
        flowers(),
    )

    assert np.allclose(found, torch.softmax(torch.from_numpy(logits), dim=1), atol=1e-6)


ALIKE = np.zeros((4, 3), np.float32)


@pytest.mark.parametrize(
    ("content", "classes", "words"),
    [
        (network("Relu", weights=SMALL[:, :1]), 2, ["the operator Relu", "from 0 to 1:", "Sigmoid as its last"]),
        (network("Sigmoid", "Sqrt", weights=SMALL[:, :1]), 2, ["the operator Sqrt", "Sigmoid as its last"]),
        (network("Relu"), 3, ["the operator Relu", "do not all have the sum 1", "Softmax as its last"]),
        (network("Sigmoid"), 3, ["the operator Sigmoid", "do not all have the sum 1"]),
        (
            model(
                [helper.make_node("Gemm", ["x", "w", "b"], ["y"])], ["n", 4], ["n", 3],
                {"w": ALIKE, "b": np.array([0.5, 0.25, 0.25], np.float32)},
            ),
            3,
            ["a layer without an activation", "have the sum 1"],
        ),
    ],
    ids=["one of relu", "a changed probability", "relu", "a sigmoid for each class", "a layer with the sum 1"],
)  # fmt: skip
def test_what_may_be_either_is_refused_with_the_way_out(content: bytes, classes: int, words: list[str]) -> None:
    with pytest.raises(ModelError) as refused:
        foreign.load(content, flowers(classes))

    for word in [*words, "may be probabilities or logits", "without an operator after its last layer"]:
        assert word in str(refused.value)


def sigmoid(numbers: Any) -> Any:
    return 1 / (1 + np.exp(-numbers))


def softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def pair(second: Any) -> Any:
    return np.concatenate([1 - second, second], axis=1)


def node(operator: str, given: str, made: str, **attributes: Any) -> Any:
    return helper.make_node(operator, given.split(), made.split(), **attributes)


def classifier(operator: str, **attributes: Any) -> bytes:
    """A classifier of ai.onnx.ml over the rows, with its labels."""
    graph = helper.make_graph(
        [node(operator, "x", "label y", domain="ai.onnx.ml", **attributes)],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", None])],
    )
    opsets = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)]
    content: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return content


def linear(transform: str, *rows: Any) -> bytes:
    return classifier(
        "LinearClassifier", coefficients=np.concatenate(rows).tolist(), intercepts=[0.0] * len(rows),
        classlabels_ints=list(range(max(2, len(rows)))), post_transform=transform,
    )  # fmt: skip


def trees(transform: str, classes: int, low: float, high: float) -> bytes:
    """A stump for each class (for two classes: one), which says `low` up to 5.5 of the first feature, then `high`."""
    stumps = range(1 if classes == 2 else classes)
    three = [0, 1, 2]
    return classifier(
        "TreeEnsembleClassifier", post_transform=transform, classlabels_int64s=list(range(classes)),
        nodes_treeids=[tree for tree in stumps for _ in three], nodes_nodeids=[*three] * len(stumps),
        nodes_featureids=[0] * 3 * len(stumps), nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"] * len(stumps),
        nodes_values=[5.5, 0.0, 0.0] * len(stumps), nodes_truenodeids=[1, 0, 0] * len(stumps),
        nodes_falsenodeids=[2, 0, 0] * len(stumps), class_treeids=[tree for tree in stumps for _ in "ab"],
        class_nodeids=[1, 2] * len(stumps), class_ids=[tree for tree in stumps for _ in "ab"],
        class_weights=[value + tree / 8 for tree in stumps for value in (low, high)],
    )  # fmt: skip


W1 = np.array([[0.5], [-1.5], [1.0], [0.4]], np.float32)
W3 = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
IN = ROWS[:20].numpy()
ONE, THREE = IN @ W1, IN @ W3
STUMP = np.where(IN[:, :1] <= 5.5, -1.25, 0.75)
CONSTANTS = {
    "w1": W1, "w3": W3, "w2": np.concatenate([-W1, W1], axis=1), "one": np.ones((1, 1), np.float32),
    "eye": np.eye(3, dtype=np.float32), "hundred": np.full(1, 100, np.float32), "half": np.full(1, 0.5, np.float32),
    "mean": np.full((2, 1), 0.5, np.float32), "mean3": np.concatenate([np.eye(3, dtype=np.float32)] * 2) / 2,
    "var": np.full(1, 1 - 1e-5, np.float32), "zero": np.zeros(1, np.float32), "unit": np.ones(1, np.float32),
    "first": np.zeros(1, np.int64), "second": np.ones(1, np.int64), "scale": np.array(1 / 255, np.float32),
    "byte": np.array(0, np.uint8), "hidden": np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32),
    "last": np.random.default_rng(2).normal(size=(6, 3)).astype(np.float32),
}  # fmt: skip


def graph(width: int, *nodes: Any) -> bytes:
    """These nodes, with the constants that they name."""
    named = {name for one in nodes for name in one.input}
    return model(nodes, ["n", 4], ["n", width], {key: value for key, value in CONSTANTS.items() if key in named})


L1, L3, S1, S3 = (
    node("MatMul", "x w1", "l"), node("MatMul", "x w3", "l"), node("Sigmoid", "l", "p"),
    node("Softmax", "l", "p", axis=1),
)  # fmt: skip
HIDDEN = np.tanh(IN @ CONSTANTS["hidden"]) @ CONSTANTS["last"]
TWO_SIGMOIDS = (L1, S1, node("Neg", "l", "m"), node("Sigmoid", "m", "q"), node("Concat", "p q", "c", axis=1))
TWO_SOFTMAXES = (L3, S3, node("Neg", "l", "m"), node("Softmax", "m", "q", axis=1), node("Concat", "p q", "c", axis=1))
QUANTIZED = (node("QuantizeLinear", "p scale byte", "q"), node("DequantizeLinear", "q scale byte", "y"))
NORMALIZE = node("BatchNormalization", "p unit zero zero var", "y")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (graph(1, node("MatMul", "x w1", "y")), pair(sigmoid(ONE))),
        (graph(3, node("MatMul", "x w3", "y")), softmax(THREE)),
        (graph(3, node("MatMul", "x hidden", "h"), node("Tanh", "h", "t"), node("MatMul", "t last", "y")),
         softmax(HIDDEN)),
        (graph(3, L3, node("Neg", "l", "m"), node("Add", "l m", "n"), node("Add", "n l", "y")), softmax(THREE)),
        (graph(1, L1, node("BatchNormalization", "l unit zero zero var", "y")), pair(sigmoid(ONE))),
        (graph(2, L1, node("Neg", "l", "m"), node("Concat", "m l", "y", axis=1)), pair(sigmoid(2 * ONE))),
        (graph(2, node("MatMul", "x w2", "y")), pair(sigmoid(2 * ONE))),
        (graph(3, L3, node("LogSoftmax", "l", "y", axis=1)), softmax(THREE)),
        (graph(3, L3, S3, node("Log", "p", "y")), softmax(THREE)),
        (graph(3, L3, S3, node("Identity", "p", "y")), softmax(THREE)),
        (graph(3, L3, S3, *QUANTIZED), softmax(THREE)),
        (graph(1, L1, S1, *QUANTIZED), pair(sigmoid(ONE))),
        (graph(3, *TWO_SOFTMAXES, node("MatMul", "c mean3", "y")), (softmax(THREE) + softmax(-THREE)) / 2),
        (graph(1, node("MatMul", "x w2", "l"), S3, node("Gather", "p second", "y", axis=1)), pair(sigmoid(2 * ONE))),
        (graph(1, L1, node("Gather", "l first", "y", axis=1)), pair(sigmoid(ONE))),
        (linear("NONE", -W1[:, 0], W1[:, 0]), pair(sigmoid(ONE))),
        (linear("NONE", *W3.T), softmax(THREE)),
        (linear("LOGISTIC", W1[:, 0]), pair(sigmoid(ONE))),
        (linear("SOFTMAX", *W3.T), softmax(THREE)),
        (trees("NONE", 2, -1.25, 0.75), pair(sigmoid(STUMP))),
        (trees("LOGISTIC", 2, -1.25, 0.75), pair(sigmoid(STUMP))),
        (trees("NONE", 3, -1.25, 0.75), softmax(STUMP + np.arange(3) / 8)),
        (trees("SOFTMAX", 3, -1.25, 0.75), softmax(STUMP + np.arange(3) / 8)),
    ],
    ids=["one logit", "logits", "hidden tanh", "sum of layers", "normalized layer", "a logit and its negative",
         "two opposite columns", "LogSoftmax", "Log of Softmax", "Softmax", "quantized Softmax", "quantized Sigmoid",
         "mean of Softmaxes", "second column of Softmax", "only column of a layer", "linear of two rows",
         "linear of three rows", "linear LOGISTIC", "linear SOFTMAX", "trees of two",
         "trees LOGISTIC", "trees of three", "trees SOFTMAX"],
)  # fmt: skip
def test_what_is_certain_has_the_true_probabilities(content: bytes, expected: Any) -> None:
    found = answers(content, flowers(expected.shape[1]))

    assert np.allclose(found, expected, atol=3e-3 if b"QuantizeLinear" in content else 1e-5)


@pytest.mark.parametrize(
    ("content", "classes", "words"),
    [
        (graph(1, *TWO_SIGMOIDS, node("MatMul", "c mean", "y")), 2, "a layer after the operator Sigmoid"),
        (graph(1, *TWO_SIGMOIDS, node("Gemm", "c mean", "y")), 2, "a layer after the operator Sigmoid"),
        (graph(1, L1, S1, node("MatMul", "p one", "y")), 2, "a layer after the operator Sigmoid"),
        (graph(1, L1, S1, NORMALIZE), 2, "a layer after the operator Sigmoid"),
        (graph(1, L1, S1, node("Clip", "p", "c"), node("MatMul", "c one", "y")), 2, "a layer after the operator Clip"),
        (graph(1, L1, node("HardSigmoid", "l", "h"), node("MatMul", "h one", "y")), 2, "after the operator Hard"),
        (graph(1, L1, S1, node("Mul", "p hundred", "y")), 2, "arithmetic after the operator Sigmoid"),
        (graph(3, L3, S3, node("Mul", "p hundred", "y")), 3, "arithmetic after the operator Softmax"),
        (graph(3, L3, S3, node("Div", "p half", "y")), 3, "arithmetic after the operator Softmax"),
        (graph(1, L1, S1, node("Log", "p", "y")), 2, "the operator Log, and its numbers are from -"),
        (graph(1, L1, node("Tanh", "l", "y")), 2, "the operator Tanh, and its numbers are from -"),
        (graph(3, L3, node("Tanh", "l", "y")), 3, "the operator Tanh, and its numbers are from -"),
        (graph(3, L3, node("Relu", "l", "y")), 3, "the operator Relu, and its numbers are from 0 to"),
        (graph(3, L3, node("LogSoftmax", "l", "s", axis=1), node("Mul", "s half", "y")), 3,
         "arithmetic after the operator LogSoftmax"),
        (graph(1, L1, S1, node("HardSigmoid", "p", "y")), 2, "the operator HardSigmoid"),
        (trees("NONE", 3, 7.0, 9.0), 3, "the operator TreeEnsembleClassifier, and its numbers are from 7 to 9.25"),
        (linear("NONE", W1[:, 0]), 2, "a layer without an activation, and its numbers are from -"),
        (linear("PROBIT", *np.abs(W3.T) / 30), 3, "LinearClassifier with post_transform PROBIT"),
    ],
    ids=["mean of Sigmoids", "Gemm of Sigmoids", "Sigmoid and MatMul", "Sigmoid and BatchNormalization",
         "Clip and MatMul", "HardSigmoid and MatMul", "percent of Sigmoid", "percent of Softmax", "Softmax and Div",
         "Log of Sigmoid", "Tanh", "three of Tanh", "Relu", "scaled LogSoftmax", "HardSigmoid", "votes", "s and 1 - s",
         "PROBIT"],
)  # fmt: skip
def test_what_nothing_proves_is_refused_whatever_its_numbers(content: bytes, classes: int, words: str) -> None:
    with pytest.raises(ModelError) as refused:
        foreign.load(content, flowers(classes))

    for word in (words, "may be probabilities or logits", "as its last operator"):
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (graph(1, node("MatMul", "x w2", "l"), S3, node("Gather", "p first", "y", axis=1)), "it is the first class's"),
        (graph(1, node("MatMul", "x w2", "l"), node("Gather", "l second", "y", axis=1)), "one logit of several"),
    ],
    ids=["first of Softmax", "one of two logits"],
)
def test_one_column_of_several_is_refused_unless_it_is_the_second_probability(content: bytes, words: str) -> None:
    with pytest.raises(ModelError, match=words) as refused:
        foreign.load(content, flowers(2))

    assert refused.value.hint == "export it with the numbers of all classes"


@pytest.mark.filterwarnings("ignore:Attribute `prob:FutureWarning")
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    ("theirs", "options"),
    [
        (LogisticRegression(C=0.1), {"raw_scores": True}),
        (LogisticRegression(C=0.1), {}),
        (SGDClassifier(loss="log_loss", random_state=0, alpha=1), {"raw_scores": True}),
        (SGDClassifier(random_state=0, alpha=1), {}),
        (RidgeClassifier(), {}),
        (LinearSVC(C=0.1), {}),
        (SVC(C=0.1), {"raw_scores": True}),
        (GradientBoostingClassifier(n_estimators=3), {"raw_scores": True}),
        (MLPClassifier((8,), "logistic", solver="lbfgs", max_iter=300, random_state=0, alpha=5), {}),
        (BaggingClassifier(n_estimators=3, random_state=0), {}),
        (KNeighborsClassifier(), {}),
    ],
    ids=str,
)
def test_scikit_learn_s_scores_are_logits_of_their_classes(theirs: Any, options: dict[str, bool], classes: int) -> None:
    """The softmax of [-s, s] gave sigmoid(2s) for two classes."""
    mine = classes > Y
    fitted = theirs.fit(X[mine], Y[mine])
    content = to_onnx(fitted, X[:1], options=options).SerializeToString()

    found = answers(content, flowers(classes), rows=100)

    if options or not hasattr(fitted, "predict_proba"):
        scores = fitted.decision_function(X[mine][:100])
        expected = softmax(scores) if classes > 2 else pair(sigmoid(scores.reshape(-1, 1)))
    else:
        expected = fitted.predict_proba(X[mine][:100])
    assert np.allclose(found, expected, atol=1e-4)
