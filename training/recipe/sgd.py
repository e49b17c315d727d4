"""The loop: stochastic gradient descent, repeatable bit for bit, which can stop and resume between stretches of steps.

    every epoch      draw an order of the rows
    every stretch    compute the rates, take the steps (step.py: forward, backward, clip, update), return to the caller
    every epoch      log the loss, measure the validation rows, keep the best weights, check whether to stop

It knows rows, a network and when to stop. It does not know the rows' source or the place of its checkpoints.

Shapes: B rows of a batch, S the shape of one row's features, K outputs.
"""

# ruff: noqa: N803 (names of tensors carry the letters of their shape)

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import torch
from torch import nn

from training.errors import ModelError
from training.job import Job
from training.recipe.datasets.dataset import Rows, TensorRows
from training.recipe.explain import blame_model
from training.recipe.fused import find_dense_layers, make_fused_runner
from training.recipe.models.cnn import Cnn
from training.recipe.module_state import (
    read_global_states,
    read_other_state,
    restore_global_states,
    restore_other_state,
    seed_all,
)
from training.recipe.schedule import Rates
from training.recipe.step import Gradient, Loss, Runner, Weight, accumulate, make_gradient, make_runner
from training.recipe.trainer_state import TrainerState, find_stop_reason, make_not_finite_error

STRETCH_OPERATIONS: Final = 2e9
"""Multiplications between two looks at the clock: some tenths of a second. The job determines it, never the clock, so
that an interrupted run passes through the same states.
"""

NET: Final = "net."
VELOCITY: Final = "velocity."
BEST: Final = "best."
GENERATOR: Final = "generator"
NOISE: Final = "noise"
RANDOM: Final = "random"
GLOBAL: Final = "global."
OTHER: Final = "other."

Draw = Callable[[int, torch.Generator], Sequence[torch.Tensor]]
"""Function that draws the rows of each step of an epoch, as indices into this many rows."""


class Generator(Protocol):
    """Source of random numbers with the interface of torch.Generator."""

    def get_state(self) -> torch.Tensor: ...

    def set_state(self, state: torch.Tensor) -> object: ...


@dataclass(frozen=True)
class GradientMethod:
    """Method of drawing batches and computing their gradient. The defaults are plain stochastic gradient descent."""

    gradient: Gradient | None = None
    """Gradient function. None means the gradient of the batch's mean loss."""
    draw: Draw | None = None
    """Draw of the batches. None means all rows in a new order, `rows_per_step` at a time."""
    noise: Generator | None = None
    """Generator of the noise that `gradient` adds."""
    spend: Callable[[int], Mapping[str, float]] = lambda epochs: {}
    """Returns the privacy budget that the epochs spend."""


@dataclass(frozen=True)
class LoopResult:
    """A network after its last epoch."""

    model: nn.Module
    state: TrainerState
    stop_reason: str
    spent: Mapping[str, float]
    """Privacy budget spent: epsilon, delta and noise_multiplier."""


