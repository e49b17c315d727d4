"""How many values were at most so large: Prometheus' classic histogram."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """`counts` has one more than `bounds`: of values beyond the last."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = list(bounds)
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """A bound belongs to what is at most it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value
