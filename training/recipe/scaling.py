"""Standardisation: every column gets mean 0 and deviation 1, by the moments of the training rows.

Shapes: B rows of a batch, S the shape of one row's features.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch

from training.recipe.datasets.dataset import Batch, Dataset, Rows, TensorRows

SCALED_ROWS: Final = 65_536
"""Number of rows that a moment sums over at once."""


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of each column, FP32 of shape (columns,), computed from training rows only."""

    mean: torch.Tensor
    deviation: torch.Tensor

    @classmethod
    def of(cls, mean: torch.Tensor, deviation: torch.Tensor) -> "Scale":
        """Returns a scale. A constant column (a digit's corner pixel) gets the deviation 1."""
        return cls(mean.float(), torch.where(deviation > 0, deviation, 1.0).float())

    def apply(self, columns: torch.Tensor) -> torch.Tensor:
        """Standardises to mean 0 and deviation 1. A missing value becomes the mean."""
        return torch.nan_to_num((columns - self.mean) / self.deviation, nan=0.0)


@dataclass(frozen=True)
class Scales:
    """Scales of features and target. None if they are not standardised: ids, classes."""

    features: Scale | None
    target: Scale | None

    @staticmethod
    def of(dataset: Dataset, train: Rows) -> "Scales":
        """Returns the scales. Columns of a table each have their own; all pixels of an image and all points of a sound
        share one.
        """
        features, target = train.first(1)
        one_scale = len(dataset.shape) > 1
        feature_moments = Moments(shared=one_scale) if features.is_floating_point() else None
        target_moments = Moments(shared=False) if target.is_floating_point() else None
        for x_BS, y_B in train.batches(SCALED_ROWS, None):
            if feature_moments is not None:
                feature_moments.add(x_BS)
            if target_moments is not None:
                target_moments.add(y_B)
        return Scales(*(None if one is None else one.scale() for one in (feature_moments, target_moments)))

    def apply(self, batch: Batch) -> Batch:
        """Returns the batch in the form that a network is trained on."""
        features, target = batch
        return (
            features if self.features is None else self.features.apply(features),
            target if self.target is None else self.target.apply(target),
        )


class Moments:
    """Mean and deviation in FP64 over any number of batches (Chan, Golub, LeVeque 1983), without NaN."""

    def __init__(self, *, shared: bool) -> None:
        self._shared = shared
        self._count = self.mean = self._squares = torch.zeros((), dtype=torch.float64)

    def add(self, batch: torch.Tensor) -> None:
        """Adds rows (B, *S), or (B * S, 1) for a shared scale."""
        values = batch.double().reshape(-1, 1) if self._shared else batch.double()
        known = ~values.isnan()
        count = known.sum(dim=0)
        mean = torch.where(count > 0, values.nansum(dim=0) / count.clamp(min=1), 0.0)
        squares = (torch.where(known, values - mean, 0.0)).square().sum(dim=0)
        total = (self._count + count).clamp(min=1)
        distance = mean - self.mean
        self._squares = self._squares + squares + distance.square() * self._count * count / total
        self.mean = self.mean + distance * count / total
        self._count = self._count + count

    @property
    def deviation(self) -> torch.Tensor:
        """Standard deviation of all values added, with their count as divisor."""
        return (self._squares / self._count.clamp(min=1)).sqrt()

    def scale(self) -> Scale:
        """Returns the scale of all values added."""
        return Scale.of(self.mean, self.deviation)


@dataclass(frozen=True)
class ScaledRows:
    """Rows that are standardised while they are read."""

    rows: Rows
    scales: Scales

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, size: int, generator: torch.Generator | None, skip: int = 0) -> Iterator[Batch]:
        """Does what `Rows` defines."""
        return (self.scales.apply(batch) for batch in self.rows.batches(size, generator, skip))

    def split(self, share: float, generator: torch.Generator) -> "tuple[ScaledRows, ScaledRows]":
        """Does what `Rows` defines."""
        others, chosen = self.rows.split(share, generator)
        return ScaledRows(others, self.scales), ScaledRows(chosen, self.scales)

    def where(self, kept_R: torch.Tensor) -> "ScaledRows":
        """Does what `Rows` defines."""
        return ScaledRows(self.rows.where(kept_R), self.scales)

    def first(self, count: int) -> Batch:
        """Does what `Rows` defines."""
        return self.scales.apply(self.rows.first(count))


def standardise(rows: Rows, scales: Scales, device: torch.device) -> Rows:
    """Standardises rows: in memory on the device if they are in memory, otherwise while they are read."""
    if not isinstance(rows, TensorRows):
        return ScaledRows(rows, scales)
    features, target = scales.apply((rows.features, rows.target))
    return TensorRows(features.to(device), target.to(device))
