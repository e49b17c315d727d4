"""MODEL: the network that a job names, and the form in which it is deployed: raw features in, readable answers out.

Shapes: B rows of a batch, S the shape of one row's features, K outputs.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

import inspect
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, cast

import torch
from torch import nn

from sealift.settings.kinds import is_reference
from training import user_code
from training.errors import ModelError
from training.job import Job
from training.recipe.datasets.dataset import Dataset
from training.recipe.explain import blame_model
from training.recipe.models import find_network
from training.recipe.scaling import Scale, Scales
from training.tasks import LOSSES_OF

OFFERED: Final = ("shape", "features", "outputs", "classes", "words")
"""Properties of the data set that a network's constructor gets, if it has an argument of that name."""


class DeployedModel(nn.Module):
    """A trained network between its scales: the model that is measured, exported and served."""

    def __init__(self, net: nn.Module, scales: Scales, task: str, outputs: int) -> None:
        """`outputs` is the network's own width. A classification with one output gets the probabilities of both
        classes.
        """
        super().__init__()
        self.net = net
        self.classifies = task == "classification"
        self.outputs = outputs
        self.scales_features = scales.features is not None
        nothing = Scale(torch.zeros(1), torch.ones(1))
        for name, scale in (("feature", scales.features or nothing), ("target", scales.target or nothing)):
            self.register_buffer(f"{name}_mean", scale.mean)
            self.register_buffer(f"{name}_deviation", scale.deviation)

    feature_mean: torch.Tensor
    feature_deviation: torch.Tensor
    target_mean: torch.Tensor
    target_deviation: torch.Tensor

    def forward(self, raw_BS: torch.Tensor) -> torch.Tensor:
        if self.scales_features:
            # A missing value becomes the mean. Uses `where`, since ONNX has no nan_to_num.
            known_BS = torch.where(torch.isnan(raw_BS), self.feature_mean, raw_BS)
            raw_BS = (known_BS - self.feature_mean) / self.feature_deviation
        y_BK = self.net(raw_BS)
        if not self.classifies:
            return cast(torch.Tensor, y_BK * self.target_deviation + self.target_mean)
        if self.outputs > 1:
            return torch.softmax(y_BK, dim=1)
        p_B1 = torch.sigmoid(y_BK)
        return torch.cat([1 - p_B1, p_B1], dim=1)


def find_loss_name(job: Job, dataset: Dataset) -> str:
    """Returns the job's loss, or the task's. Raises ModelError if it does not fit the task."""
    name = job.loss or ("mse" if dataset.task == "regression" else "crossEntropy")
    fitting = LOSSES_OF[dataset.task]
    if name not in fitting:
        raise ModelError(
            f"loss is {name!r}, but {dataset.name} is a {dataset.task}",
            f"allowed: {', '.join(map(repr, fitting))}; or set data.task",
        )
    if name == "bce" and len(dataset.classes) != 2:
        raise ModelError(
            f"loss is 'bce', which needs two classes; {dataset.name} has {len(dataset.classes)}",
            "use 'crossEntropy'",
        )
    return name


def build(job: Job, dataset: Dataset, folder: Path) -> nn.Module:
    """Returns the job's network with new weights from torch's seeded default generator. Raises ModelError."""
    kind = _load_own(job, folder) if is_reference(job.model) else find_network(job.model)
    if not callable(kind):
        raise ModelError(f"model is {job.model!r}, which is not a class", "name a subclass of torch.nn.Module")
    offered: dict[str, object] = {
        "shape": dataset.shape,
        "features": math.prod(dataset.shape),
        "outputs": count_network_outputs(job, dataset),
        "classes": len(dataset.classes),
        "words": len(dataset.words),
    }
    taken = _find_parameters(kind)
    given = {name: value for name, value in offered.items() if name in taken} | dict(job.model_arguments)
    strange = user_code.strange_arguments(kind, job.model_arguments)
    if strange:
        raise ModelError(
            "; ".join(f"modelArguments {said}" for said in strange),
            f"{job.model} takes {', '.join(taken) or 'no arguments'}",
        )
    told = ", ".join(f"{name}={value!r}" for name, value in given.items()) or "nothing"
    way_out = (
        f"it was called with {told}; Sealift passes those of {', '.join(OFFERED)} that are its arguments, and "
        "modelArguments adds others"
    )
    with blame_model(job, f"the constructor of {job.model}", way_out):
        net = kind(**given)
    if not isinstance(net, nn.Module):
        raise ModelError(
            f"{job.model} is a {type(net).__name__}, not a torch module", "name a subclass of torch.nn.Module"
        )
    return net


