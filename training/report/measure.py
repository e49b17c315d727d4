"""Parts of a report measured from answers and rows: confusion matrix, residuals, columns, labels. Sums are in FP64.

Shapes: R rows, K outputs or classes, F columns.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

from collections import Counter
from collections.abc import Sequence
from typing import Final

import torch

from training.report.content import Column, Confusion, Residuals

BINS: Final = 30


def confusion(answer_RK: torch.Tensor, target_R: torch.Tensor) -> Confusion:
    """Counts predicted against true classes. `answer_RK` has a score for each class, `target_R` int64 classes."""
    pairs = Counter(zip(target_R.tolist(), answer_RK.argmax(dim=1).tolist(), strict=True))
    return Confusion(tuple((*pair, rows) for pair, rows in sorted(pairs.items())), answer_RK.shape[1])


def residuals(answer_R1: torch.Tensor, target_R1: torch.Tensor, target: str = "target") -> Residuals:
    """Returns predicted minus true values of all rows, at least one and all finite. `target` is their name."""
    predicted_R, true_R = answer_R1.double().flatten(), target_R1.double().flatten()
    residual_R = predicted_R - true_R
    least, most = residual_R.min().item(), residual_R.max().item()
    if least == most:
        least, most = least - 0.5, most + 0.5
    counts, edges = torch.histogram(residual_R, bins=BINS, range=(least, most))
    return Residuals(
        true=tuple(true_R.tolist()),
        predicted=tuple(predicted_R.tolist()),
        edges=tuple(edges.tolist()),
        counts=tuple(int(count) for count in counts.tolist()),
        target=target,
    )


def columns(features_RF: torch.Tensor, names: Sequence[str]) -> tuple[Column, ...]:
    """Describes each column over the rows that have a value (are not NaN). Deviations divide by the number of these
    rows.
    """
    return tuple(_column(name, features_RF[:, at].double()) for at, name in enumerate(names))


def labels(target_R: torch.Tensor, classes: Sequence[str]) -> dict[str, int]:
    """Returns the number of rows of each class, including classes without rows."""
    counts = Counter(target_R.tolist())
    return {name: counts[at] for at, name in enumerate(classes)}


def _column(name: str, column_R: torch.Tensor) -> Column:
    known = column_R[~column_R.isnan()]
    missing = len(column_R) - len(known)
    if not len(known):
        return Column(name, missing=missing)
    deviation, mean = torch.std_mean(known, correction=0)
    return Column(name, mean.item(), deviation.item(), known.min().item(), known.max().item(), missing)
