"""What is counted for each request and each run.

Only one thread ever changes it, the event loop's, so nothing is locked.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sealift.serving.metrics.histogram import Histogram

SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROWS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384)

OTHER: Final = "other"
"""The route of all paths that are not served: what clients make up is no label of ours."""
USUAL: Final = (200, 400, 500, 503)
"""Codes that are there from the start, as zeros: Prometheus sees no rise in a series that begins with its first one."""


class Counts:
    """Of one server, since it started."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        """By route and status."""
        self.request_seconds = Histogram(SECONDS)
        """Of inferences that were answered."""
        self.queue_seconds = Histogram(SECONDS)
        self.watch_failures: dict[str, int] = {}
        """Of what the server looks after, by part."""
        self.run_rows = Histogram(ROWS)
        self.unknown_categories: dict[str, int] = {}
        """Values that training has never seen, by column."""

    def expect(self, routes: Iterable[str]) -> None:
        """Those that a transport has."""
        self.requests |= {(route, code): 0 for route in routes for code in USUAL}

    def count_answer(self, route: str, code: int) -> None:
        """A request, with whatever status."""
        key = (route, code)
        try:
            self.requests[key] += 1
        except KeyError:
            self.requests[key] = 1

    def saw_unknown(self, categories: Mapping[str, int]) -> None:
        """So many values of each column, in a request that was answered."""
        for column, count in categories.items():
            self.unknown_categories[column] = self.unknown_categories.get(column, 0) + count

    @property
    def rows(self) -> int:
        """That the model was given in all runs."""
        return int(self.run_rows.sum)
