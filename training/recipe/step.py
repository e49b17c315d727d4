"""One step: loss of one batch → its gradient → clip → weight decay → momentum → a step downhill.

Shapes: B rows of a batch, S the shape of one row's features, K outputs.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)
# ruff: noqa: SLF001 (torch's own optimizers update all parameters at once by _foreach functions, and so does this)

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from training.job import Job

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Mean loss over a batch, of answers (B, K) and a target as in `dataset.Batch`."""
Gradient = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, list[torch.Tensor]]]
"""Function that returns a batch's mean loss, and one gradient for each trained parameter."""
Weight = Callable[[torch.Tensor | np.ndarray[Any, Any]], float]
"""Weight of a batch among others, by its target: its number of rows, or the sum of their classes' weights."""
Augment = Callable[[torch.Tensor], torch.Tensor]


class Runner(Protocol):
    """Takes one step for each rate, over the rows of the batch beside it.

    Returns the sum of each batch's mean loss before its step times its weight, and the sum of these weights.
    """

    def __call__(
        self, features: torch.Tensor, target: torch.Tensor, batches: Sequence[torch.Tensor], rates: Sequence[float]
    ) -> tuple[float, float]: ...


def make_gradient(job: Job, net: nn.Module, loss: Loss) -> Gradient:
    """Returns the gradient of the batch's mean loss, in the job's precision."""
    reduced = job.precision == "bf16"
    parameters = [parameter for parameter in net.parameters() if parameter.requires_grad]

    def gradient(x_BS: torch.Tensor, y_B: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        with torch.autocast(x_BS.device.type, torch.bfloat16, enabled=reduced):
            answer_BK = net(x_BS)
        mean = loss(answer_BK.float(), y_B)
        return mean.detach(), list(torch.autograd.grad(mean, parameters))

    return gradient


def accumulate(gradient: Gradient, batch_size: int, weight: Weight) -> Gradient:
    """Returns the gradient of more rows than one batch: the mean of the batches' gradients by weight, equal to that of
    one large batch.
    """

    def gradient_of_all(x_BS: torch.Tensor, y_B: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        mean, summed = torch.zeros((), device=x_BS.device), list[torch.Tensor]()
        for x_bS, y_b in zip(torch.split(x_BS, batch_size), torch.split(y_B, batch_size), strict=True):
            share = weight(y_b) / weight(y_B)
            mean_of_batch, gradients = gradient(x_bS, y_b)
            mean = mean + mean_of_batch * share
            torch._foreach_mul_(gradients, share)
            summed = list(torch._foreach_add(summed, gradients)) if summed else gradients
        return mean, summed

    return gradient_of_all


def make_runner(
    job: Job,
    gradient: Gradient,
    weight: Weight,
    augment: Augment | None,
    parameters: list[torch.Tensor],
    velocities: list[torch.Tensor],
) -> Runner:
    """Returns a runner that takes the textbook steps one by one."""

    def run(
        features: torch.Tensor, target: torch.Tensor, batches: Sequence[torch.Tensor], rates: Sequence[float]
    ) -> tuple[float, float]:
        summed_loss, summed_weight = 0.0, 0.0
        for batch, rate in zip(batches, rates, strict=True):
            chosen = batch.to(features.device)
            x_BS, y_B = features[chosen], target[chosen]
            if augment is not None:
                x_BS = augment(x_BS)
            loss, gradients = gradient(x_BS, y_B)
            with torch.no_grad():
                update(job, parameters, velocities, gradients, rate)
            weight_of_batch = weight(y_B)
            summed_loss += loss.item() * weight_of_batch
            summed_weight += weight_of_batch
        return summed_loss, summed_weight

    return run


def update(
    job: Job, parameters: list[torch.Tensor], velocities: list[torch.Tensor], gradients: list[torch.Tensor], rate: float
) -> None:
    """Takes one step: θ ← θ - rate · v with v ← momentum · v + (clipped gradient + weight decay · θ).

    It must be called under `torch.no_grad()`. `fused` has it as part of a product if there is no momentum or clipping.
    The definition is that of torch.optim.SGD (Sutskever et al. 2013, with the learning rate outside the velocity).
    """
    if job.gradient_clip is not None:
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        torch._foreach_mul_(gradients, (job.gradient_clip / (norm + 1e-6)).clamp(max=1.0))
    if job.weight_decay:
        gradients = list(torch._foreach_add(gradients, parameters, alpha=job.weight_decay))
    if velocities:
        torch._foreach_mul_(velocities, job.momentum)
        torch._foreach_add_(velocities, gradients)
        gradients = list(torch._foreach_add(gradients, velocities, alpha=job.momentum)) if job.nesterov else velocities
    torch._foreach_add_(parameters, gradients, alpha=-rate)
