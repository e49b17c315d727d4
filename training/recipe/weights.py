"""Initial weights from another model, and freezing of parameters."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import safetensors
import safetensors.torch
import torch
from onnx import numpy_helper
from torch import nn

from sealift.contents.plain_model import MAGIC
from training.errors import ModelError
from training.options import SAFE_WAY
from training.weight_files import locations

WAY_OUT = (
    "initFrom needs the weights of the same model with the same modelArguments; initFrom.leaveOut names what may "
    "differ, such as the last layer"
)
NET = "net."


@torch.no_grad()
def load_onnx(model: bytes, deployed: nn.Module, left_out: Sequence[str] = ()) -> None:
    """Loads weights of an ONNX file that export.py wrote into the network inside `deployed`. Its scales stay, and so do
    parameters whose names have a prefix in `left_out`.

    Raises ModelError if a weight is missing or has another shape: a checkpoint of another architecture.
    """
    if model.startswith(MAGIC):
        raise ModelError("the artifact of initFrom is a model above 2 GB, which is not supported", WAY_OUT)
    if locations(model):  # NumPy's helper would read them
        raise ModelError("the artifact of initFrom keeps weights in other files, which are never read", WAY_OUT)
    graph = onnx.ModelProto.FromString(model).graph
    found = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    own = tuple(f"{NET}{beginning}" for beginning in left_out)
    wanted = {
        name: one for name, one in deployed.state_dict().items() if name.startswith(NET) and not name.startswith(own)
    }
    problems = _find_nowhere(left_out, [name.removeprefix(NET) for name in (*deployed.state_dict(), *found)])
    for name, tensor in wanted.items():
        array = found.get(name)
        if array is None:
            if tensor.is_floating_point():  # batch normalisation's batch count is not exported, nor needed
                problems.append(f"{name.removeprefix(NET)} is missing from it")
        elif array.shape != tuple(tensor.shape) or array.dtype != np.float32:
            shape = f"{array.dtype} {array.shape}, not {tuple(tensor.shape)}"
            problems.append(f"{name.removeprefix(NET)} is {shape}")
        else:
            tensor.copy_(torch.from_numpy(array.copy()))
    if problems:
        raise ModelError("the artifact of initFrom has another architecture: " + "; ".join(problems[:5]), WAY_OUT)


@torch.no_grad()
def load_safetensors(content: bytes, net: nn.Module, left_out: Sequence[str] = ()) -> None:
    """Loads a file with the network's `state_dict`, whose names may share a prefix ("module."). Leaves out names with a
    prefix in `left_out`.

    Raises ModelError if a tensor is missing, has another shape or type or is not finite, or if there are others.
    """
    try:
        found = safetensors.torch.load(content)
    except safetensors.SafetensorError as error:
        raise ModelError(f"the file of initFrom.path is not a safetensors file: {error}", SAFE_WAY) from error
    state: dict[str, torch.Tensor] = net.state_dict()
    whole = _strip_prefix(found, state)
    found, wanted = _take(whole, left_out), _take(state, left_out)
    shared = {wanted[name].data_ptr() for name in found.keys() & wanted.keys()}
    problems = _find_nowhere(left_out, [*state, *whole])
    problems += [f"{name} is in it, but not in the model" for name in sorted(found.keys() - wanted.keys())]
    for name, tensor in wanted.items():
        given = found.get(name)
        if given is None:
            if tensor.data_ptr() not in shared:  # a tied weight is saved only once
                problems.append(f"{name} is missing from it")
        elif given.shape != tensor.shape or given.dtype != tensor.dtype:
            problems.append(f"{name} is {_describe(given)}, not {_describe(tensor)}")
        elif not given.isfinite().all():
            problems.append(f"{name} has values that are NaN or infinite")
    if problems:
        raise ModelError("the file of initFrom.path has another architecture: " + "; ".join(problems[:5]), WAY_OUT)
    for name, given in found.items():
        wanted[name].copy_(given)


def _take(tensors: Mapping[str, torch.Tensor], left_out: Sequence[str]) -> dict[str, torch.Tensor]:
    return {name: one for name, one in tensors.items() if not name.startswith(tuple(left_out))}


def _find_nowhere(left_out: Sequence[str], names: Sequence[str]) -> list[str]:
    """Returns problems for entries of initFrom.leaveOut that match no name, which are mostly misspelt."""
    return [
        f"leaveOut has {beginning!r}, but no parameter's name begins with it"
        for beginning in left_out
        if not any(name.startswith(beginning) for name in names)
    ]


def _strip_prefix(found: dict[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Removes a prefix common to all names, if that makes a name of the model and no name matched before."""
    if found.keys() & wanted.keys():
        return found
    for own in wanted:
        for prefix in sorted((name.removesuffix(own) for name in found if name.endswith(f".{own}")), key=len):
            if all(name.startswith(prefix) for name in found):
                return {name.removeprefix(prefix): tensor for name, tensor in found.items()}
    return found


def _describe(tensor: torch.Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def freeze(net: nn.Module, beginnings: Sequence[str]) -> None:
    """Freezes all parameters whose names have one of these prefixes. Raises ModelError if no name has a prefix, or if
    all names have one.
    """
    names = [name for name, _ in net.named_parameters()]
    for beginning in beginnings:
        if not any(name.startswith(beginning) for name in names):
            raise ModelError(
                f"freeze has {beginning!r}, but no parameter's name begins with it", f"allowed: {', '.join(names)}"
            )
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(beginnings)))
    if not any(parameter.requires_grad for parameter in net.parameters()):
        raise ModelError("freeze leaves no parameter to train", "remove some of its names")
