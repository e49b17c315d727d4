"""Where a descent starts from: another model's weights, and which of them stay as they are."""

from collections.abc import Sequence

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from training.errors import ModelError

WAY_OUT = "initFrom needs an artifact of the same model with the same modelArguments"
NET = "net."


@torch.no_grad()
def from_onnx(model: bytes, deployed: nn.Module) -> None:
    """Gives the network inside `deployed` the weights of an ONNX file that export.py wrote; scales stay its own.

    Raises ModelError if a weight is missing there or has another shape: a checkpoint of another architecture.
    """
    graph = onnx.ModelProto.FromString(model).graph
    found = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    wanted = {name: one for name, one in deployed.state_dict().items() if name.startswith(NET)}
    problems = []
    for name, tensor in wanted.items():
        array = found.get(name)
        if array is None:
            if tensor.is_floating_point():  # batch normalisation's count of batches is not exported, nor needed
                problems.append(f"{name.removeprefix(NET)} is not in it")
        elif array.shape != tuple(tensor.shape) or array.dtype != np.float32:
            shape = f"{array.dtype} {array.shape}, not {tuple(tensor.shape)}"
            problems.append(f"{name.removeprefix(NET)} is {shape}")
        else:
            tensor.copy_(torch.from_numpy(array.copy()))
    if problems:
        raise ModelError("the artifact of initFrom is of another architecture: " + "; ".join(problems[:5]), WAY_OUT)


def freeze(net: nn.Module, beginnings: Sequence[str]) -> None:
    """Leaves all parameters as they are whose names begin so. Raises ModelError if none does, or if all do."""
    names = [name for name, _ in net.named_parameters()]
    for beginning in beginnings:
        if not any(name.startswith(beginning) for name in names):
            raise ModelError(f"freeze has {beginning!r}; no parameter's name begins so", f"allowed: {', '.join(names)}")
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(beginnings)))
    if not any(parameter.requires_grad for parameter in net.parameters()):
        raise ModelError("freeze leaves nothing to train", "leave out some of its names")