@dataclass(eq=False)
class Loop:
    """One training loop, from any state to its end."""

    job: Job
    net: nn.Module
    rows: Rows
    generator: torch.Generator
    """Generator of the order of the rows."""
    loss: Loss
    weight: Weight = len
    """Weight that `loss` divides by."""
    method: GradientMethod = GradientMethod()
    augment: Callable[[torch.Tensor, torch.Generator], torch.Tensor] | None = None
    """Returns other features for a batch. Its generator is seeded like the job."""
    validate: Callable[[], Mapping[str, float]] | None = None
    """Returns metrics of the validation rows for the current network."""
    deployed: nn.Module | None = None
    """The network with the deployed scales around it. None means the network alone."""
    state: TrainerState = field(default_factory=TrainerState, init=False)
    stop_reason: str = field(default="", init=False)
    """Reason why it ended, set after the last epoch."""

    def __post_init__(self) -> None:
        if type(self.net) is Cnn and all(one.device.type == "cpu" for one in self.net.parameters()):
            # the layout that convolutions on a processor prefer, a third faster; a user's network may use `view`, which
            # fails on it
            self.net.to(memory_format=torch.channels_last)
        named = {name: one for name, one in self.net.named_parameters() if one.requires_grad}
        self._velocities = {name: torch.zeros_like(one) for name, one in named.items()} if self.job.momentum else {}
        self._best: dict[str, torch.Tensor] = {}
        self._epoch_began = self.generator.get_state()
        self._augmenting = torch.Generator().manual_seed(self.job.seed)
        self._noise: Generator = self.method.noise or self._augmenting
        self._take_steps = self._make_runner(list(named.values()))

    def epochs(self) -> Iterator[bool]:
        """Yields True after each epoch, and False after each stretch of steps within a long one. The caller may look at
        `state`, save it with `state_dict()`, and leave at any time.

        Raises NonFiniteLossError, and ModelError for errors of the user's code.
        """
        job, state, steps = self.job, self.state, math.ceil(len(self.rows) / self.job.rows_per_step)
        rates = Rates(job, steps)
        self.stop_reason = find_stop_reason(job, state)
        with blame_model(job, job.model, "correct the model's code"):
            while not self.stop_reason:
                self.net.train()
                self._epoch_began = self.generator.get_state()
                for features, target, batches in self._stretches(steps):
                    rates_now = rates.of(state.epoch, state.step, state.step + len(batches))
                    summed_loss, summed_weight = self._take_steps(features, target, batches, rates_now)
                    state.add_steps(len(batches), summed_loss, summed_weight)
                    if state.step < steps:
                        yield False
                state.end_epoch(rates.of(state.epoch, steps - 1, steps)[0])
                if self.validate is not None:
                    state.add_metrics(self.validate())
                    if state.improve(job):
                        self._best = {name: one.clone() for name, one in self.net.state_dict().items()}
                self._check_finite()
                self.stop_reason = find_stop_reason(job, state)
                yield True
            if self._best:
                self.net.load_state_dict(self._best)

    def result(self) -> LoopResult:
        """Returns the network, after `epochs` has ended."""
        if not self.stop_reason:
            raise AssertionError("internal error: the loop has not ended")
        model = (self.deployed or self.net).cpu().to(memory_format=torch.contiguous_format)
        return LoopResult(model, self.state, self.stop_reason, self.method.spend(self.state.epoch))

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Returns everything besides the numeric state that a run needs to continue as if it had never stopped."""
        mid_epoch = self.state.step > 0
        return {
            **{f"{NET}{name}": one.contiguous() for name, one in self.net.state_dict().items()},
            **{f"{VELOCITY}{name}": one.contiguous() for name, one in self._velocities.items()},
            **{f"{BEST}{name}": one.contiguous() for name, one in self._best.items()},
            GENERATOR: self._epoch_began if mid_epoch else self.generator.get_state(),
            NOISE: self._noise.get_state(),
            RANDOM: torch.get_rng_state(),
            **{f"{GLOBAL}{name}": one for name, one in read_global_states().items()},
            **{f"{OTHER}{name}": one for name, one in read_other_state(self.net).items()},
        }

    def load_state_dict(self, state: TrainerState, tensors: Mapping[str, torch.Tensor]) -> None:
        """Restores a `state_dict`, in place, to continue from there. Raises ModelError if it belongs to another
        network.
        """
        self.state = state
        try:
            self.net.load_state_dict(_select(tensors, NET))
        except RuntimeError as error:
            raise ModelError(
                "the checkpoint belongs to another architecture: " + " ".join(str(error).split()),
                "set retrainTrigger to a new text, so that the run starts again from the beginning",
            ) from error
        for name, velocity in _select(tensors, VELOCITY).items():
            self._velocities[name].copy_(velocity)
        self._best = _select(tensors, BEST)
        self.generator.set_state(tensors[GENERATOR])
        self._noise.set_state(tensors[NOISE])
        torch.set_rng_state(tensors[RANDOM])
        restore_global_states(_select(tensors, GLOBAL))
        restore_other_state(self.net, _select(tensors, OTHER))

    def _stretches(self, steps: int) -> Iterator[tuple[torch.Tensor, torch.Tensor, Sequence[torch.Tensor]]]:
        """Yields the rest of the epoch as rows and their batches, in pieces short enough to look at the clock in
        between.
        """
        rows, rows_per_step, first = self.rows, self.job.rows_per_step, self.state.step
        if isinstance(rows, TensorRows):
            batches = (self.method.draw or _shuffle(rows_per_step))(len(rows), self.generator)
            at_once = _count_steps_at_once(self.net, rows, rows_per_step)
            for at in range(first, steps, at_once):
                yield rows.features, rows.target, batches[at : at + at_once]
        else:
            for features, target in rows.batches(rows_per_step, self.generator, skip=first):
                yield features, target, [torch.arange(len(features))]

    def _check_finite(self) -> None:
        """Raises NonFiniteLossError if the loss or a weight is not finite."""
        if not math.isfinite(self.state.loss):
            spelt = "NaN" if math.isnan(self.state.loss) else "infinite"
            raise make_not_finite_error(f"the training loss became {spelt}", self.state, self.job)
        if not is_finite(self.net):
            raise make_not_finite_error("the weights became NaN or infinite", self.state, self.job)

    def _make_runner(self, parameters: list[torch.Tensor]) -> Runner:
        """Returns the fused runner for a dense network's plain descent, whose gradient it knows, otherwise the general
        one.
        """
        job, velocities = self.job, list(self._velocities.values())
        other = self.method.gradient or self.augment or job.precision != "fp32" or job.accumulate_steps
        layers = None if other else find_dense_layers(self.net)
        if layers is not None:
            return make_fused_runner(job, layers, self.loss, self.weight, parameters, velocities)
        gradient = self.method.gradient or make_gradient(job, self.net, self.loss)
        if job.accumulate_steps:
            gradient = accumulate(gradient, job.batch_size, self.weight)
        augment, augmenting = self.augment, self._augmenting
        augment_batch = None if augment is None else lambda x_BS: augment(x_BS, augmenting)
        return make_runner(job, gradient, self.weight, augment_batch, parameters, velocities)


def make_repeatable(job: Job) -> torch.Generator:
    """Fixes everything that could differ between two runs. The generator is for the split and then for the shuffling.

    `set_deterministic_debug_mode("error")` equals `use_deterministic_algorithms(True)` without the compiler's settings.
    The latter imports the compiler, which takes longer than a small run and compiles nothing here.
    """
    torch.set_deterministic_debug_mode("error" if job.deterministic else "default")
    torch.set_num_threads(job.threads)
    seed_all(job.seed)
    return torch.Generator().manual_seed(job.seed)


def is_finite(net: nn.Module) -> bool:
    """Returns whether all weights are finite. A sum with a non-finite number is not finite; weights are checked one by
    one only if a sum is not.
    """
    parameters = [parameter.detach() for parameter in net.parameters()]
    return math.isfinite(sum(one.sum().item() for one in parameters)) or all(
        bool(one.isfinite().all()) for one in parameters
    )


def _shuffle(rows_per_step: int) -> Draw:
    """Draws all rows once, in random order."""
    return lambda count, generator: torch.split(torch.randperm(count, generator=generator), rows_per_step)


def _count_steps_at_once(net: nn.Module, rows: TensorRows, rows_per_step: int) -> int:
    """Returns the number of steps with about STRETCH_OPERATIONS together: three passes that use each weight at every
    place.
    """
    weights = sum(parameter.numel() for parameter in net.parameters())
    places = math.prod(rows.features.shape[2:])
    return max(1, int(STRETCH_OPERATIONS / max(1, 3 * weights * places * rows_per_step)))


def _select(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}
