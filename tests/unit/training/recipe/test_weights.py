"""Weights of a safetensors file: the user's own state_dict, all of it and nothing else."""

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
import safetensors.torch
import torch
from torch import nn

from training.errors import ModelError
from training.recipe.weights import load_onnx, load_safetensors

State = dict[str, torch.Tensor]


class Tied(nn.Module):
    """Two names of one tensor, a buffer that is no number with a point, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3, bias=False)
        self.norm = nn.BatchNorm1d(3)
        self.second = nn.Linear(3, 3, bias=False)
        self.second.weight = self.first.weight
        self.head = nn.Linear(3, 2)


def state(seed: int = 7) -> State:
    torch.manual_seed(seed)
    net = Tied()
    nn.init.normal_(net.norm.running_mean)  # type: ignore[arg-type]
    return {name: one.clone() for name, one in net.state_dict().items()}


@pytest.mark.parametrize("prefix", ["", "net.", "module.model."])
@pytest.mark.parametrize("left_out", [None, "second.weight", "first.weight"])
def test_every_tensor_is_taken_whatever_all_names_begin_with(prefix: str, left_out: str | None) -> None:
    """safetensors.torch.save_model leaves out one name of a tied weight."""
    theirs, net = state(), Tied()
    saved = {f"{prefix}{name}": one for name, one in theirs.items() if name != left_out}

    load_safetensors(safetensors.torch.save(saved), net)

    assert all(torch.equal(one, theirs[name]) for name, one in net.state_dict().items())


def without(name: str) -> Callable[[State], None]:
    return lambda saved: saved.__delitem__(name)


def with_(name: str, tensor: torch.Tensor) -> Callable[[State], None]:
    return lambda saved: saved.__setitem__(name, tensor)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("head.bias"), "another architecture: head.bias is missing from it"),
        (without("norm.num_batches_tracked"), "norm.num_batches_tracked is missing from it"),
        (with_("head.weight", torch.zeros(5, 3)), r"head.weight is float32 \(5, 3\), not float32 \(2, 3\)"),
        (with_("head.weight", torch.zeros(2, 3).half()), r"head.weight is float16 \(2, 3\), not float32 \(2, 3\)"),
        (with_("tail.weight", torch.zeros(1)), "tail.weight is in it, but not in the model"),
        (with_("head.bias", torch.tensor([1.0, float("nan")])), "head.bias has values that are NaN or infinite"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_taken(change: Callable[[State], None], said: str) -> None:
    saved, net = state(), Tied()
    before = {name: one.clone() for name, one in net.state_dict().items()}
    change(saved)

    with pytest.raises(ModelError, match=said):
        load_safetensors(safetensors.torch.save(saved), net)
    assert all(torch.equal(one, before[name]) for name, one in net.state_dict().items())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xff" * 100, safetensors.torch.save(state())[:-1]])
def test_a_file_of_another_kind_is_said_to_be_that(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"is not a safetensors file.*\nhint: .*safetensors\.torch\.save_file"):
        load_safetensors(content, Tied())


def test_what_is_left_out_may_differ_in_shape_or_not_be_there_at_all() -> None:
    theirs, ours = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 7)), nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    fresh = ours.state_dict()["1.weight"].clone()
    saved = {f"module.{name}": one for name, one in theirs.state_dict().items()}

    load_safetensors(safetensors.torch.save({**saved, "module.fc.bias": torch.zeros(2)}), ours, ["1.", "fc"])

    assert torch.equal(ours.state_dict()["0.weight"], theirs.state_dict()["0.weight"])
    assert torch.equal(ours.state_dict()["1.weight"], fresh)


def test_an_artifact_s_weights_are_read_from_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has a public key can seal one; the helper for tensors opens what they name."""
    (tmp_path / "file").write_bytes(bytes(36))
    monkeypatch.chdir(tmp_path)
    weight = onnx.TensorProto(name="net.weight", data_type=1, dims=[3, 3], data_location=onnx.TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value="file")
    content = onnx.ModelProto(graph=onnx.GraphProto(initializer=[weight])).SerializeToString()
    assert not onnx.numpy_helper.to_array(weight).any(), "else this tests nothing"

    with pytest.raises(ModelError, match="keeps weights in other files, which are never read"):
        load_onnx(content, nn.ModuleDict({"net": nn.Linear(3, 3, bias=False)}))
