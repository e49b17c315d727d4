"""Counters of requests and runs.

Only the event loop's thread changes them, so there are no locks.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sealift.serving.metrics.histogram import Histogram

SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384)

OTHER: Final = "other"
"""Route label of all paths that are not served, so that clients cannot create labels."""
USUAL: Final = (200, 400, 500, 503)
"""Codes that start at zero: Prometheus sees no increase in a series that begins with 1."""


class Counts:
    """Counters of one server since its start."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        """Requests by route and status."""
        self.request_seconds = Histogram(SECONDS)
        """Durations of successful inferences."""
        self.queue_seconds = Histogram(SECONDS)
        self.watch_failures: dict[str, int] = {}
        """Failures of the background tasks, by part."""
        self.run_rows = Histogram(ROWS)
        self.unknown_categories: dict[str, int] = {}
        """Values that training did not see, by column."""

    def expect(self, routes: Iterable[str]) -> None:
        """Creates the series of a transport's routes."""
        self.requests |= {(route, code): 0 for route in routes for code in USUAL}

    def count_answer(self, route: str, code: int) -> None:
        """Counts a request with its status."""
        key = (route, code)
        try:
            self.requests[key] += 1
        except KeyError:
            self.requests[key] = 1

    def saw_unknown(self, categories: Mapping[str, int]) -> None:
        """Counts the unknown values by column of an answered request."""
        for column, count in categories.items():
            self.unknown_categories[column] = self.unknown_categories.get(column, 0) + count

    @property
    def rows(self) -> int:
        """Rows that the model has processed in all runs."""
        return int(self.run_rows.sum)
