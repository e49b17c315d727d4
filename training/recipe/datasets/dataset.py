"""A data set after reading: rows and their meaning, independent of their source.

Shapes: R rows, S the shape of one row's features ((F,) of a table, (C, H, W) of an image, (L,) of word ids), K outputs.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import torch

from training.findings import Finding
from training.options import Task

if TYPE_CHECKING:
    from training.recipe.datasets.encoding import ColumnEncoding

Batch = tuple[torch.Tensor, torch.Tensor]
"""Features (B, *S), FP32 or int64 ids; target (B, 1) FP32 for a regression, (B,) int64 for classes."""


class Rows(Protocol):
    """Some rows of a data set, in memory or read piece by piece."""

    def __len__(self) -> int: ...

    def batches(self, size: int, generator: torch.Generator | None, skip: int = 0) -> Iterator[Batch]:
        """Yields all rows once, `size` at a time, in an order that `generator` draws (None: as stored).

        `skip` leaves out the first batches, with the same random numbers drawn.
        """

    def split(self, share: float, generator: torch.Generator) -> "tuple[Rows, Rows]":
        """Returns the other rows, and `share` of the rows (rounded, at least one), drawn by `generator`."""

    def where(self, kept_R: torch.Tensor) -> "Rows":
        """Returns the rows that are True here. Only for all rows of a data set, not for some after a split."""

    def first(self, count: int) -> Batch:
        """Returns the first rows, or all if there are fewer."""


@dataclass(frozen=True)
class TensorRows:
    """Rows in memory."""

    features: torch.Tensor
    target: torch.Tensor

    def __len__(self) -> int:
        return len(self.features)

    def batches(self, size: int, generator: torch.Generator | None, skip: int = 0) -> Iterator[Batch]:
        """Does what `Rows` defines."""
        features, target = self.features, self.target
        if generator is not None:
            order_R = torch.randperm(len(self), generator=generator)
            features, target = features[order_R], target[order_R]
        for start in range(skip * size, len(self), size):
            yield features[start : start + size], target[start : start + size]

    def split(self, share: float, generator: torch.Generator) -> "tuple[TensorRows, TensorRows]":
        """Does what `Rows` defines."""
        order_R = torch.randperm(len(self), generator=generator)
        count = max(1, round(share * len(self)))
        return self.take(order_R[count:]), self.take(order_R[:count])

    def where(self, kept_R: torch.Tensor) -> "TensorRows":
        """Does what `Rows` defines."""
        return self.take(kept_R.nonzero().squeeze(1))

    def take(self, chosen: torch.Tensor) -> "TensorRows":
        """Returns the rows of these indices."""
        return TensorRows(self.features[chosen], self.target[chosen])

    def first(self, count: int) -> Batch:
        """Does what `Rows` defines."""
        return self.features[:count], self.target[:count]


@dataclass(frozen=True)
class Dataset:
    """All rows of one data set, raw: with features in the form in which clients send them to the deployed model."""

    name: str
    task: Task
    rows: Rows
    shape: tuple[int, ...]
    """Shape S of one row's features."""
    feature_names: tuple[str, ...] = ()
    """Names of a table's columns. Empty for images, sounds and words."""
    classes: tuple[str, ...] = ()
    """Class names in the order of the model's outputs. Empty for a regression."""
    words: tuple[str, ...] = ()
    """Word of each id, for a text data set. Id 0 is padding and id 1 any other word; both are "" here."""
    findings: tuple[Finding, ...] = ()
    """Findings of the quality checks, all of which the run allows."""
    masked: Mapping[str, str] = field(default_factory=dict)
    """Masking that was applied to each column."""
    columns: "tuple[ColumnEncoding, ...]" = ()
    """Encoding of each of a table's columns."""
    rows_left_out: int = 0
    """Number of rows left out because they have no target."""
    parts: torch.Tensor | None = field(default=None, repr=False)
    """Assignment of rows to the split, (R,) uint8, as in split.py. None if it is drawn at random."""

    @property
    def served_columns(self) -> "tuple[ColumnEncoding, ...]":
        """Columns that requests send, each by its name. Empty if they send rows in the form used here."""
        return self.columns if any(column.categories is not None for column in self.columns) else ()

    @property
    def outputs(self) -> int:
        """Width K of the model's output."""
        return len(self.classes) or 1
