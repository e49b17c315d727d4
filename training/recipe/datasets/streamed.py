"""Rows of a Parquet file that is larger than memory: read in row groups, with a seeded shuffle.

The order is drawn in two steps: first of the row groups, then of the rows of as many groups as are held at once. So
every row comes once per epoch, and each group is read only from front to back.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import pyarrow as pa
import torch

from training.recipe.datasets.dataset import Batch
from training.recipe.datasets.encoding import Encoding
from training.recipe.datasets.tables import ParquetGroups

LARGEST_SEED: Final = 2**62
Change = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class DrawnSplit:
    """One split: the rows whose random number is below `share`, or all the others."""

    seed: int
    share: float
    below: bool

    def keeps(self, group: int, count: int) -> torch.Tensor:
        """Returns which rows of a row group belong to it, (count,) bool, independent of what else is read."""
        drawn_R = torch.rand(count, generator=torch.Generator().manual_seed(self.seed + group))
        return (drawn_R < self.share) == self.below


@dataclass(frozen=True)
class GivenSplit:
    """One split, given for all rows of the file: True in `kept`, (R,) bool. Group g begins at `starts[g]`."""

    kept: torch.Tensor
    starts: Sequence[int]

    def keeps(self, group: int, count: int) -> torch.Tensor:
        """Does what `DrawnSplit` does."""
        return self.kept[self.starts[group] : self.starts[group] + count]


@dataclass(frozen=True)
class StreamedRows:
    """Rows of a file, or those that remain after splits."""

    groups: ParquetGroups
    names: Sequence[str]
    change: Change
    """Change of every group before it is encoded: masking."""
    encoding: Encoding
    groups_at_once: int
    """Number of row groups that fit into memory together."""
    splits: tuple[DrawnSplit | GivenSplit, ...] = ()

    def __len__(self) -> int:
        return self._length

    @cached_property
    def _length(self) -> int:
        """Number of rows, counted once, since it is needed after every stretch of steps."""
        return sum(int(self._kept(group).sum()) for group in range(self.groups.file.num_row_groups))

    def batches(self, size: int, generator: torch.Generator | None, skip: int = 0) -> Iterator[Batch]:
        """Does what `Rows` defines."""
        held: list[Batch] = []
        number = 0
        for piece in self._pieces(generator):
            features, target = (torch.cat(parts) for parts in zip(*held, piece, strict=True))
            whole = len(features) // size * size
            for start in range(0, whole, size):
                if number >= skip:
                    yield features[start : start + size], target[start : start + size]
                number += 1
            held = [(features[whole:], target[whole:])]
        if held and len(held[0][0]) and number >= skip:
            yield held[0]

    def split(self, share: float, generator: torch.Generator) -> "tuple[StreamedRows, StreamedRows]":
        """Splits about this share, since each row is drawn separately."""
        seed = int(torch.randint(LARGEST_SEED, (), generator=generator))
        return tuple(replace(self, splits=(*self.splits, DrawnSplit(seed, share, below))) for below in (False, True))  # type: ignore[return-value]

    def where(self, kept_R: torch.Tensor) -> "StreamedRows":
        """Does what `Rows` defines."""
        metadata = self.groups.file.metadata
        counts = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        return replace(self, splits=(*self.splits, GivenSplit(kept_R, [0, *itertools.accumulate(counts)])))

    def first(self, count: int) -> Batch:
        """Does what `Rows` defines."""
        held: list[Batch] = []
        for group in range(self.groups.file.num_row_groups):
            if sum(len(features) for features, _ in held) >= count:
                break
            held.append(self._read(group))
        features, target = (torch.cat(parts) for parts in zip(*held, strict=True))
        return features[:count], target[:count]

    def _pieces(self, generator: torch.Generator | None) -> Iterator[Batch]:
        """Yields as many row groups as fit, shuffled together."""
        count = self.groups.file.num_row_groups
        order = list(range(count)) if generator is None else torch.randperm(count, generator=generator).tolist()
        for begin in range(0, count, self.groups_at_once):
            read = [self._read(group) for group in order[begin : begin + self.groups_at_once]]
            features, target = (torch.cat(parts) for parts in zip(*read, strict=True))
            if generator is not None:
                order_R = torch.randperm(len(features), generator=generator)
                features, target = features[order_R], target[order_R]
            yield features, target

    def _read(self, group: int) -> Batch:
        features, target = map(torch.from_numpy, self.encoding.encode(self.change(self.groups.read(group, self.names))))
        kept = self._kept(group)
        return features[kept], target[kept]

    def _kept(self, group: int) -> torch.Tensor:
        count = self.groups.file.metadata.row_group(group).num_rows
        kept_R = torch.ones(count, dtype=torch.bool)
        for drawn in self.splits:
            kept_R &= drawn.keeps(group, count)
        return kept_R