def _load_own(job: Job, folder: Path) -> object:
    """Loads the user's class. Raises ModelError, also if its module changes torch's default type."""
    usual = torch.get_default_dtype()
    try:
        kind = user_code.load(job.model, job.roots(folder))
        if (changed := torch.get_default_dtype()) != usual:
            raise ModelError(
                f"the module of {job.model} sets torch's default dtype to {str(changed).removeprefix('torch.')}; rows "
                "and the served model are float32",
                "remove torch.set_default_dtype; x.double() inside forward computes in float64",
            )
    finally:
        torch.set_default_dtype(usual)
    return kind


def count_network_outputs(job: Job, dataset: Dataset) -> int:
    """Returns the width of the network's own output. With bce, one number stands for two classes."""
    return 1 if find_loss_name(job, dataset) == "bce" else dataset.outputs


def check_answer(net: nn.Module, job: Job, dataset: Dataset, batch_BS: torch.Tensor, *, training: bool = False) -> None:
    """Raises ModelError unless the network answers these (standardised) rows with (B, K) numbers.

    It initialises a network with lazy layers. With `training`, it calls the network as a step does, which may change
    its buffers: use a network that is not needed afterwards.
    """
    expected = (len(batch_BS), count_network_outputs(job, dataset))
    net.train(training)
    given = (
        f"it was called with a batch of shape {tuple(batch_BS.shape)}; rows of this data set have shape {dataset.shape}"
    )
    if not batch_BS.is_floating_point():
        given += " and are whole numbers, which are ids here; store quantities as floating-point numbers"
    before = batch_BS.clone()
    with blame_model(job, job.model, given), torch.no_grad():
        answer = net(batch_BS)
    if not torch.equal(before.nan_to_num(), batch_BS.nan_to_num()):
        raise ModelError(
            f"{job.model} changes its input in place, and so the data set",
            "do not write to the input in forward: x = x * 2, not x *= 2; x.clamp(…), not x.clamp_(…)",
        )
    shape = tuple(answer.shape) if isinstance(answer, torch.Tensor) else None
    if shape != expected:
        found = f"an output of shape {shape}" if shape is not None else f"a {type(answer).__name__}"
        raise ModelError(
            f"{job.model} returns {found} for {len(batch_BS)} rows{' in training mode' if training else ''}; the loss "
            f"{find_loss_name(job, dataset)} on {dataset.name} needs one tensor of shape {expected}",
            _find_way_to_shape(shape, expected),
        )
    if not any(parameter.requires_grad for parameter in net.parameters()):
        raise ModelError(
            f"{job.model} has no parameters to train",
            f"make its layers in the constructor, which may take the arguments {', '.join(OFFERED)}",
        )


def _find_way_to_shape(shape: tuple[int, ...] | None, expected: tuple[int, int]) -> str:
    if shape is None:
        return "return one tensor from forward, in training and evaluation mode"
    if math.prod(shape) == math.prod(expected):
        return f"end forward with reshape(-1, {expected[1]}), and leave out squeeze()"
    return "take the width from the constructor's argument `outputs`"


def _find_parameters(kind: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(kind).parameters
    except (TypeError, ValueError):
        return {}
