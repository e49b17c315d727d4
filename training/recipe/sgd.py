"""The loop: stochastic gradient descent, repeatable bit for bit, which can stop and go on between stretches of steps.

    every epoch   draw an order of the rows
    every step    what step.py says

It knows rows, a network and when to stop; not where rows come from nor where its state is kept.

Shapes: B rows of a batch, S the shape of one row's features, K outputs.
"""

# ruff: noqa: N803 (names of tensors carry the letters of their shape)

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import torch
from torch import nn

from training.errors import ModelError, NonFiniteLossError
from training.job import Job
from training.options import METRICS, VALIDATION
from training.recipe.datasets.dataset import Rows, TensorRows
from training.recipe.fused import dense_layers, fused_runner
from training.recipe.models.cnn import Cnn
from training.recipe.module_state import (
    global_states,
    other_state,
    restore_global_states,
    restore_other_state,
    seed_all,
)
from training.recipe.schedule import Rates
from training.recipe.step import Augment, Gradient, Loss, Mass, Runner, accumulate, plain_gradient, plain_runner

EPOCHS_DONE: Final = "epochs"
STOP_LOSS_REACHED: Final = "stopLoss"
STOPPED_EARLY: Final = "earlyStopping"
STRETCH_OPERATIONS: Final = 2e9
"""Multiplications between two looks at the clock: some tenths of a second. The job decides, never the clock, so that an
interrupted run passes through the same states."""

NET: Final = "net."
VELOCITY: Final = "velocity."
BEST: Final = "best."
GENERATOR: Final = "generator"
NOISE: Final = "noise"
RANDOM: Final = "random"
GLOBAL: Final = "global."
OTHER: Final = "other."

Draw = Callable[[int, torch.Generator], Sequence[torch.Tensor]]
"""The rows of each step of an epoch, as indices into so many rows."""


@dataclass
class Position:
    """How far a run is."""

    epoch: int = 0
    """Epochs done."""
    step: int = 0
    """Steps done of the epoch that is under way."""
    summed_loss: float = 0.0
    """Over the rows of those steps, each counted by its mass."""
    summed_mass: float = 0.0
    """Of those rows."""
    loss: float = math.inf
    """Mean training loss of the last epoch done; with class weights the weighted mean, as torch's losses have it."""
    history: list[dict[str, float]] = field(default_factory=list)
    """One entry for each epoch done: loss, learningRate, and the validation rows' metrics as `validation.NAME`."""
    best_epoch: int = 0
    """Counted from 1; the epoch whose weights early stopping keeps."""
    best: float | None = None


class Chance(Protocol):
    """A source of random numbers, as torch.Generator is one."""

    def get_state(self) -> torch.Tensor: ...

    def set_state(self, state: torch.Tensor) -> object: ...


@dataclass(frozen=True)
class Descent:
    """All that a run descends with."""

    job: Job
    net: nn.Module
    rows: Rows
    generator: torch.Generator
    """Draws the order of the rows."""
    loss: Loss
    mass: Mass = len
    """What `loss` divides by."""
    gradient: Gradient | None = None
    """None: the gradient of the batch's mean loss."""
    draw: Draw | None = None
    """None: all rows in a new order, `rows_per_step` at a time."""
    augment: Callable[[torch.Tensor, torch.Generator], torch.Tensor] | None = None
    """Other features for a batch's, drawn by a generator that is seeded as the job is."""
    noise: "Chance | None" = None
    """Draws what `gradient` adds."""
    validate: Callable[[], Mapping[str, float]] | None = None
    """Metrics of the validation rows, as the network is now."""


