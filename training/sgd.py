"""The loop: plain stochastic gradient descent, repeatable bit for bit and able to go on from any epoch's end.

It knows rows, a network and when to stop; not where rows come from nor where its state is kept.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import nn
from torch.nn import functional

from training.errors import NonFiniteLossError
from training.job import Job

EPOCHS_DONE: Final = "epochs"
STOP_LOSS_REACHED: Final = "stopLoss"
GENERATOR: Final = "generator"
"""The state's name for the shuffling's random state; parameters have a dot in theirs."""


@dataclass
class Position:
    """How far a run is. `loss` is the mean training loss of the last epoch done."""

    epoch: int = 0
    loss: float = math.inf


def make_repeatable(job: Job) -> torch.Generator:
    """Fixes all that could differ between two runs; the generator is for the split and then for the shuffling.

    `set_deterministic_debug_mode("error")` is `use_deterministic_algorithms(True)` without the compiler's settings:
    that one imports the compiler, which takes longer than the whole run and compiles nothing here.
    """
    torch.set_deterministic_debug_mode("error")
    torch.set_num_threads(job.threads)
    torch.manual_seed(job.seed)
    return torch.Generator().manual_seed(job.seed)


def descend(
    net: nn.Module,
    features_RF: torch.Tensor,
    target: torch.Tensor,
    job: Job,
    generator: torch.Generator,
    position: Position,
    after_epoch: Callable[[], None],
) -> str:
    """Trains `net` in place from `position` on, which it advances; returns why it stopped.

    Features and target are standardised; `target` is (R, 1) floats (squared error) or (R,) classes (cross-entropy).
    Raises NonFiniteLossError, and whatever `after_epoch` raises.
    """
    loss_function = functional.mse_loss if target.is_floating_point() else functional.cross_entropy
    parameters = list(net.parameters())
    net.train()
    while position.epoch < job.epochs and not _reached(position.loss, job.stop_loss):
        order_R = torch.randperm(len(features_RF), generator=generator)
        summed_loss = 0.0
        batches = zip(*(torch.split(rows[order_R], job.batch_size) for rows in (features_RF, target)), strict=True)
        for x_BF, y_B in batches:
            loss = loss_function(net(x_BF), y_B)
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter.sub_(gradient, alpha=job.learning_rate)
            summed_loss += loss.item() * len(x_BF)
        position.loss = summed_loss / len(features_RF)
        position.epoch += 1
        if not math.isfinite(position.loss):
            raise not_finite(f"the training loss became {_spelt(position.loss)}", position, job)
        if not all(parameter.isfinite().all() for parameter in parameters):
            raise not_finite("weights became NaN or infinite", position, job)
        after_epoch()
    return STOP_LOSS_REACHED if _reached(position.loss, job.stop_loss) else EPOCHS_DONE


def state(net: nn.Module, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """All that a run needs, beside its position, to go on as if it had never stopped."""
    return {**net.state_dict(), GENERATOR: generator.get_state()}


def restore(net: nn.Module, generator: torch.Generator, saved: Mapping[str, torch.Tensor]) -> None:
    """Puts a `state` back, in place."""
    net.load_state_dict({name: tensor for name, tensor in saved.items() if name != GENERATOR})
    generator.set_state(saved[GENERATOR])


def _reached(loss: float, stop_loss: float | None) -> bool:
    return stop_loss is not None and loss <= stop_loss


def _spelt(loss: float) -> str:
    return "NaN" if math.isnan(loss) else "infinite"


def not_finite(what: str, position: Position, job: Job) -> NonFiniteLossError:
    """The error that says so, with the advice that helps most often."""
    return NonFiniteLossError(
        f"{what} after epoch {position.epoch} of {job.epochs}, with learningRate {job.learning_rate:g}",
        f"lower learningRate, for instance to {job.learning_rate / 10:g}; a larger batchSize also steadies the descent",
    )
