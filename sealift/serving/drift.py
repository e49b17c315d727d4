"""Input drift: each feature's mean in the requests, and its population stability index against the training rows.

    PSI = Σ (p - q) ln(p / q)        over a feature's bins; p is a bin's share in the requests, q its share in training

(N. Siddiqi, Credit Risk Scorecards, 2006; rule of thumb: below 0.1 no change, above 0.2 a large one.)
Empty bins count as half a value. Without any change, PSI is distributed like (1/n + 1/m) χ² with one degree of freedom
less than there are bins (B. Yurdakul, Statistical Properties of PSI, 2018): with LEAST_ROWS rows, ten bins and a large
training set it stays below 0.14 in 99.9 % of all cases. So fewer rows are not reported, which also keeps single
requests private.

Requests are only noted on arrival, a few in each quarter of a second, and counted afterwards. Large requests, which run
in a thread, are not noted. Only named numeric features are counted: no text columns and no missing values.
"""

# ruff: noqa: N806 (names of tensors carry the letters of their shape: S slots of time, R rows, F features, B bins)

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sealift.serving.model import Model
from sealift.serving.tensor import Array

NOTED_REQUESTS: Final = 64
"""Maximum between two counts, so that counting takes less than a millisecond and little memory."""
NOTED_VALUES: Final = 8192
LEAST_ROWS: Final = 200
SLOTS: Final = 12
SLOT_SECONDS: Final = 300
"""The figures cover the last hour and drop a twelfth of it at a time."""

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Feature:
    """Current figures of one feature."""

    name: str
    mean: float
    psi: float


class Drift:
    """The drift of one model. Not thread-safe."""

    def __init__(self, model: Model) -> None:
        self._places = _places(model)
        self._names = [name for _, _, names in self._places for name in names]
        known = [model.description.input_bins[name] for name in self._names]
        bounds = [one.bounds for one in known]
        self._most = max(map(len, bounds), default=0)
        self._bounds_FB = np.array([[*one, *[math.inf] * (self._most - len(one))] for one in bounds])
        self._shares = [np.array(one.shares) for one in known]
        count = len(self._names)
        self._counts_SFB = np.zeros((SLOTS, count, self._most + 1), np.int64)
        self._sums_SF = np.zeros((SLOTS, count))
        self._rows_S = np.zeros(SLOTS, np.int64)
        self._slot = 0
        self._noted: list[Mapping[str, Array]] = []
        self._values = 0
        self.takes = bool(self._names)
        """Whether another request may be noted now."""

    @property
    def rows(self) -> int:
        """Rows that were counted in the last hour."""
        return int(self._rows_S.sum())

    def note(self, inputs: Mapping[str, Array]) -> None:
        """Notes a valid request."""
        self._noted.append(inputs)
        self._values += sum(inputs[name].size for name, _, _ in self._places)
        self.takes = len(self._noted) < NOTED_REQUESTS and self._values < NOTED_VALUES

    def count(self, now: float | None = None) -> None:
        """Counts the noted requests."""
        self._turn(int((time.monotonic() if now is None else now) / SLOT_SECONDS))
        noted, self._noted, self._values, self.takes = self._noted, [], 0, bool(self._names)
        if not noted:
            return
        x_RF = np.concatenate([self._row_values(inputs) for inputs in noted])[: NOTED_VALUES // len(self._names) or 1]
        at, known_RF = self._slot % SLOTS, np.isfinite(x_RF)
        bins_RF = (x_RF[:, :, None] > self._bounds_FB).sum(axis=2)
        features_RF = np.broadcast_to(np.arange(len(self._names)), bins_RF.shape)
        np.add.at(self._counts_SFB[at], (features_RF[known_RF], bins_RF[known_RF]), 1)
        self._sums_SF[at] += np.where(known_RF, x_RF, 0.0).sum(axis=0)
        self._rows_S[at] += len(x_RF)

    def features(self) -> list[Feature]:
        """Features with enough values in the requests."""
        known = zip(self._names, self._sums_SF.sum(axis=0), self._counts_SFB.sum(axis=0), self._shares, strict=True)
        return [
            Feature(name, float(total / counts.sum()), psi(counts[: len(shares)], shares))
            for name, total, counts, shares in known
            if counts.sum() >= LEAST_ROWS
        ]

    def _turn(self, slot: int) -> None:
        """Drops figures older than the last SLOTS."""
        for passed in range(max(self._slot + 1, slot - SLOTS + 1), slot + 1):
            at = passed % SLOTS
            self._counts_SFB[at] = self._sums_SF[at] = self._rows_S[at] = 0
        self._slot = slot

    def _row_values(self, inputs: Mapping[str, Array]) -> Floats:
        parts = []
        for name, columns, _ in self._places:
            array = inputs[name][:NOTED_VALUES]
            parts.append(array.reshape(len(array), -1)[:, columns].astype(np.float64))
        return np.concatenate(parts, axis=1)


def psi(counts: Array, shares: Floats) -> float:
    """Returns the population stability index of counts by bin against expected shares."""
    counted = np.maximum(counts, 0.5)
    found, expected = counted / counted.sum(), np.maximum(shares, 1e-6) / shares.sum()
    return float(((found - expected) * np.log(found / expected)).sum())


def _places(model: Model) -> list[tuple[str, list[int], list[str]]]:
    """Locations of the features with bins: input, columns in it, their names."""
    names, bins = list(model.description.features), model.description.input_bins
    if len(model.inputs) > 1 or list(model.inputs) == names:
        numbers = (one for one in model.inputs.values() if one.datatype != "BYTES")
        return [(one.name, [0], [one.name]) for one in numbers if one.name in bins]
    ((name, tensor),) = model.inputs.items()
    known = [column for column, feature in enumerate(names) if feature in bins]
    if not known or tensor.shape[1:] != (len(names),) or tensor.datatype == "BYTES":
        return []
    return [(name, known, [names[column] for column in known])]
