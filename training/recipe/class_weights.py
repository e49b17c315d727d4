"""Weights of the classes in the loss. Metrics count every row alike."""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import torch

from training.errors import ModelError
from training.job import Job
from training.recipe.datasets.dataset import Dataset, Rows
from training.recipe.scaling import SCALED_ROWS


def compute_class_weights(job: Job, dataset: Dataset, rows: Rows) -> torch.Tensor | None:
    """Returns FP32 (K,), or None for a job without class weights. "balanced" is defined as in scikit-learn: inverse to
    the class's share of these rows.

    Raises ModelError for a regression and for an unknown class.
    """
    wanted = job.class_weights
    if wanted is None:
        return None
    if dataset.task != "classification":
        raise ModelError(
            f"classWeights needs classes, but {dataset.name} is a regression",
            "leave it out, or set data.task if the target has classes",
        )
    if isinstance(wanted, str):
        return _balance(len(dataset.classes), rows)
    unknown = sorted(wanted.keys() - set(dataset.classes))
    if unknown:
        raise ModelError(
            f"classWeights has {', '.join(map(repr, unknown))}; {dataset.name} has no such class",
            f"allowed: {', '.join(map(repr, dataset.classes))}",
        )
    return torch.tensor([wanted.get(name, 1.0) for name in dataset.classes], dtype=torch.float32)


def _balance(classes: int, rows: Rows) -> torch.Tensor:
    """A class without a row here has no effect on the loss, whatever its weight."""
    counts_K = torch.zeros(classes, dtype=torch.int64)
    for _, y_B in rows.batches(SCALED_ROWS, None):
        counts_K += torch.bincount(y_B, minlength=classes)
    return (len(rows) / (classes * counts_K.clamp(min=1).double())).float()
