"""Prometheus' classic histogram: counts of values by upper bound."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """Counts by bucket. The last one counts the values above the last bound."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = list(bounds)
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Counts a value. Upper bounds are inclusive."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value
