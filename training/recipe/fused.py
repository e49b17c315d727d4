"""Steps of a dense network with its gradient written out, without building a graph in every step.

    forward     a ← relu(a · Wᵀ + b), layer after layer, the last one without relu
    backward    δ ← the loss's slope at the answer, then from the last layer to the first ∂W = δᵀ · a, ∂b = Σ δ,
                δ ← (δ · W) where a > 0
    update      the same as step.update

A step of a small network is nearly all overhead, so NumPy computes it, whose calls cost a fourth of torch's, with the
loss's slope of `losses`. A step of a larger one is mostly products, so torch computes it, with its threads and the
loss's slope by autograd. The job and the network alone determine the choice. Sums are rounded at other places than in
`step.make_runner`, so a run takes all its steps here or all of them there.

Shapes: B rows of a batch, I inputs and O outputs of a layer, K of the last, P numbers of all parameters.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import numpy as np
import torch
from torch import nn

from training.job import Job
from training.recipe.losses import Array, WrittenOut, write_out
from training.recipe.models.mlp import Mlp
from training.recipe.models.net import Net
from training.recipe.step import Loss, Runner, Weight, update

SMALL_PRODUCT: Final = 2**18
"""Largest number of multiplications of a product that NumPy computes: up to here, its BLAS always uses one thread."""
ALIGNED_NUMBERS: Final = 16
"""FP32 numbers in a cache line. Each parameter begins with one, as separate tensors do."""

Rows = TypeVar("Rows", Array, torch.Tensor)
Step = Callable[[Rows, Rows, Rows, float], float]
"""Takes all features, the batch's indices, its target and rate. Makes the step, and returns the mean loss before it."""


def find_dense_layers(net: nn.Module) -> list[nn.Linear] | None:
    """Returns the layers between ReLUs, if the network consists only of them and is trained completely."""
    modules: list[nn.Module]
    if type(net) is Net:
        modules = [net.hidden, net.output]
    elif type(net) is Mlp:
        modules = [*net.hidden, net.output]
    elif type(net) is nn.Sequential:
        inside = [one for at, one in enumerate(net) if at or type(one) is not nn.Flatten]
        if len(inside) % 2 == 0 or any(type(one) is not nn.ReLU for one in inside[1::2]):
            return None
        modules = inside[::2]
    else:
        return None
    layers = [one for one in modules if type(one) is nn.Linear and one.bias is not None]
    parameters = list(net.parameters())
    hooks = [one._forward_hooks or one._forward_pre_hooks or one._backward_hooks for one in net.modules()]  # noqa: SLF001
    trained = [one.requires_grad and one.dtype == torch.float32 and one.device.type == "cpu" for one in parameters]
    whole = len(modules) == len(layers) == len(parameters) / 2
    return layers if whole and all(trained) and not any(hooks) else None


def make_fused_runner(
    job: Job,
    layers: Sequence[nn.Linear],
    loss: Loss,
    weight: Weight,
    parameters: Sequence[torch.Tensor],
    velocities: Sequence[torch.Tensor],
) -> Runner:
    """Returns a runner like `step.make_runner`, for the layers of `find_dense_layers`.

    It moves parameters and velocities, which stay the same objects, next to each other, so that one operation covers
    all.
    """
    gradients = [torch.zeros_like(one, requires_grad=False) for one in parameters]
    theta_P, gradient_P = _lay_side_by_side(parameters), _lay_side_by_side(gradients)
    velocity_P = [_lay_side_by_side(velocities)] if velocities else []
    of = {id(one): gradient for one, gradient in zip(parameters, gradients, strict=True)}
    all_layers = [
        _Layer(layer.weight.detach(), layer.bias.detach(), of[id(layer.weight)], of[id(layer.bias)]) for layer in layers
    ]

    def descend(rate: float) -> None:
        update(job, [theta_P], velocity_P, [gradient_P], rate)

    slope_of_loss = write_out(loss)
    small = job.batch_size * max(layer.weight.numel() for layer in layers) <= SMALL_PRODUCT
    if small and slope_of_loss is not None:
        return _make_runner(
            lambda rows: _make_small_step(all_layers, slope_of_loss, rows, descend), torch.Tensor.numpy, weight
        )
    if velocities or job.gradient_clip is not None:
        return _make_runner(lambda rows: _make_large_step(all_layers, loss, rows, descend), torch.Tensor.detach, weight)
    within = partial(_make_large_step_within_products, all_layers, loss, weight_decay=job.weight_decay)
    return _make_runner(within, torch.Tensor.detach, weight)


