"""Losses and metrics of each task, and the settings of a run that name one of another task.

Standard library only: a preview refuses what the settings alone show. The rest is refused once the data is read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from sealift.settings import Clash
from training import sources
from training.options import Task

if TYPE_CHECKING:  # it imports this
    from training.job import Job

METRICS_OF: Final[Mapping[Task, tuple[str, ...]]] = {
    "regression": ("loss", "mse", "mae", "r2"),
    "classification": ("loss", "accuracy", "balancedAccuracy", "f1", "auroc"),
}
LOSSES_OF: Final[Mapping[Task, tuple[str, ...]]] = {
    "regression": ("mse", "mae", "huber"),
    "classification": ("crossEntropy", "bce"),
}
GATED: Final = "gates.metrics"
MEASURED_WHILE_TRAINING: Final = ("earlyStopping.metric", "search.metric")
"""Settings whose metrics are measured on the validation rows. All others are measured on held-out rows."""


@dataclass(frozen=True)
class KnownTask:
    """A task, and the reason why it is known: "data.task is 'regression'"."""

    name: Task
    since: str


def find_known_task(job: "Job") -> KnownTask | None:
    """Returns the task if the settings alone determine it."""
    if job.data.task is not None:
        return KnownTask(cast(Task, job.data.task), f"data.task is {job.data.task!r}")
    if job.dataset in sources.BUILT_IN:
        task: Task = "regression" if job.dataset in sources.REGRESSIONS else "classification"
        return KnownTask(task, f"{job.dataset} is a {task}")
    for name, losses in LOSSES_OF.items():
        if job.loss in losses:
            return KnownTask(name, f"loss {job.loss!r} is for a {name}")
    return None


def misfits(job: "Job", task: KnownTask) -> Iterator[Clash]:
    """Yields a conflict for every setting that names a metric, a loss or weights that this task does not have."""
    needs, way_out = ("data", "dataset", "loss"), "" if job.data.task else "; or set data.task"

    def clash(path: str, name: str, fitting: tuple[str, ...]) -> Clash:
        verb = "has" if path == GATED else "is"
        allowed = ", ".join(fitting)
        return Clash(path, f"{verb} {name!r}, but {task.since}; allowed: {allowed}{way_out}", needs)

    for path, name in find_named_metrics(job):
        if name not in METRICS_OF[task.name]:
            yield clash(path, name, METRICS_OF[task.name])
    if job.loss is not None and job.loss not in LOSSES_OF[task.name]:
        yield clash("loss", job.loss, LOSSES_OF[task.name])
    if job.class_weights is not None and task.name == "regression":
        yield Clash("classWeights", f"is for classes, but {task.since}; leave it out{way_out}", needs)


def find_named_metrics(job: "Job") -> Iterator[tuple[str, str]]:
    """Yields the paths of settings and the metrics that they name."""
    for name in job.gates.metrics:
        yield GATED, name
    for path, one in (
        ("gates.noWorseThanDeployed", job.gates.no_worse_than_deployed),
        ("earlyStopping.metric", job.early_stopping.metric if job.early_stopping else None),
        ("search.metric", job.search.metric if job.search else None),
        ("compress.metric", job.compress.metric if job.compress else None),
    ):
        if one is not None:
            yield path, one
