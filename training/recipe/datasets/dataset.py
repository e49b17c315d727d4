"""What a data set is once it is read: rows, and what they mean. Where they come from is datasets/'s business.

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
        """All rows once, `size` at a time, in an order that `generator` draws (None: as stored).

        `skip` leaves out that many batches at the beginning and draws all the same.
        """

    def split(self, share: float, generator: torch.Generator) -> "tuple[Rows, Rows]":
        """The others, and `share` of the rows (rounded, at least one), drawn by `generator`."""

    def where(self, kept_R: torch.Tensor) -> "Rows":
        """The rows that are True here. Of all the rows of a data set, not of some that were split off."""

    def first(self, count: int) -> Batch:
        """The first rows, or all if there are fewer."""


@dataclass(frozen=True)
class TensorRows:
    """Rows in memory."""

    features: torch.Tensor
    target: torch.Tensor

    def __len__(self) -> int:
        return len(self.features)

    def batches(self, size: int, generator: torch.Generator | None, skip: int = 0) -> Iterator[Batch]:
        """As `Rows` says."""
        features, target = self.features, self.target
        if generator is not None:
            order_R = torch.randperm(len(self), generator=generator)
            features, target = features[order_R], target[order_R]
        for start in range(skip * size, len(self), size):
            yield features[start : start + size], target[start : start + size]

    def split(self, share: float, generator: torch.Generator) -> "tuple[TensorRows, TensorRows]":
        """As `Rows` says."""
        order_R = torch.randperm(len(self), generator=generator)
        count = max(1, round(share * len(self)))
        return self.take(order_R[count:]), self.take(order_R[:count])

    def where(self, kept_R: torch.Tensor) -> "TensorRows":
        """As `Rows` says."""
        return self.take(kept_R.nonzero().squeeze(1))

    def take(self, chosen: torch.Tensor) -> "TensorRows":
        """The rows of these indices."""
        return TensorRows(self.features[chosen], self.target[chosen])

    def first(self, count: int) -> Batch:
        """As `Rows` says."""
        return self.features[:count], self.target[:count]


@dataclass(frozen=True)
class Dataset:
    """All rows of one data set, raw: features as a caller of the deployed model will send them."""

    name: str
    task: Task
    rows: Rows
    shape: tuple[int, ...]
    """S."""
    feature_names: tuple[str, ...] = ()
    """One for each column of a table; empty for images, sounds, words."""
    classes: tuple[str, ...] = ()
    """In the order of the model's outputs; empty for a regression."""
    words: tuple[str, ...] = ()
    """Of a text data set: the word of each id. 0 is padding and 1 any word that is not here; both are "" here."""
    findings: tuple[Finding, ...] = ()
    """What the quality checks found, all within what the run allows."""
    masked: Mapping[str, str] = field(default_factory=dict)
    """What was done to which column."""
    columns: "tuple[ColumnEncoding, ...]" = ()
    """Of a table: what each of its own columns became."""
    rows_left_out: int = 0
    """Since they have no target."""
    parts: torch.Tensor | None = field(default=None, repr=False)
    """(R,) uint8, which rows are held out, as split.py has it; None: they are drawn."""

    @property
    def served_columns(self) -> "tuple[ColumnEncoding, ...]":
        """The columns that requests send, each by its name; empty where they send rows as they are here."""
        return self.columns if any(column.categories is not None for column in self.columns) else ()

    @property
    def outputs(self) -> int:
        """K, the width of the model's output."""
        return len(self.classes) or 1