def _make_runner(
    step_over: Callable[[int], Step[Rows]], view: Callable[[torch.Tensor], Rows], weight: Weight
) -> Runner:
    """Returns a runner with one prepared step for each batch size, over `view` of the rows."""
    steps: dict[int, Step[Rows]] = {}

    def run(
        features: torch.Tensor, target: torch.Tensor, batches: Sequence[torch.Tensor], rates: Sequence[float]
    ) -> tuple[float, float]:
        order = torch.cat(tuple(batches))
        flat, chosen, targets = view(features.flatten(1)), view(order), view(target[order])
        summed_loss, summed_weight, first = 0.0, 0.0, 0
        with torch.no_grad(), np.errstate(all="ignore"):  # the loop reports values that are not finite
            for batch, rate in zip(batches, rates, strict=True):
                rows = batch.shape[0]
                if rows not in steps:
                    steps[rows] = step_over(rows)
                last = first + rows
                y_B = targets[first:last]
                weight_of_batch = weight(y_B)
                summed_loss += steps[rows](flat, chosen[first:last], y_B, rate) * weight_of_batch
                summed_weight += weight_of_batch
                first = last
        return summed_loss, summed_weight

    return run


@dataclass(frozen=True)
class _Layer:
    """Weight (O, I) and bias (O,), with the places of their gradients."""

    weight: torch.Tensor
    bias: torch.Tensor
    weight_gradient: torch.Tensor
    bias_gradient: torch.Tensor


class _Places:
    """Places of a step's results for this number of rows: memory is allocated once, not in every step."""

    def __init__(self, layers: Sequence[_Layer], rows: int) -> None:
        self.x_BI = torch.empty(rows, layers[0].weight.shape[1])
        shapes = [(rows, len(layer.bias)) for layer in layers]
        self.activations = [torch.empty(one) for one in shapes]
        self.slopes = [torch.empty(one) for one in shapes]
        self.inputs = [self.x_BI, *self.activations[:-1]]


def _make_small_step(
    layers: Sequence[_Layer], slope_of_loss: WrittenOut, rows: int, descend: Callable[[float], None]
) -> Step[Array]:
    """Makes a step with NumPy, over the tensors' own memory."""
    places = _Places(layers, rows)
    x_BI, ones_B, zero = places.x_BI.numpy(), np.ones(rows, np.float32), np.zeros((), np.float32)
    forward: list[Callable[[], object]] = []
    backward: list[Callable[[], object]] = []
    for at, layer in enumerate(layers):
        a_BI, a_BO, delta_BO = (some[at].numpy() for some in (places.inputs, places.activations, places.slopes))
        weight_OI = layer.weight.numpy()
        forward += [
            partial(np.dot, a_BI, weight_OI.T, out=a_BO),
            partial(np.add, a_BO, layer.bias.numpy(), out=a_BO),
        ]
        gradients = [
            partial(np.dot, delta_BO.T, a_BI, out=layer.weight_gradient.numpy()),
            partial(np.dot, ones_B, delta_BO, out=layer.bias_gradient.numpy()),
        ]
        if at < len(layers) - 1:
            forward.append(partial(np.maximum, a_BO, zero, out=a_BO))
        if at:
            before_BI, positive_BI = places.slopes[at - 1].numpy(), np.empty(a_BI.shape, np.bool_)
            gradients += [
                partial(np.dot, delta_BO, weight_OI, out=before_BI),
                partial(np.greater, a_BI, zero, out=positive_BI),
                partial(np.multiply, before_BI, positive_BI, out=before_BI),
            ]
        backward[:0] = gradients
    slope = slope_of_loss(places.activations[-1], places.slopes[-1])

    def step(features: Array, batch: Array, y_B: Array, rate: float) -> float:
        features.take(batch, 0, x_BI, "clip")
        for operation in forward:
            operation()
        value = slope(y_B)
        for operation in backward:
            operation()
        descend(rate)
        return value

    return step


