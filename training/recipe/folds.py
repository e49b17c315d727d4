"""Cross-validation: the rows in k parts, each held out once. Of classes, every part has its share of each."""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import torch

from training.errors import DataError
from training.recipe.datasets.dataset import TensorRows


def folds(rows: TensorRows, count: int, generator: torch.Generator) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """For each fold the indices of the other rows and of its own, in order. Raises DataError for too few rows."""
    if len(rows) < 2 * count:
        raise DataError(
            f"folds is {count}, and there are {len(rows)} training rows", "ask for fewer folds, at least two rows each"
        )
    fold_R = torch.empty(len(rows), dtype=torch.int64)
    classes_R = torch.zeros_like(fold_R) if rows.target.is_floating_point() else rows.target
    begin = 0
    for members in (torch.nonzero(classes_R == k).flatten() for k in range(int(classes_R.max()) + 1)):
        shuffled = members[torch.randperm(len(members), generator=generator)]
        fold_R[shuffled] = (torch.arange(len(members)) + begin) % count
        begin += len(members)  # where the last class ended, so that no fold gets all the remainders
    return [(torch.nonzero(fold_R != k).flatten(), torch.nonzero(fold_R == k).flatten()) for k in range(count)]
