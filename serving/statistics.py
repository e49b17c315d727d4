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

    def __init__(self) -> None:
        self.count = 0
        self.ns = 0

    def add(self, count: int, ns: int) -> None:
        """So many more, which took so long together."""
        self.count += count
        self.ns += ns


class Compute:
    """The three parts of a run."""

    __slots__ = ("infer", "input", "output")

    def __init__(self) -> None:
        self.input = Durations()
        self.infer = Durations()
        self.output = Durations()

    def add(self, times: int, input_ns: int, infer_ns: int, output_ns: int) -> None:
        """So many more, each of which took so long."""
        self.input.add(times, times * input_ns)
        self.infer.add(times, times * infer_ns)
        self.output.add(times, times * output_ns)


class Statistics:
    """Of one model."""

    def __init__(self) -> None:
        self.last_ms = 0
        """When a request was last answered, in milliseconds since 1970; 0 for never."""
        self.rows = 0
        self.runs = 0
        self.success = Durations()
        self.fail = Durations()
        self.queue = Durations()
        self.compute = Compute()
        """By request: each that is run with others takes as long as they all do."""
        self.by_size: dict[int, Compute] = {}
        """By run, for each number of rows."""

    def ran(
        self, *, requests: int, rows: int, queue_ns: int, input_ns: int, infer_ns: int, output_ns: int, now_ms: int
    ) -> None:
        """One run answered these requests, which waited for `queue_ns` in all before it."""
        self.last_ms = now_ms
        self.rows += rows
        self.runs += 1
        self.success.add(requests, queue_ns + requests * (input_ns + infer_ns + output_ns))
        self.queue.add(requests, queue_ns)
        self.compute.add(requests, input_ns, infer_ns, output_ns)
        size = self.by_size.get(rows)
        if size is None:
            if len(self.by_size) >= MOST_SIZES:
                return
            size = self.by_size[rows] = Compute()
        size.add(1, input_ns, infer_ns, output_ns)

    def failed(self, *, requests: int, ns: int) -> None:
        """These requests were given up after `ns` in all."""
        self.fail.add(requests, ns)
