"""A user's mistake is refused at preview: the property, the value, what is allowed; no traceback, nothing trained."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stack import Stack

MakeStack = Callable[..., Stack]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"dataset": "mnist"}, ["dataset", "mnist", "diabetes", "digits"]),
        ({"model": "resnet"}, ["model", "resnet", "net"]),
        ({"learning_rate": 0}, ["learningRate", "0"]),
        ({"learning_rate": -0.1}, ["learningRate", "-0.1"]),
        ({"learning_rate": "NaN"}, ["learningRate", "NaN"]),
        ({"learning_rate": "abc"}, ["learningRate", "abc"]),
        ({"epochs": 0}, ["epochs", "0"]),
        ({"retention": "forever"}, ["retention", "forever", "keep", "delete"]),
        ({"timeout_seconds": -1}, ["timeoutSeconds", "-1"]),
        ({"epochs": 0, "dataset": "mnist"}, ["epochs", "mnist"]),
    ],
)
def test_a_bad_input_is_refused_at_preview(
    training_stack: MakeStack, tmp_path: Path, inputs: dict[str, object], expected: list[str]
) -> None:
    stack = training_stack()
    if "retention" in inputs:
        stack.set_config("retention", str(inputs["retention"]))
    else:
        stack.set_run(**inputs)

    said = stack.preview().failed().text

    for words in expected:
        assert words in said
    assert not (tmp_path / "store").exists()


def test_a_store_url_of_another_kind_is_refused_with_the_kinds_there_are(training_stack: MakeStack) -> None:
    stack = training_stack()
    stack.set_config("storeUrl", "ftp://example.com/store")

    said = stack.preview().failed().text

    assert "url is 'ftp://example.com/store'" in said
    assert "file://" in said
