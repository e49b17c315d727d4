"""Rows to learn from: scikit-learn's shipped data, split into training and held-out rows.

The files are read as they are shipped and as `job.data_digest` hashes them, without scikit-learn, whose import takes
longer than all the training on them. A test holds them against scikit-learn's own loaders.

Shapes: R rows, F features, K outputs (1, or one per class).
"""

# ruff: noqa: N806, N815 (names of tensors carry the letters of their shape)

import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import torch

HELD_OUT: Final = 0.2
DIABETES_FEATURES: Final = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
DIGITS_FEATURES: Final = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))

Task = Literal["regression", "classification"]


@dataclass(frozen=True)
class Dataset:
    """All rows of one data set, raw: features as a caller of the deployed model will send them."""

    name: str
    task: Task
    feature_names: tuple[str, ...]
    classes: tuple[str, ...]
    """In the order of the model's outputs; empty for a regression."""
    features_RF: npt.NDArray[np.float64]
    target_R: npt.NDArray[np.float64]
    """The value to predict, or the index of the class."""

    @property
    def outputs(self) -> int:
        """K, the width of the model's output."""
        return len(self.classes) or 1


@dataclass(frozen=True)
class Rows:
    """Some rows as tensors: `features_RF` raw, FP32; `target` (R, 1) FP32 for a regression, (R,) int64 for classes."""

    features_RF: torch.Tensor
    target: torch.Tensor

    def __len__(self) -> int:
        return len(self.features_RF)


def parse(name: str, files: Sequence[bytes]) -> Dataset:
    """The data set `name` out of the files that `job.read_data` read."""
    if name == "diabetes":
        features, target = files
        return Dataset(name, "regression", DIABETES_FEATURES, (), _table(features, None), _table(target, None))
    if name == "digits":
        table = _table(files[0], ",")
        classes = tuple(str(digit) for digit in range(10))
        return Dataset(name, "classification", DIGITS_FEATURES, classes, table[:, :-1], table[:, -1])
    raise AssertionError(f"internal error: validation let data set {name!r} through")


def split(dataset: Dataset, generator: torch.Generator) -> tuple[Rows, Rows]:
    """Training rows and held-out rows (a fifth), drawn by `generator`."""
    order_R = torch.randperm(len(dataset.features_RF), generator=generator)
    held_out = round(HELD_OUT * len(order_R))
    return _rows(dataset, order_R[held_out:]), _rows(dataset, order_R[:held_out])


def _rows(dataset: Dataset, chosen: torch.Tensor) -> Rows:
    features_RF = torch.from_numpy(dataset.features_RF)[chosen].float()
    target_R = torch.from_numpy(dataset.target_R)[chosen]
    return Rows(features_RF, target_R.long() if dataset.classes else target_R.float().unsqueeze(1))


def _table(file: bytes, delimiter: str | None) -> npt.NDArray[np.float64]:
    return np.loadtxt(io.StringIO(gzip.decompress(file).decode("ascii")), delimiter=delimiter, dtype=np.float64)
