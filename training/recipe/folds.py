"""Cross-validation: the rows are split into k parts, and each is held out once. Every part has its share of each class.

Rows in the order of time are split into k + 1 parts: each but the first is held out once, for a model of the rows
before it (the rolling origin of Tashman 2000, as in scikit-learn's TimeSeriesSplit).
"""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

from itertools import pairwise

import torch

from training.errors import DataError
from training.job import Job
from training.recipe.datasets.dataset import TensorRows


def make_folds(rows: TensorRows, job: Job) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Returns the folds, which the job's seed determines."""
    generator, in_time = torch.Generator().manual_seed(job.seed), job.data.time_column is not None
    return split_into_folds(rows, job.folds, generator, in_time=in_time)


def split_into_folds(
    rows: TensorRows, count: int, generator: torch.Generator, *, in_time: bool = False
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Returns for each fold the indices of the rows to train on and of its own rows, in order. Raises DataError for too
    few rows.

    `in_time`: rows are in the order of time, and no fold trains on rows after its own.
    """
    if len(rows) < 2 * count:
        raise DataError(
            f"folds is {count}, but the data set has only {len(rows)} training rows",
            "lower folds: each fold needs at least two rows",
        )
    if in_time:
        bounds = [len(rows) * part // (count + 1) for part in range(count + 2)]
        return [(torch.arange(first), torch.arange(first, last)) for first, last in pairwise(bounds[1:])]
    fold_R = torch.empty(len(rows), dtype=torch.int64)
    classes_R = torch.zeros_like(fold_R) if rows.target.is_floating_point() else rows.target
    begin = 0
    for members in (torch.nonzero(classes_R == k).flatten() for k in range(int(classes_R.max()) + 1)):
        shuffled = members[torch.randperm(len(members), generator=generator)]
        fold_R[shuffled] = (torch.arange(len(members)) + begin) % count
        begin += len(members)  # continue where the last class ended, so that no fold gets all the remainders
    return [(torch.nonzero(fold_R != k).flatten(), torch.nonzero(fold_R == k).flatten()) for k in range(count)]
