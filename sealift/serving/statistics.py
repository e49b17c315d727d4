"""What a model has done since it started: counts and times, for whoever tells them. It imports nothing of ours.

Whoever runs the model writes it, in one thread; it is only numbers, so any thread may read it.
"""

from typing import Final

MOST_SIZES: Final = 256
"""Of batches that are told apart. Clients choose their sizes, and memory is not theirs to fill; later ones are only in
the sums."""


class Durations:
    """How often something was done, and how long that took in all."""

    __slots__ = ("count", "ns")

    def __init__(self, count: int = 0, ns: int = 0) -> None:
        self.count = count
        self.ns = ns


class ComputeStatistics:
    """The three parts of all runs, each of which was done as often."""

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
    """Of one model."""

    def __init__(self) -> None:
        self.last_ms = 0
        """When a request was last answered, in milliseconds since 1970; 0 for never."""
        self.rows = 0
        self.runs = 0
        self.fail = Durations()
        self.compute = ComputeStatistics()
        """By request: each that is run with others takes as long as they all do."""
        self.by_size: dict[int, ComputeStatistics] = {}
        """By run, for each number of rows."""
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
        """One run answered these requests, which waited for `queue_ns` in all before it."""
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
        """These requests were given up after `ns` in all."""
        self.fail.count += requests
        self.fail.ns += ns