class Loop:
    """Descends from wherever it was restored to."""

    def __init__(self, descent: Descent) -> None:
        self._descent = descent
        if type(descent.net) is Cnn and all(one.device.type == "cpu" for one in descent.net.parameters()):
            # As convolutions on a processor want it: a third less time. A user's may not bear it: `view` raises.
            descent.net.to(memory_format=torch.channels_last)
        self.position = Position()
        self.stop_reason = ""
        """Why it stops, once its last epoch is done."""
        named = {name: one for name, one in descent.net.named_parameters() if one.requires_grad}
        self._velocities = {name: torch.zeros_like(one) for name, one in named.items()} if descent.job.momentum else {}
        self._best: dict[str, torch.Tensor] = {}
        self._epoch_began = descent.generator.get_state()
        self._augmenting = torch.Generator().manual_seed(descent.job.seed)
        self._noise: Chance = descent.noise or self._augmenting
        self._runner = self._runner_for(list(named.values()))

    @property
    def rows(self) -> int:
        """Of an epoch."""
        return len(self._descent.rows)

    def epochs(self) -> Iterator[bool]:
        """Yields True after each epoch; within a long one, False after each stretch of steps. Whoever iterates looks at
        `position`, keeps `state()` if it will, and may leave at any time.

        Raises NonFiniteLossError, and whatever the network raises.
        """
        job, position = self._descent.job, self.position
        self.stop_reason = self._stop_reason()
        while not self.stop_reason:
            self._descent.net.train()
            yield from self._stretches_of_an_epoch()
            if not math.isfinite(position.loss):
                raise not_finite(f"the training loss became {_spell(position.loss)}", position, job)
            if not _finite(self._descent.net):
                raise not_finite("weights became NaN or infinite", position, job)
            self.stop_reason = self._stop_reason()
            yield True
        if self._best:
            self._descent.net.load_state_dict(self._best)

    def state(self) -> dict[str, torch.Tensor]:
        """All that a run needs, beside its position, to go on as if it had never stopped."""
        mid_epoch = self.position.step > 0
        return {
            **{f"{NET}{name}": one.contiguous() for name, one in self._descent.net.state_dict().items()},
            **{f"{VELOCITY}{name}": one.contiguous() for name, one in self._velocities.items()},
            **{f"{BEST}{name}": one.contiguous() for name, one in self._best.items()},
            GENERATOR: self._epoch_began if mid_epoch else self._descent.generator.get_state(),
            NOISE: self._noise.get_state(),
            RANDOM: torch.get_rng_state(),
            **{f"{GLOBAL}{name}": one for name, one in global_states().items()},
            **{f"{OTHER}{name}": one for name, one in other_state(self._descent.net).items()},
        }

    def restore(self, position: Position, saved: Mapping[str, torch.Tensor]) -> None:
        """Puts a `state` back, in place. Raises ModelError if it is another network's."""
        self.position = position
        try:
            self._descent.net.load_state_dict(_within(saved, NET))
        except RuntimeError as error:
            raise ModelError(
                "the checkpoint is of another architecture: " + " ".join(str(error).split()),
                "set retrainTrigger to a new text: the run then starts anew",
            ) from error
        for name, velocity in _within(saved, VELOCITY).items():
            self._velocities[name].copy_(velocity)
        self._best = _within(saved, BEST)
        self._descent.generator.set_state(saved[GENERATOR])
        self._noise.set_state(saved[NOISE])
        torch.set_rng_state(saved[RANDOM])
        restore_global_states(_within(saved, GLOBAL))
        restore_other_state(self._descent.net, _within(saved, OTHER))

    def _stretches_of_an_epoch(self) -> Iterator[bool]:
        """One pass over the rows, or what is left of it; False between its stretches."""
        job, position, rows = self._descent.job, self.position, self._descent.rows
        steps = math.ceil(len(rows) / job.rows_per_step)
        rates = Rates(job, steps)
        self._epoch_began = self._descent.generator.get_state()
        for features, target, batches in self._stretches(steps):
            last = position.step + len(batches)
            rates_now = rates.of(position.epoch, position.step, last)
            summed_loss, summed_mass = self._runner(features, target, batches, rates_now)
            position.summed_loss += summed_loss
            position.summed_mass += summed_mass
            position.step = last
            if last < steps:
                yield False
        position.loss = position.summed_loss / (position.summed_mass or 1.0)  # chance may draw no row at all
        position.history.append({"loss": position.loss, "learningRate": rates.of(position.epoch, steps - 1, steps)[0]})
        position.epoch, position.step = position.epoch + 1, 0
        position.summed_loss = position.summed_mass = 0.0
        if self._descent.validate is not None:
            self._validate(self._descent.validate)

    def _stretches(self, steps: int) -> Iterator[tuple[torch.Tensor, torch.Tensor, Sequence[torch.Tensor]]]:
        """What is left of the epoch, in pieces short enough to look at the clock in between: rows and their batches."""
        job, rows, done = self._descent.job, self._descent.rows, self.position.step
        if isinstance(rows, TensorRows):
            batches = (self._descent.draw or _shuffle(job.rows_per_step))(len(rows), self._descent.generator)
            at_once = _steps_at_once(self._descent.net, rows, job.rows_per_step)
            for first in range(done, steps, at_once):
                yield rows.features, rows.target, batches[first : first + at_once]
        else:
            for features, target in rows.batches(job.rows_per_step, self._descent.generator, skip=done):
                yield features, target, [torch.arange(len(features))]

    def _validate(self, validate: Callable[[], Mapping[str, float]]) -> None:
        """Notes the validation rows' metrics, and the weights if they are the best so far."""
        position, stopping = self.position, self._descent.job.early_stopping
        position.history[-1] |= {f"{VALIDATION}{name}": value for name, value in validate().items()}
        if stopping is None:
            return
        value = find_metric("earlyStopping.metric", stopping.metric, position) * (
            1 if METRICS[stopping.metric] == "down" else -1
        )
        if position.best is None or value < position.best - stopping.minimum_change:
            position.best, position.best_epoch = value, position.epoch
            self._best = {name: one.clone() for name, one in self._descent.net.state_dict().items()}

    def _runner_for(self, parameters: list[torch.Tensor]) -> Runner:
        """The fused one if this is a dense network's plain descent, whose gradient it knows."""
        descent, velocities = self._descent, list(self._velocities.values())
        other = descent.gradient or descent.augment or descent.job.precision != "fp32" or descent.job.accumulate_steps
        layers = None if other else dense_layers(descent.net)
        if layers is not None:
            return fused_runner(descent.job, layers, descent.loss, descent.mass, parameters, velocities)
        gradient = descent.gradient or plain_gradient(descent.job, descent.net, descent.loss)
        if descent.job.accumulate_steps:
            gradient = accumulate(gradient, descent.job.batch_size, descent.mass)
        return plain_runner(descent.job, gradient, descent.mass, self._augment(), parameters, velocities)

    def _augment(self) -> Augment | None:
        augment, augmenting = self._descent.augment, self._augmenting
        return None if augment is None else lambda x_BS: augment(x_BS, augmenting)

    def _stop_reason(self) -> str:
        """Empty if it goes on."""
        job, position = self._descent.job, self.position
        if position.step:
            return ""
        if job.stop_loss is not None and position.loss <= job.stop_loss:
            return STOP_LOSS_REACHED
        if position.epoch >= job.epochs:
            return EPOCHS_DONE
        patient = job.early_stopping.patience if job.early_stopping else math.inf
        return STOPPED_EARLY if position.best_epoch and position.epoch - position.best_epoch >= patient else ""


