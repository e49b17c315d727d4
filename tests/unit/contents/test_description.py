"""What an artifact says of its model: written by training, read by the server, also what an earlier release wrote."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sealift.contents.description import (
    VERSION,
    Bins,
    Description,
    RowCounts,
    Summary,
    TensorForm,
    ValueRange,
    read_description,
    write_description,
)
from sealift.contents.errors import ContentsError
from sealift.sealing import RsaIdentity, open_artifact
from sealift.serving.drift import Drift
from sealift.serving.errors import StartError
from sealift.serving.model import Model
from sealift.serving.version import VERSION as RELEASE
from tests.unit.serving.tiny import onnx_model

RELEASES = sorted((Path(__file__).resolve().parents[2] / "vectors").glob("format-v1-of-*"))
WHOLE = Description(
    task="classification",
    dataset="d.csv",
    model="net",
    hyperparameters={"epochs": 3, "modelArguments": {"width": 2}},
    metrics={"accuracy": 0.5},
    epochs_run=3,
    stop_reason="epochs",
    data_digest="a",
    code_digest="b",
    libraries="torch 2",
    content_digest="c",
    rows=RowCounts(8, 2, 1),
    features=("age", "plan"),
    classes=("no", "yes"),
    words=("a", "b"),
    inputs=(TensorForm("age", "FP32", ("batch", 1)), TensorForm("plan", "BYTES", ("batch", 1))),
    output=TensorForm("probabilities", "FP32", ("batch", 2)),
    input_reference={"age": Summary(30.5, 2.0, 20.0, 40.0)},
    input_bins={"age": Bins((30.0,), (0.5, 0.5))},
    input_range=ValueRange(0.0, 16.0),
    onnx_opset=18,
)
BINS = {"bounds": [1.0], "shares": [0.5, 0.5]}


def test_what_is_written_is_read_again_and_is_json() -> None:
    written = json.loads(json.dumps(write_description(WHOLE), allow_nan=False))

    assert written["version"] == VERSION
    assert read_description(written) == WHOLE
    assert read_description(write_description(Description())) == Description()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"inputbins": {"age": BINS}}, "description"),
        ({"inputBins": {"age": {"bounds": [1.0], "shares": [1.0]}}}, "description.inputBins.age"),
        ({"inputBins": {"age": {"bounds": [1.0]}}}, "description.inputBins.age"),
        ({"inputReference": {"age": {"mean": 1.0}}}, "description.inputReference.age"),
        ({"inputReference": {"age": [1.0]}}, "description.inputReference.age"),
        ({"inputRange": {}}, "description.inputRange"),
        ({"features": "age"}, "description.features"),
        ({"features": ["age", 3]}, "description.features[1]"),
        ({"version": VERSION + 1}, "description.version"),
        ({"version": "2"}, "description.version"),
        ({"version": True}, "description.version"),
        ({"version": 1, "classes": 5}, "description.classes"),
        ({"version": 1, "classes": None}, "description.classes"),
        ({"classes": ["\ud800"]}, "description"),
    ],
)
def test_what_is_not_as_it_was_written_is_refused_with_its_place(change: dict[str, Any], place: str) -> None:
    written = write_description(WHOLE) | change

    with pytest.raises(ContentsError) as refused:
        read_description(written)
    assert str(refused.value) == place
    with pytest.raises(StartError, match="is not a value that this release reads"):
        Model(onnx_model(), written)


@pytest.mark.parametrize("values", [None, [1], "text", 3])
def test_what_is_no_object_is_refused(values: object) -> None:
    with pytest.raises(ContentsError):
        read_description(values)


def test_each_release_has_an_artifact() -> None:
    assert [folder.name for folder in RELEASES][-1] == f"format-v1-of-{RELEASE}"


@pytest.mark.parametrize("folder", RELEASES, ids=lambda folder: str(folder.name))
def test_an_artifact_of_a_release_is_read_whole(folder: Path) -> None:
    kept = json.loads((folder / "expected.json").read_text())
    opened = open_artifact(
        (folder / "manifest.json").read_bytes(),
        (folder / "payload").read_bytes(),
        RsaIdentity((folder / "test-only-private.pem").read_text()),
        artifact_id=kept["artifactId"],
        payload_digest=kept["payloadDigest"],
    )

    description = read_description(opened.description)
    written = write_description(description)
    assert {name: value for name, value in written.items() if name in kept["description"]} == {
        name: value for name, value in kept["description"].items() if value != {} and name != "report"
    }
    model = Model(bytes(opened.model), opened.description)
    row = {one["name"]: np.array(one["data"]) for one in kept["example"]["request"]["inputs"]}
    typed = {name: value.astype(np.object_ if name == "side" else np.float32) for name, value in row.items()}
    answer = model.run(typed, list(model.outputs))["prediction"]
    assert answer.tolist() == [pytest.approx(kept["example"]["expected"][0], rel=1e-5)]
    assert Drift(model).takes, "its bins are known"
    assert [row.fields[0].choices for row in model.rows] == [(), (), ("north", "south")]
