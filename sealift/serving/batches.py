"""Batching: requests that arrive in the same turn of the event loop run together. No timer, nothing to tune, no cost
for a single client.

A fast model runs on the loop itself. A slow one runs in a thread, and requests that arrive meanwhile form the next
batch. The queue holds at most QUEUE_SECONDS of work. Further requests are refused, so that accepted requests are
answered in time.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from sealift.serving.batch_limits import BatchLimits, fill
from sealift.serving.drift import Drift
from sealift.serving.errors import Overloaded
from sealift.serving.metrics.counts import Counts
from sealift.serving.model import Model
from sealift.serving.tensor import Array

QUICK_SECONDS: Final = 0.001
"""A longer run would keep the loop from answering other requests, including the probes."""
QUEUE_SECONDS: Final = 0.5
SHIFT_SECONDS: Final = 0.02
"""Amount of work that the thread is given at a time."""
SHIFTS: Final = 2

RECENT: Final = 0.05
"""Weight of the latest run in the moving average."""

Arrays = Mapping[str, Array]
Done = Callable[[Arrays | Exception], None]
"""Called on the loop with all outputs by name, or with the error."""


class Ran(NamedTuple):
    """One run: its start by time.perf_counter_ns, its size, and the durations of its parts: joining inputs, running,
    splitting outputs."""

    begun_ns: int
    requests: int
    rows: int
    input_ns: int
    infer_ns: int
    output_ns: int


Watch = Callable[[Ran], None]
"""Called on the loop with the run, before its result is delivered."""
Waiting = tuple[Arrays, int, Done, float, Watch | None]
"""Inputs, their rows, callback for the result, time of arrival, callback for the run."""
Results = list[Arrays | Exception]


class Batches:
    """The queue of one model in one event loop."""

    def __init__(self, model: Model, limits: BatchLimits, worker: Executor, counts: Counts) -> None:
        self._model = model
        self._statistics = model.statistics
        self.drift = Drift(model)
        self._outputs = list(model.outputs)
        self._least, self._most = limits.least, limits.most
        self._worker = worker
        self._counts = counts
        self._run_seconds, self._row_seconds = limits.run_seconds, limits.row_seconds
        self._slowness = 1.0
        """Ratio of recent run times to those of the trial, which includes other work on the processor."""
        self._waiting: list[Waiting] = []
        self.rows = 0
        """Rows that wait, or are running in the thread."""
        self._shifts = 0
        """Shifts that the thread has: one that runs, and a next one, so that it does not wait for the loop."""

    def add(self, inputs: Arrays, done: Done, watch: Watch | None = None) -> None:
        """Queues a request. Raises Overloaded."""
        rows = rows_of(inputs)
        if self.rows and self._seconds(self.rows + rows) * self._slowness > QUEUE_SECONDS:
            self._statistics.count_failure(requests=1, ns=0)
            raise make_overloaded()
        if self.drift.takes:
            self.drift.note(inputs)
        self.rows += rows
        self._waiting.append((inputs, rows, done, time.perf_counter(), watch))
        if len(self._waiting) == 1 and self._shifts < SHIFTS:
            asyncio.get_running_loop().call_soon(self._next)

    @property
    def is_full(self) -> bool:
        """Whether one more row would exceed the queue's time limit."""
        return self.rows > 0 and self._seconds(self.rows + 1) * self._slowness > QUEUE_SECONDS

    async def run(self, inputs: Arrays, watch: Watch | None = None) -> Arrays:
        """Queues a request and waits for it. Returns all outputs by name, or raises the error of the run."""
        told: asyncio.Future[Arrays] = asyncio.get_running_loop().create_future()
        self.add(inputs, partial(_settle, told), watch)
        return await told

    def _next(self) -> None:
        """Runs what fits into one run. The rest follows in the loop's next turn, so that other work gets its turn."""
        if not self._waiting or self._shifts == SHIFTS:
            return
        batch, rows = self._take()
        if self._seconds(rows) < QUICK_SECONDS:
            ran = self._run(batch, rows)
            self.rows -= rows
            self._tell([(batch, *ran)])
            return
        shift = [(batch, rows)]
        seconds = self._seconds(rows)
        while self._waiting and seconds < SHIFT_SECONDS:
            batch, rows = self._take()
            shift.append((batch, rows))
            seconds += self._seconds(rows)
        self._shifts += 1
        running = asyncio.get_running_loop().run_in_executor(self._worker, self._run_all, shift)
        running.add_done_callback(lambda ran: self._ran(shift, ran.result()))
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next)

    def _take(self) -> tuple[list[Waiting], int]:
        """Takes the requests that fit into one run. Returns them and the number of their rows."""
        waiting = self._waiting
        count, rows = 1, waiting[0][1]
        while count < len(waiting) and rows + waiting[count][1] <= self._most:
            rows += waiting[count][1]
            count += 1
        batch, self._waiting = waiting[:count], waiting[count:]
        self._count(batch, rows)
        return batch, rows

    def _count(self, batch: list[Waiting], rows: int) -> None:
        now, observe = time.perf_counter(), self._counts.queue_seconds.observe
        for _, _, _, since, _ in batch:
            observe(now - since)
        self._counts.run_rows.observe(rows)

    def _run_all(self, shift: list[tuple[list[Waiting], int]]) -> list[tuple[Results, Ran]]:
        """Runs the batches of a shift. Called in the thread."""
        return [self._run(batch, rows) for batch, rows in shift]

    def _ran(self, shift: list[tuple[list[Waiting], int]], runs: list[tuple[Results, Ran]]) -> None:
        self._shifts -= 1
        self.rows -= sum(rows for _, rows in shift)
        self._tell([(batch, *ran) for (batch, _), ran in zip(shift, runs, strict=True)])

    def _run(self, batch: list[Waiting], rows: int) -> tuple[Results, Ran]:
        """Runs one batch. Any thread may call it."""
        begun = time.perf_counter_ns()
        results: Results
        if len(batch) == 1:
            merged = begun
            results = [self._alone(batch[0][0], rows)]
            answered = done = time.perf_counter_ns()
        else:
            together = {name: np.concatenate([inputs[name] for inputs, *_ in batch]) for name in batch[0][0]}
            merged = time.perf_counter_ns()
            answers = self._alone(together, rows)
            answered = time.perf_counter_ns()
            results = (
                [self._alone(*one[:2]) for one in batch] if isinstance(answers, Exception) else _split(answers, batch)
            )
            done = time.perf_counter_ns()
        slowness = (done - begun) / 1e9 / self._seconds(rows)
        # A single run that was delayed for long says little about the next.
        self._slowness += RECENT * (min(slowness, 2 * self._slowness) - self._slowness)
        return results, Ran(begun, len(batch), rows, merged - begun, answered - merged, done - answered)

    def _seconds(self, rows: int) -> float:
        """Returns the expected duration of one run of `rows` rows on an otherwise idle processor."""
        return self._run_seconds + self._row_seconds * (rows - 1)

    def _alone(self, inputs: Arrays, rows: int) -> Arrays | Exception:
        try:
            if rows >= self._least:
                return self._model.run(inputs, self._outputs)
            answers = self._model.run(fill(inputs, self._least), self._outputs)
            return {name: answer[:rows] for name, answer in answers.items()}
        except Exception as error:  # noqa: BLE001 - it is passed to the caller, who handles it
            return error

    def _tell(self, told: list[tuple[list[Waiting], Results, Ran]]) -> None:
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next)
        for batch, results, ran in told:
            self._note(batch, results, ran)
            for (_, _, done, _, watch), result in zip(batch, results, strict=True):
                if watch is not None:
                    watch(ran)
                done(result)

    def _note(self, batch: list[Waiting], results: Results, ran: Ran) -> None:
        now, (_, _, rows, input_ns, infer_ns, output_ns) = time.perf_counter(), ran
        answered, since_all = 0, 0.0
        for (_, count, _, since, _), result in zip(batch, results, strict=True):
            if not isinstance(result, Exception):
                answered += 1
                since_all += since
            else:
                rows -= count
                self._statistics.count_failure(requests=1, ns=int((now - since) * 1e9))
        if answered:
            queue_ns = int((answered * now - since_all) * 1e9) - answered * (input_ns + infer_ns + output_ns)
            self._statistics.ran(
                requests=answered, rows=rows, queue_ns=max(0, queue_ns), input_ns=input_ns, infer_ns=infer_ns,
                output_ns=output_ns, now_ms=int(time.time() * 1000),
            )  # fmt: skip


def make_overloaded() -> Overloaded:
    """Makes the error for a queue that is full."""
    return Overloaded(f"the queue exceeds the limit of {QUEUE_SECONDS:g} seconds of work; try again")


def _settle(told: "asyncio.Future[Arrays]", result: Arrays | Exception) -> None:
    if told.done():  # the caller was cancelled
        return
    if isinstance(result, Exception):
        told.set_exception(result)
    else:
        told.set_result(result)


def rows_of(inputs: Arrays) -> int:
    """Returns the number of rows in the inputs. A single value counts as one row."""
    first = next(iter(inputs.values()))
    return len(first) if first.ndim else 1


def _split(answers: Arrays, batch: list[Waiting]) -> Results:
    results: Results = []
    start = 0
    for _, rows, *_ in batch:
        results.append({name: answer[start : start + rows] for name, answer in answers.items()})
        start += rows
    return results
