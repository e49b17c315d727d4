"""Probabilities or logits: the model's last operators say it, and what nothing says is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from tests.unit.training.recipe.test_foreign import ROWS, answers, flowers, from_torch, model
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
