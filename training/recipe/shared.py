"""Gradient of one batch computed by several workers, over gloo on CPUs and NCCL on GPUs. It does not start them."""

# ruff: noqa: N803 (names of tensors carry the letters of their shape)

import torch
import torch.distributed
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from training.recipe.step import Gradient, Loss, Weight


def make_shared_gradient(net: nn.Module, loss: Loss, weight: Weight, parameters: list[torch.Tensor]) -> Gradient:
    """Returns the gradient of a batch's mean loss, to which each worker contributes its share of the rows.

    Shares differ by a row if the batch does not divide evenly. Each mean counts by its weight, so that the average over
    workers is the mean over the batch. A worker without a row uses the first one with the weight 0.
    """
    together = DistributedDataParallel(net)
    world, mine = torch.distributed.get_world_size(), torch.distributed.get_rank()

    def gradient(x_BS: torch.Tensor, y_B: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        share = slice(mine, None, world) if mine < len(x_BS) else slice(0, 1)
        share_of_loss = weight(y_B[share]) * world / weight(y_B) if mine < len(x_BS) else 0.0
        for parameter in parameters:
            parameter.grad = None
        mean = loss(together(x_BS[share]), y_B[share]) * share_of_loss
        torch.autograd.backward(mean)
        batch_mean = mean.detach().clone()
        torch.distributed.all_reduce(batch_mean)
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        return batch_mean / world, gradients

    return gradient
