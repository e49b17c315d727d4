"""A table with categories: the model takes its columns as they stand in the file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch
from onnx import numpy_helper

from sealift.contents.description import write_description
from sealift.serving.model import Model
from sealift.serving.protocol.open_inference_request import RequestReader
from tests.unit.training.unwatched import Unwatched
from training.errors import DataError
from training.fit import FitResult, fit
from training.job import Job
from training.recipe.callback import Progress
from training.recipe.columns import decode
from training.recipe.datasets.load import load
from training.recipe.make import Inputs

KEY = bytes(range(32))
ROWS = 240


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("columns")
    own = np.random.default_rng(0)
    code, side = own.integers(10_001, 10_006, ROWS), own.choice(["north", 'sud, "ouest"', "東"], ROWS)
    size = own.uniform(20, 90, ROWS).round(2)
    price = 2 * size + 30 * (code % 5) + 40 * (side == "north") + own.normal(size=ROWS)
    table = pa.table({"size": size, "code": code, "side": side, "price": price})
    pa.parquet.write_table(table, folder / "flats.parquet", row_group_size=24)
    pyarrow.csv.write_csv(table, folder / "flats.csv")
    return folder


def made(folder: Path, init: bytes | None = None, **more: Any) -> FitResult:
    settings: dict[str, Any] = {
        "dataset": "flats.csv", "data": {"target": "price", "categorical": ["code"]}, "epochs": 15,
        "learningRate": 0.05,
    } | more  # fmt: skip
    job, problems = Job.validate(settings, folder)
    assert job is not None, problems
    return fit(
        job,
        Inputs(folder, KEY, init=init, provenance=dict.fromkeys(("dataDigest", "codeDigest", "libraries"), "d")),
        Progress(),
        Unwatched(),
    )


def ask(model: bytes, rows: list[tuple[float, int, str]]) -> list[float]:
    size, code, side = ([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    session: Any = onnxruntime.InferenceSession(model)
    asked: dict[str, Any] = {"size": np.array(size, np.float32), "code": np.array(code), "side": np.array(side, object)}
    (answer,) = session.run(None, {name: values[:, np.newaxis] for name, values in asked.items()})
    return [float(one) for one in answer[:, 0]]


@pytest.mark.parametrize(
    "more", [{}, {"dataset": "flats.parquet"}, {"compress": {"method": "dynamicInt8", "maximumLoss": 1.0}}]
)
def test_a_request_sends_values_as_they_stand_in_the_table(folder: Path, more: dict[str, Any]) -> None:
    result = made(folder, model="mlp", modelArguments={"hidden": []}, epochs=80, **more)

    north, south, elsewhere, nowhere = ask(
        result.model, [(50, 10_001, "north"), (50, 10_001, 'sud, "ouest"'), (50, 10_004, "north"), (50, 7, "")]
    )
    assert north - south == pytest.approx(40, abs=6)
    assert elsewhere - north == pytest.approx(90, abs=12)
    assert np.isfinite(nowhere)
    assert write_description(result.description)["inputs"] == [
        {"name": "size", "datatype": "FP32", "shape": ["batch", 1]},
        {"name": "code", "datatype": "INT64", "shape": ["batch", 1]},
        {"name": "side", "datatype": "BYTES", "shape": ["batch", 1]},
    ]
    assert write_description(result.description)["features"] == ["size", "code", "side"]


def test_a_streamed_table_has_the_same_columns(folder: Path) -> None:
    data = {"target": "price", "categorical": ["code"], "memoryBytes": 8000}

    result = made(folder, dataset="flats.parquet", data=data)

    assert [one["datatype"] for one in write_description(result.description)["inputs"]] == ["FP32", "INT64", "BYTES"]


def test_the_example_s_request_gets_the_example_s_answer_from_the_server(folder: Path) -> None:
    result = made(folder)
    model = Model(result.model, write_description(result.description))

    example = json.loads(json.dumps(result.outcome["example"]))
    asked = RequestReader(model.inputs, model.outputs).parse(json.dumps(example["request"]).encode(), None)
    (answer,) = model.run(asked.inputs, asked.outputs).values()

    assert answer.tolist() == [pytest.approx(example["expected"][0], rel=1e-5)]
    size, code, side = example["inputs"][0]
    assert (type(size), type(code), type(side)) == (float, int, str)


def test_a_table_of_numbers_is_one_tensor_as_before(folder: Path) -> None:
    result = made(folder, data={"target": "price", "features": ["size", "code"]})

    assert write_description(result.description)["inputs"] == [
        {"name": "input", "datatype": "FP32", "shape": ["batch", 2]}
    ]


def test_its_weights_keep_their_names_so_that_another_run_can_start_from_them(folder: Path) -> None:
    first = made(folder)
    settings = {"initFrom": {"artifactId": "0" * 32, "payloadDigest": "0" * 64}, "freeze": ["hidden"], "epochs": 1}

    second = made(folder, init=first.model, **settings)

    hidden = [
        next(numpy_helper.to_array(one) for one in onnx.ModelProto.FromString(model).graph.initializer
             if one.name == "net.hidden.weight")
        for model in (first.model, second.model)
    ]  # fmt: skip
    assert np.array_equal(hidden[0], hidden[1])


def test_decoding_undoes_encoding(folder: Path) -> None:
    job, _ = Job.validate({"dataset": "flats.csv", "data": {"target": "price", "categorical": ["code"]}}, folder)
    assert job is not None
    dataset = load(job, folder, KEY)
    table = pa.parquet.read_table(folder / "flats.parquet")

    features, _ = dataset.rows.first(ROWS)
    columns = decode(dataset.columns, features)
    assert columns["side"][:, 0].tolist() == table["side"].to_pylist()
    assert columns["code"][:, 0].tolist() == table["code"].to_pylist()
    assert np.array_equal(columns["size"][:, 0], table["size"].to_numpy().astype(np.float32))
    nothing = decode(dataset.columns, torch.zeros(1, features.shape[1]))
    assert nothing["side"].tolist() == [[""]]
    assert nothing["code"].tolist() == [[10_006]]


@pytest.mark.parametrize("name", ["prediction", "net.hidden.weight"])
def test_a_column_whose_name_the_model_has_is_refused(tmp_path: Path, name: str) -> None:
    lines = [f"{at % 7},{'ab'[at % 2]},{at * 1.37 % 11}" for at in range(40)]
    (tmp_path / "a.csv").write_text(f"x,{name},y\n" + "\n".join(lines))

    with pytest.raises(DataError, match="is reserved for the model"):
        made(tmp_path, dataset="a.csv", data={"target": "y", "task": "regression"}, epochs=1)


def test_a_column_may_be_called_as_something_between_the_model_s_nodes(folder: Path, tmp_path: Path) -> None:
    inner = onnx.ModelProto.FromString(made(folder).model).graph.node[-2].output[0]
    names = [inner, "input"]
    lines = [f"{at % 7},{'ab'[at % 2]},{at * 1.37 % 11}" for at in range(40)]
    (tmp_path / "a.csv").write_text(f"{','.join(names)},y\n" + "\n".join(lines))

    result = made(tmp_path, dataset="a.csv", data={"target": "y", "task": "regression"}, epochs=1)

    assert [one.name for one in onnxruntime.InferenceSession(result.model).get_inputs()] == names


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"categorical": ["nowhere"]}, "data.categorical names 'nowhere', which is not a feature"),
        ({"categorical": ["size"]}, "the column 'size' has 237 different values; at most 50 can be categories"),
    ],
)
def test_what_is_no_category_is_said(folder: Path, data: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as refused:
        made(folder, data={"target": "price", **data})

    assert message in str(refused.value)


def test_equal_models_are_equal_bytes(folder: Path) -> None:
    assert made(folder, epochs=1).model == made(folder, epochs=1).model
