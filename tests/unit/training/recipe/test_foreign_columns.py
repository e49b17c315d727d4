"""A pipeline of scikit-learn over a data frame: one input for each column, texts among them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sealift.contents.description import write_description
from tests.unit.training.unwatched import Unwatched
from training.errors import ModelError
from training.fit import FitResult, fit
from training.job import Job
from training.recipe.callback import Progress
from training.recipe.make import Inputs

ROWS = 200
OWN = np.random.default_rng(0)
SIZE, CODE = OWN.uniform(20, 90, ROWS).round(1), OWN.integers(10_001, 10_005, ROWS)
SIDE = OWN.choice(["north", "south", "東"], ROWS).astype(object)
PRICE = 2 * SIZE + 30.0 * (CODE % 5) + 40.0 * (SIDE == "north") + OWN.normal(size=ROWS)
FRAME = np.stack([SIZE.astype(object), CODE.astype(object), SIDE], axis=1)


def pipeline(estimator: Any) -> Any:
    """Over columns 0 to 2, whatever their names."""
    encoder = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(ColumnTransformer([("numbers", StandardScaler(), [0]), ("names", encoder, [1, 2])]), estimator)


def converted(model: Any, types: list[tuple[str, Any]], **options: Any) -> bytes:
    content: bytes = to_onnx(model, initial_types=types, target_opset=17, **options).SerializeToString()
    return content


def taken_in(folder: Path, content: bytes, target: str, categorical: list[str] | None = None) -> FitResult:
    lines = [
        f"{SIZE[at]},{CODE[at]},{SIDE[at]},{PRICE[at]},{'dear' if PRICE[at] > 180 else 'cheap'}" for at in range(ROWS)
    ]
    (folder / "flats.csv").write_text("size,code,side,price,class\n" + "\n".join(lines))
    (folder / "theirs.onnx").write_bytes(content)
    settings = {
        "source": "onnx", "model": "theirs.onnx", "dataset": "flats.csv",
        "data": {"target": target, "features": ["side", "size", "code"], "categorical": categorical or []},
    }  # fmt: skip
    job, problems = Job.validate(settings, folder)
    assert job is not None, problems
    provenance = dict.fromkeys(("dataDigest", "codeDigest", "libraries"), "d")
    return fit(job, Inputs(folder, bytes(32), provenance=provenance), Progress(), Unwatched())


def ask(content: bytes, size: float, code: int, side: str) -> np.ndarray[Any, Any]:
    session: Any = onnxruntime.InferenceSession(content)
    kinds = {one.name: one.type for one in session.get_inputs()}
    numbers = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
    asked = {"size": np.array([[size]], np.float32), "code": np.array([[code]], numbers[kinds["code"]]),
             "side": np.array([[side]], object)}  # fmt: skip
    (answer,) = session.run(None, asked)
    return np.asarray(answer)


@pytest.mark.parametrize("wide", [FloatTensorType, DoubleTensorType])
@pytest.mark.parametrize("categorical", [[], ["code"]])
def test_a_regression_of_columns_answers_as_scikit_learn_does(
    tmp_path: Path, wide: Any, categorical: list[str]
) -> None:
    model = pipeline(LinearRegression()).fit(FRAME, PRICE)
    types = [("size", wide([None, 1])), ("code", Int64TensorType([None, 1])), ("side", StringTensorType([None, 1]))]

    result = taken_in(tmp_path, converted(model, types), "price", categorical)

    assert result.outcome["metrics"]["r2"] > 0.99
    assert [one["name"] for one in write_description(result.description)["inputs"]] == ["side", "size", "code"]
    rows: list[tuple[float, int, str]] = [(33.5, 10_002, "north"), (61.0, 10_004, "東"), (50.0, 10_001, "nowhere")]
    for size, code, side in rows:
        theirs = model.predict(np.array([[size, code, side]], object))
        assert ask(result.model, size, code, side).ravel() == pytest.approx(theirs, rel=1e-4)


def test_a_classifier_of_columns_answers_its_probabilities(tmp_path: Path) -> None:
    model = pipeline(LogisticRegression(max_iter=1000)).fit(FRAME, np.where(PRICE > 180, "dear", "cheap"))
    types = [("size", FloatTensorType([None, 1])), ("code", Int64TensorType([None, 1])),
             ("side", StringTensorType([None, 1]))]  # fmt: skip

    result = taken_in(tmp_path, converted(model, types, options={"zipmap": False}), "class")

    assert result.outcome["metrics"]["accuracy"] > 0.95
    assert write_description(result.description)["classes"] == ["cheap", "dear"]
    theirs = model.predict_proba(np.array([[40.0, 10_003, "south"]], object))
    assert ask(result.model, 40.0, 10_003, "south") == pytest.approx(theirs, abs=1e-4)


def test_columns_without_a_second_dimension_are_taken_too(tmp_path: Path) -> None:
    helper, kinds = onnx.helper, onnx.TensorProto
    inputs = [helper.make_tensor_value_info(name, kinds.FLOAT, ["n"]) for name in ("size", "code")]
    output = helper.make_tensor_value_info("sum", kinds.FLOAT, ["n"])
    graph = helper.make_graph([helper.make_node("Add", ["size", "code"], ["sum"])], "sum", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

    result = taken_in(tmp_path, model.SerializeToString(), "price")

    assert ask(result.model, 2.0, 3, "north").tolist() == [[5.0]]


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ([("size", FloatTensorType([None, 1])), ("postcode", Int64TensorType([None, 1])),
          ("side", StringTensorType([None, 1]))], ["no column 'postcode'", "its columns: side, size, code"]),
        ([("size", FloatTensorType([None, 1])), ("code", StringTensorType([None, 1])),
          ("side", StringTensorType([None, 1]))], ["takes 'code' as string; the column has numbers"]),
    ],
)  # fmt: skip
def test_inputs_that_are_no_columns_are_said(tmp_path: Path, types: list[tuple[str, Any]], words: list[str]) -> None:
    texts = FRAME.copy()
    texts[:, 1] = [str(one) for one in CODE]
    model = pipeline(LinearRegression()).fit(texts if "string" in str(words) else FRAME, PRICE)

    with pytest.raises(ModelError) as refused:
        taken_in(tmp_path, converted(model, types), "price")

    for word in words:
        assert word in str(refused.value)
