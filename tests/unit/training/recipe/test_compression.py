"""Smaller models: what is accepted is smaller and nearly as good, what is not leaves the model as it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from training.errors import ModelError
from training.options import Compress
from training.recipe import export
from training.recipe.compression import CompressedModel, compress
from training.recipe.evaluate import measure
from training.recipe.models.build import DeployedModel
from training.recipe.scaling import Scale, Scales

WAYS = ["dynamicInt8", "staticInt8"]
SCALE = Scale(torch.full((6,), 3.0), torch.full((6,), 2.0))


@pytest.fixture(autouse=True)
def in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where temporary files would go; the training process says /dev/shm."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


class Model:
    """A trained-looking classifier and rows that it is mostly right about."""

    def __init__(self, width: int = 256) -> None:
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3))
        deployed = DeployedModel(net, Scales(SCALE, None), "classification", 3)
        self.rows = torch.randn(400, 6) * 2 + 3
        self.target = deployed(self.rows).argmax(dim=1)
        self.content = export.to_onnx(deployed, self.rows[:2], "classification")

    def measure(self, content: bytes) -> Mapping[str, float]:
        return measure(export.run(content, self.rows), self.target, "classification")

    def compressed(self, wanted: Compress) -> CompressedModel:
        return compress(self.content, wanted, self.rows.numpy()[:128], self.measure)


def tensors_of(content: bytes) -> list[Any]:
    return list(map(numpy_helper.to_array, onnx.ModelProto.FromString(content).graph.initializer))


def shares_of_zeros(content: bytes) -> list[float]:
    return [float(np.mean(tensor == 0)) for tensor in tensors_of(content) if tensor.ndim == 2]


@pytest.mark.parametrize("method", WAYS)
def test_int8_is_a_quarter_of_the_size_and_nearly_as_good(method: str) -> None:
    model = Model()

    found = model.compressed(Compress(method=method, maximum_loss=0.05))

    assert found.accepted
    assert found.bytes_before == len(model.content)
    assert found.bytes_after == len(found.model) < 0.35 * len(model.content)
    assert found.metrics_after == model.measure(found.model)
    assert found.metrics_after["accuracy"] >= 0.95
    assert "accuracy 1 →" in found.reason


def test_pruning_sets_the_share_of_every_matrix_to_zero_and_the_smallest_first() -> None:
    model = Model()

    found = model.compressed(Compress(method="prune", sparsity=0.3, maximum_loss=0.2))

    assert found.accepted
    assert found.bytes_after == found.bytes_before
    assert shares_of_zeros(found.model) == pytest.approx([0.3, 0.3, 0.3], abs=0.001)
    before, after = (
        next(tensor for tensor in tensors_of(content) if tensor.ndim == 2) for content in (model.content, found.model)
    )
    assert np.abs(before[after == 0]).max() <= np.abs(before[after != 0]).min()
    assert np.array_equal(before[after != 0], after[after != 0])


def test_too_great_a_loss_leaves_the_model_as_it_was() -> None:
    model = Model()

    found = model.compressed(Compress(method="prune", sparsity=0.97, maximum_loss=0.01))

    assert not found.accepted
    assert found.model == model.content
    assert found.metrics_after["accuracy"] < found.metrics_before["accuracy"]
    assert found.objection == "the metric got worse by more than 1.00% (compress.maximumLoss)"
    assert f"undone, since {found.objection}: accuracy " in found.reason


def test_int8_that_is_no_smaller_is_given_up() -> None:
    model = Model(width=4)

    found = model.compressed(Compress(maximum_loss=1.0))

    assert not found.accepted
    assert "did not get smaller" in found.reason
    assert found.bytes_after >= found.bytes_before


@pytest.mark.parametrize("method", [*WAYS, "prune"])
def test_the_same_model_gives_the_same_bytes_without_a_name_of_a_place(method: str, in_memory: Path) -> None:
    one, two = (Model().compressed(Compress(method=method, maximum_loss=1.0)) for _ in range(2))

    assert one.model == two.model
    assert str(in_memory).encode() not in one.model
    assert list(in_memory.iterdir()) == [], "nothing is left"


def test_a_metric_that_these_rows_have_not_is_refused() -> None:
    with pytest.raises(ModelError, match=r"compress\.metric is 'r2'") as refused:
        Model().compressed(Compress(metric="r2"))

    assert "accuracy" in refused.value.hint


def test_a_model_that_cannot_be_quantised_stays_as_it_is() -> None:
    model = Model()
    nothing = np.zeros((0, 6), dtype=np.float32)

    found = compress(model.content, Compress(method="staticInt8"), nothing, model.measure)

    assert not found.accepted
    assert found.model == model.content
    assert "not possible" in found.reason
