"""How far a training is, in numbers: what the loop counts, and its checkpoint keeps beside the tensors. No torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from training.errors import ModelError, NonFiniteLossError
from training.job import Job
from training.options import METRICS, VALIDATION

EPOCHS_DONE: Final = "epochs"
STOP_LOSS_REACHED: Final = "stopLoss"
STOPPED_EARLY: Final = "earlyStopping"


@dataclass
class TrainerState:
    """Where the loop is."""

    epoch: int = 0
    """Epochs done."""
    step: int = 0
    """Steps done of the epoch that is under way."""
    summed_loss: float = 0.0
    """Over the rows of those steps, each counted by its weight."""
    summed_weight: float = 0.0
    """Of those rows."""
    loss: float = math.inf
    """Mean training loss of the last epoch done; with class weights the weighted mean, as torch's losses have it."""
    history: list[dict[str, float]] = field(default_factory=list)
    """One entry for each epoch done: loss, learningRate, and the validation rows' metrics as `validation.NAME`."""
    best_epoch: int = 0
    """Counted from 1; the epoch whose weights early stopping keeps."""
    best: float | None = None
    """Its metric, with the sign changed where more is better."""

    def add_steps(self, steps: int, summed_loss: float, summed_weight: float) -> None:
        """Counts steps of the epoch that is under way."""
        self.step += steps
        self.summed_loss += summed_loss
        self.summed_weight += summed_weight

    def end_epoch(self, learning_rate: float) -> None:
        """Notes the epoch's mean loss, and the rate of its last step."""
        self.loss = self.summed_loss / (self.summed_weight or 1.0)  # a Poisson draw may have no row at all
        self.history.append({"loss": self.loss, "learningRate": learning_rate})
        self.epoch, self.step = self.epoch + 1, 0
        self.summed_loss = self.summed_weight = 0.0

    def add_metrics(self, metrics: Mapping[str, float]) -> None:
        """Notes the validation rows' metrics after the epoch that was ended last."""
        self.history[-1] |= {f"{VALIDATION}{name}": value for name, value in metrics.items()}

    def improve(self, job: Job) -> bool:
        """Whether the last epoch is the best so far, by the metric of the job's early stopping; notes it if it is.

        Raises ModelError without such a metric.
        """
        stopping = job.early_stopping
        if stopping is None:
            return False
        value = find_metric("earlyStopping.metric", stopping.metric, self)
        value = value if METRICS[stopping.metric] == "down" else -value
        if self.best is not None and value >= self.best - stopping.minimum_change:
            return False
        self.best, self.best_epoch = value, self.epoch
        return True


def find_stop_reason(job: Job, state: TrainerState) -> str:
    """Why a training stops here; empty if it goes on."""
    if state.step:
        return ""
    if job.stop_loss is not None and state.loss <= job.stop_loss:
        return STOP_LOSS_REACHED
    if state.epoch >= job.epochs:
        return EPOCHS_DONE
    patience = job.early_stopping.patience if job.early_stopping else math.inf
    return STOPPED_EARLY if state.best_epoch and state.epoch - state.best_epoch >= patience else ""


def find_metric(setting: str, metric: str, state: TrainerState) -> float:
    """The metric of the validation rows after the last epoch, which `setting` names. Raises ModelError without one."""
    last = state.history[-1]
    if f"{VALIDATION}{metric}" not in last:
        there = ", ".join(name.removeprefix(VALIDATION) for name in last if name.startswith(VALIDATION))
        raise ModelError(f"{setting} is {metric!r}, which is not available for these rows", f"allowed: {there}")
    return last[f"{VALIDATION}{metric}"]


def make_not_finite_error(what: str, state: TrainerState, job: Job) -> NonFiniteLossError:
    """The error that says so, with the advice that helps most often."""
    return NonFiniteLossError(
        f"{what} after epoch {state.epoch} of {job.epochs}, with learningRate {job.learning_rate:g}",
        f"lower learningRate, for instance to {job.learning_rate / 10:g}; a larger batchSize or a gradientClip "
        "also stabilises training",
    )