def make_repeatable(job: Job) -> torch.Generator:
    """Fixes all that could differ between two runs; the generator is for the split and then for the shuffling.

    `set_deterministic_debug_mode("error")` is `use_deterministic_algorithms(True)` without the compiler's settings:
    that one imports the compiler, which takes longer than a small run and compiles nothing here.
    """
    torch.set_deterministic_debug_mode("error" if job.deterministic else "default")
    torch.set_num_threads(job.threads)
    seed_all(job.seed)
    return torch.Generator().manual_seed(job.seed)


def find_metric(setting: str, metric: str, position: Position) -> float:
    """The metric of the validation rows after the last epoch, which `setting` names. Raises ModelError without one."""
    last = position.history[-1]
    if f"{VALIDATION}{metric}" not in last:
        there = ", ".join(name.removeprefix(VALIDATION) for name in last if name.startswith(VALIDATION))
        raise ModelError(f"{setting} is {metric!r}, which these rows have not", f"allowed: {there}")
    return last[f"{VALIDATION}{metric}"]


def _shuffle(rows_per_step: int) -> Draw:
    """All rows once, in an order that the generator draws."""
    return lambda count, generator: torch.split(torch.randperm(count, generator=generator), rows_per_step)


def _steps_at_once(net: nn.Module, rows: TensorRows, rows_per_step: int) -> int:
    """Steps of about STRETCH_OPERATIONS together: three passes, in which each weight is used at every place."""
    weights = sum(parameter.numel() for parameter in net.parameters())
    places = math.prod(rows.features.shape[2:])
    return max(1, int(STRETCH_OPERATIONS / max(1, 3 * weights * places * rows_per_step)))


def _finite(net: nn.Module) -> bool:
    """Whether all weights are. A sum of numbers of which one is not is not; all are looked at only if a sum is not."""
    parameters = [parameter.detach() for parameter in net.parameters()]
    return math.isfinite(sum(one.sum().item() for one in parameters)) or all(
        bool(one.isfinite().all()) for one in parameters
    )


def _within(saved: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): one for name, one in saved.items() if name.startswith(prefix)}


def _spell(loss: float) -> str:
    return "NaN" if math.isnan(loss) else "infinite"


def not_finite(what: str, position: Position, job: Job) -> NonFiniteLossError:
    """The error that says so, with the advice that helps most often."""
    return NonFiniteLossError(
        f"{what} after epoch {position.epoch} of {job.epochs}, with learningRate {job.learning_rate:g}",
        f"lower learningRate, for instance to {job.learning_rate / 10:g}; a larger batchSize or a gradientClip "
        "also steadies the descent",
    )
