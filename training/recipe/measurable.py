"""Checks, before the first step, that all metrics named by settings can be measured on these rows."""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import torch

from training import tasks
from training.errors import ModelError
from training.job import Job
from training.recipe.datasets.dataset import Dataset, Rows
from training.recipe.evaluate import ROWS_AT_ONCE


def check(job: Job, dataset: Dataset, held_out: Rows, validation: Rows | None) -> None:
    """Raises ModelError that lists every setting that does not fit the task or these rows."""
    task = tasks.KnownTask(dataset.task, f"{dataset.name} is a {dataset.task}")
    lines = [f"{clash.property} {clash.message}" for clash in tasks.misfits(job, task)]
    if dataset.task == "classification":
        lines += _find_without_auroc(job, dataset, held_out, validation)
    if lines:
        raise ModelError(
            "nothing was trained, since these settings do not fit the data: " + "; ".join(lines),
            "change these settings, then run it again",
        )


def _find_without_auroc(job: Job, dataset: Dataset, held_out: Rows, validation: Rows | None) -> list[str]:
    """Yields settings that name auroc while a class has no row."""
    lines = []
    paths = [path for path, name in tasks.find_named_metrics(job) if name == "auroc"]
    for rows, of_rows, share in (
        (held_out, [path for path in paths if path not in tasks.MEASURED_WHILE_TRAINING], "heldOut"),
        (validation, [path for path in paths if path in tasks.MEASURED_WHILE_TRAINING], "validation"),
    ):
        lacking = _count_lacking_classes(rows, len(dataset.classes)) if rows is not None and of_rows else 0
        if lacking:
            what = "held-out" if share == "heldOut" else "validation"
            lines += [
                f"{path} names auroc, which needs a row of each class: {lacking:,} of {len(dataset.classes):,} classes "
                f"{'has' if lacking == 1 else 'have'} no {what} row; raise data.{share}, or name another metric"
                for path in of_rows
            ]
    return lines


def _count_lacking_classes(rows: Rows, classes: int) -> int:
    counts_K = torch.zeros(classes, dtype=torch.int64)
    for _, target_R in rows.batches(ROWS_AT_ONCE, None):
        counts_K += torch.bincount(target_R, minlength=classes)
    return int((counts_K == 0).sum())
