"""The largest numbers of an output, as texts."""

import json
from typing import Any

import numpy as np
import pytest

from sealift.serving.errors import InvalidInput
from sealift.serving.protocol.classification import largest
from sealift.serving.protocol.open_inference_answer import AnswerWriter
from sealift.serving.protocol.open_inference_request import RequestReader
from sealift.serving.tensor import ANY, Tensor

SCORES = Tensor("scores", (ANY, 4))


def test_the_example_of_the_extension() -> None:
    array = np.array([1.1, 3.3, 0.5, 2.4], np.float32)

    assert largest(array, Tensor("scores", (4,)), 2, []).tolist() == ["3.3:1", "2.4:3"]
    assert largest(array, Tensor("scores", (4,)), 2, ["a", "b", "c", "d"]).tolist() == ["3.3:1:b", "2.4:3:d"]


@pytest.mark.parametrize(
    ("kind", "rows", "count", "expected"),
    [(np.float32, [[1, 2, 3, 4], [9, 8, 7, 6]], 2, [["4.0:3", "3.0:2"], ["9.0:0", "8.0:1"]]),
     (np.uint8, [[0, 255, 255, 1]], 3, [["255:1", "255:2", "1:3"]]),
     (np.int64, [[-(2**63), 2**63 - 1, 0, 2**63 - 2]], 2, [[f"{2**63 - 1}:1", f"{2**63 - 2}:3"]]),
     (np.float64, [[5, 5, 5, 5]], 9, [["5.0:0", "5.0:1", "5.0:2", "5.0:3"]])],
)  # fmt: skip
def test_each_row_has_its_own_and_of_equal_ones_the_first_comes_first(
    kind: type[Any], rows: list[list[int]], count: int, expected: list[list[str]]
) -> None:
    assert largest(np.array(rows, kind), SCORES, count, ["too few"]).tolist() == expected


def test_a_request_asks_for_it_and_the_answer_is_texts() -> None:
    outputs = {"scores": SCORES, "name": Tensor("name", (ANY, 1), "BYTES")}
    reader = RequestReader({"input": Tensor("input", (ANY, 1))}, outputs)
    one = {"name": "input", "shape": [1, 1], "datatype": "FP32", "data": [1]}
    asked: dict[str, Any] = {"inputs": [one], "outputs": [{"name": "scores", "parameters": {"classification": 2}}]}

    answer = AnswerWriter("m", "1", outputs, ["a", "b", "c", "d"]).answer(
        reader.parse(json.dumps(asked).encode(), None), {"scores": np.array([[1, 5, 10, 4]], np.float32)}
    )

    assert json.loads(answer.body)["outputs"] == [
        {"name": "scores", "datatype": "BYTES", "shape": [1, 2], "data": ["10.0:2:c", "5.0:1:b"]}
    ]
    asked["outputs"][0]["name"] = "name"
    with pytest.raises(InvalidInput, match="output 'name' is not numeric"):
        reader.parse(json.dumps(asked).encode(), None)
