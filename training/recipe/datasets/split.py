"""Split of the rows into training, validation and held-out rows: at random by the run's seed, or by a column
(parts.py).
"""

# ruff: noqa: N806 (names of tensors carry the letters of their shape)

import torch

from training.job import Job
from training.recipe.datasets.dataset import Dataset, Rows
from training.recipe.datasets.parts import HELD_OUT, TRAIN, VALIDATION, VALIDATION_SHARE


def hold_out(dataset: Dataset, job: Job, generator: torch.Generator) -> tuple[Rows, Rows]:
    """Returns the remaining rows, and the held-out rows."""
    if dataset.parts is None:
        return dataset.rows.split(job.data.held_out, generator)
    held_out_R = dataset.parts == HELD_OUT
    return dataset.rows.where(~held_out_R), dataset.rows.where(held_out_R)


def set_aside(dataset: Dataset, rest: Rows, job: Job, generator: torch.Generator) -> tuple[Rows, Rows | None]:
    """Splits the remaining rows into training rows and, if the job uses any, validation rows."""
    if not job.validates:
        return rest, None
    if dataset.parts is not None and (dataset.parts == VALIDATION).any():
        return dataset.rows.where(dataset.parts == TRAIN), dataset.rows.where(dataset.parts == VALIDATION)
    return rest.split(job.data.validation or VALIDATION_SHARE, generator)