def _make_large_step(
    layers: Sequence[_Layer], loss: Loss, rows: int, descend: Callable[[float], None]
) -> Step[torch.Tensor]:
    """Makes a step with torch."""
    places = _Places(layers, rows)
    slope = _make_slope(loss, places)

    def step(features: torch.Tensor, batch: torch.Tensor, y_B: torch.Tensor, rate: float) -> float:
        _compute_answer(layers, places, features, batch)
        value = slope(y_B)
        for at in range(len(layers) - 1, -1, -1):
            torch.mm(places.slopes[at].T, places.inputs[at], out=layers[at].weight_gradient)
            torch.sum(places.slopes[at], 0, out=layers[at].bias_gradient)
            _pass_back(layers, places, at)
        descend(rate)
        return value

    return step


def _make_large_step_within_products(
    layers: Sequence[_Layer], loss: Loss, rows: int, weight_decay: float
) -> Step[torch.Tensor]:
    """Makes a step with torch if it is a multiple of the gradient: W ← (1 - rate · decay) W - rate · δᵀ · a, one
    product.
    """
    places = _Places(layers, rows)
    slope = _make_slope(loss, places)

    def step(features: torch.Tensor, batch: torch.Tensor, y_B: torch.Tensor, rate: float) -> float:
        _compute_answer(layers, places, features, batch)
        value = slope(y_B)
        kept = 1 - rate * weight_decay
        for at in range(len(layers) - 1, -1, -1):
            _pass_back(layers, places, at)
            layers[at].weight.addmm_(places.slopes[at].T, places.inputs[at], beta=kept, alpha=-rate)
            torch.sum(places.slopes[at], 0, out=layers[at].bias_gradient)
            if weight_decay:
                layers[at].bias.mul_(kept)
            layers[at].bias.add_(layers[at].bias_gradient, alpha=-rate)
        return value

    return step


def _compute_answer(layers: Sequence[_Layer], places: _Places, features: torch.Tensor, batch: torch.Tensor) -> None:
    """Forward pass; the answer is the last of `places.activations`."""
    torch.index_select(features, 0, batch, out=places.x_BI)
    for at, layer in enumerate(layers):
        torch.addmm(layer.bias, places.inputs[at], layer.weight.T, out=places.activations[at])
        if at < len(layers) - 1:
            places.activations[at].relu_()


def _pass_back(layers: Sequence[_Layer], places: _Places, at: int) -> None:
    """Returns δ of the layer before `at`, by the current weights."""
    if at:
        before_BI = places.slopes[at - 1]
        torch.mm(places.slopes[at], layers[at].weight, out=before_BI)
        torch.ops.aten.threshold_backward.grad_input(before_BI, places.inputs[at], 0, grad_input=before_BI)


def _make_slope(loss: Loss, places: _Places) -> Callable[[torch.Tensor], float]:
    """Returns the slope of any loss, by autograd over the loss alone."""
    answer_BK, slope_BK = places.activations[-1], places.slopes[-1]

    def slope(y_B: torch.Tensor) -> float:
        with torch.enable_grad():
            leaf_BK = answer_BK.detach().requires_grad_()
            mean = loss(leaf_BK, y_B)
        slope_BK.copy_(torch.autograd.grad(mean, leaf_BK)[0])
        return mean.item()

    return slope


def _lay_side_by_side(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Lays the tensors out in one vector, with zeros in between. They become views of it."""
    lengths = [-(-one.numel() // ALIGNED_NUMBERS) * ALIGNED_NUMBERS for one in tensors]
    vector_P = torch.zeros(sum(lengths))
    for one, part in zip(tensors, torch.split(vector_P, lengths), strict=True):
        place = part[: one.numel()].view(one.shape)
        place.copy_(one.detach())
        one.data = place
    return vector_P
