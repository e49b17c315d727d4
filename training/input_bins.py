"""Distribution of each feature over the training rows: bins between quantiles, and each bin's share, for a server to
compare its requests with.

They reveal no single row: each bin has at least LEAST_ROWS rows, and a bound is rounded to a hundredth of the column's
spread. MOST_FEATURES limits their size, since a manifest has to fit into a ConfigMap.
"""

# ruff: noqa: N803, N806 (names of tensors carry the letters of their shape)

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from sealift.contents.description import Bins
from training.recipe.datasets.dataset import Dataset, Rows
from training.recipe.scaling import SCALED_ROWS

BINS: Final = 10
LEAST_ROWS: Final = 10
MOST_FEATURES: Final = 256
"""Largest number of features with bins; further ones have none. A table seldom has more."""
SAMPLED_VALUES: Final = 4_000_000
"""Largest number of values used. If there are more, rows at equal distances are used."""
SPREAD_DIGITS: Final = 2
"""Digits of a bound beyond the order of magnitude of the column's standard deviation."""


def make_input_bins(data: Dataset, train: Rows) -> dict[str, Bins]:
    """Returns the bins of each feature that is a number and varies."""
    texts = {name for column in data.served_columns if column.categories is not None for name in column.feature_names}
    places = [place for place, name in enumerate(data.feature_names) if name not in texts][:MOST_FEATURES]
    if not places:
        return {}
    names, sample_RF = [data.feature_names[place] for place in places], _sample(train, places)
    found = (
        (name, _make_bins(values_R[~np.isnan(values_R)])) for name, values_R in zip(names, sample_RF.T, strict=True)
    )
    return {name: bins for name, bins in found if bins is not None}


def count_values(values: np.ndarray[Any, Any], bounds: Sequence[float]) -> list[int]:
    """Returns the number of values in each bin."""
    places = np.searchsorted(np.asarray(bounds), values.astype(np.float64), side="left")
    return [int(count) for count in np.bincount(places, minlength=len(bounds) + 1)]


def _sample(train: Rows, places: list[int]) -> np.ndarray[Any, Any]:
    step = math.ceil(len(train) * len(places) / SAMPLED_VALUES) or 1
    parts, seen = [], 0
    for x_BF, _ in train.batches(SCALED_ROWS, None):
        parts.append(x_BF[-seen % step :: step, places].numpy())
        seen += len(x_BF)
    return np.concatenate(parts)


def _make_bins(values_R: np.ndarray[Any, Any]) -> Bins | None:
    deviation = float(values_R.std(dtype=np.float64)) if len(values_R) else 0.0
    if not (deviation > 0 and math.isfinite(deviation)):
        return None
    digits = SPREAD_DIGITS - math.floor(math.log10(deviation))
    wanted = np.arange(1, BINS) / BINS
    quantiles = np.quantile(values_R.astype(np.float64), wanted, method="inverted_cdf")
    bounds = _merge_small(sorted({round(float(bound), digits) for bound in quantiles}), values_R)
    if not bounds:
        return None
    return Bins(tuple(bounds), tuple(round(count / len(values_R), 6) for count in count_values(values_R, bounds)))


def _merge_small(bounds: list[float], values_R: np.ndarray[Any, Any]) -> list[float]:
    """Leaves out bounds that would make a bin with too few rows."""
    below = [int((values_R.astype(np.float64) <= bound).sum()) for bound in bounds]
    kept, last = [], 0
    for bound, count in zip(bounds, below, strict=True):
        if count - last >= LEAST_ROWS and len(values_R) - count >= LEAST_ROWS:
            kept.append(bound)
            last = count
    return kept
