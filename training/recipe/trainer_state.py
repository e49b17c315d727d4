"""State of a training loop in numbers: its counters, which a checkpoint keeps beside the tensors. No torch."""

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
    """Position and counters of a loop."""

    epoch: int = 0
    """Number of epochs done."""
    step: int = 0
    """Number of steps done of the current epoch."""
    summed_loss: float = 0.0
    """Sum of the losses of those steps' rows, each times its weight."""
    summed_weight: float = 0.0
    """Sum of the weights of those rows."""
    loss: float = math.inf
    """Mean training loss of the last finished epoch. With class weights, it is the weighted mean as in torch's losses.
    """
    history: list[dict[str, float]] = field(default_factory=list)
    """One entry for each finished epoch: loss, learningRate, and the validation rows' metrics as `validation.NAME`."""
    best_epoch: int = 0
    """Epoch whose weights early stopping keeps, counted from 1."""
    best: float | None = None
    """Metric of that epoch, with the sign changed if higher is better."""

    def add_steps(self, steps: int, summed_loss: float, summed_weight: float) -> None:
        """Counts steps of the current epoch."""
        self.step += steps
        self.summed_loss += summed_loss
        self.summed_weight += summed_weight

    def end_epoch(self, learning_rate: float) -> None:
        """Records the epoch's mean loss, and the rate of its last step."""
        self.loss = self.summed_loss / (self.summed_weight or 1.0)  # a Poisson draw may have no row
        self.history.append({"loss": self.loss, "learningRate": learning_rate})
        self.epoch, self.step = self.epoch + 1, 0
        self.summed_loss = self.summed_weight = 0.0

    def add_metrics(self, metrics: Mapping[str, float]) -> None:
        """Records the validation rows' metrics of the epoch that ended last."""
        self.history[-1] |= {f"{VALIDATION}{name}": value for name, value in metrics.items()}

    def improve(self, job: Job) -> bool:
        """Returns whether the last epoch is the best so far by the job's early-stopping metric, and records it if so.

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
    """Returns the reason why training ends here, or an empty text if it continues."""
    if state.step:
        return ""
    if job.stop_loss is not None and state.loss <= job.stop_loss:
        return STOP_LOSS_REACHED
    if state.epoch >= job.epochs:
        return EPOCHS_DONE
    patience = job.early_stopping.patience if job.early_stopping else math.inf
    return STOPPED_EARLY if state.best_epoch and state.epoch - state.best_epoch >= patience else ""


def find_metric(setting: str, metric: str, state: TrainerState) -> float:
    """Returns the metric of the validation rows after the last epoch, which `setting` names. Raises ModelError if it is
    missing.
    """
    last = state.history[-1]
    if f"{VALIDATION}{metric}" not in last:
        there = ", ".join(name.removeprefix(VALIDATION) for name in last if name.startswith(VALIDATION))
        raise ModelError(f"{setting} is {metric!r}, which is not available for these rows", f"allowed: {there}")
    return last[f"{VALIDATION}{metric}"]


def make_not_finite_error(what: str, state: TrainerState, job: Job) -> NonFiniteLossError:
    """Returns the error, with the advice that helps most often."""
    return NonFiniteLossError(
        f"{what} after epoch {state.epoch} of {job.epochs}, with learningRate {job.learning_rate:g}",
        f"lower learningRate, for instance to {job.learning_rate / 10:g}; a larger batchSize or a gradientClip "
        "also stabilises training",
    )
