"""Statistics of a model since its start: counts and durations. It imports no other module of Sealift.

The code that runs the model writes them in one thread. They are plain numbers, so any thread may read them.
"""

from typing import Final

MOST_SIZES: Final = 256
"""Limit on distinct batch sizes. Clients choose the sizes and must not fill the memory; further sizes count only in the
sums."""


class Durations:
    """Count of an operation and its total duration in nanoseconds."""

    __slots__ = ("count", "ns")

    def __init__(self, count: int = 0, ns: int = 0) -> None:
        self.count = count
        self.ns = ns


class ComputeStatistics:
    """Count and durations of the three parts of all runs."""

    __slots__ = ("count", "infer_ns", "input_ns", "output_ns")

    def __init__(self) -> None:
        self.count = self.input_ns = self.infer_ns = self.output_ns = 0

    @property
    def input(self) -> Durations:
        return Durations(self.count, self.input_ns)

    @property
    def infer(self) -> Durations:
        return Durations(self.count, self.infer_ns)

    @property
    def output(self) -> Durations:
        return Durations(self.count, self.output_ns)


class Statistics:
    """The statistics of one model."""

    def __init__(self) -> None:
        self.last_ms = 0
        """Time of the last answered request, in milliseconds since 1970. 0 if no request was answered."""
        self.rows = 0
        self.runs = 0
        self.fail = Durations()
        self.compute = ComputeStatistics()
        """Durations per request. A request in a batch counts the whole batch's duration."""
        self.by_size: dict[int, ComputeStatistics] = {}
        """Durations per run, by its number of rows."""
        self._queue_ns = 0

    @property
    def success(self) -> Durations:
        compute = self.compute
        parts_ns = compute.input_ns + compute.infer_ns + compute.output_ns
        return Durations(compute.count, self._queue_ns + parts_ns)

    @property
    def queue(self) -> Durations:
        return Durations(self.compute.count, self._queue_ns)

    def ran(
        self, *, requests: int, rows: int, queue_ns: int, input_ns: int, infer_ns: int, output_ns: int, now_ms: int
    ) -> None:
        """Records a run that answered these requests, which had waited `queue_ns` in total."""
        self.last_ms = now_ms
        self.rows += rows
        self.runs += 1
        self._queue_ns += queue_ns
        compute = self.compute
        compute.count += requests
        compute.input_ns += requests * input_ns
        compute.infer_ns += requests * infer_ns
        compute.output_ns += requests * output_ns
        size = self.by_size.get(rows)
        if size is None:
            if len(self.by_size) >= MOST_SIZES:
                return
            size = self.by_size[rows] = ComputeStatistics()
        size.count += 1
        size.input_ns += input_ns
        size.infer_ns += infer_ns
        size.output_ns += output_ns

    def count_failure(self, *, requests: int, ns: int) -> None:
        """Records requests that failed after `ns` in total."""
        self.fail.count += requests
        self.fail.ns += ns
