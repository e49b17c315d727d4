"""Runs together what came in the same turn of the event loop: no timer, nothing to tune, no cost for a lone client.

A model that answers quickly is run on the loop itself. A slow one is run in a thread, and what comes meanwhile is the
next batch. More work than QUEUE_SECONDS is not queued: it is refused, so that who is served is served in time.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Final

import numpy as np

from serving.errors import Overloaded
from serving.metrics.counts import Counts
from serving.model import Model
from serving.tensor import Array
from serving.together import Together, filled

QUICK_SECONDS: Final = 0.001
"""A run that takes longer would keep the loop from answering others, the probes among them."""
QUEUE_SECONDS: Final = 0.5
SHIFT_SECONDS: Final = 0.02
"""Of work that the thread is given at a time."""
SHIFTS: Final = 2

RECENT: Final = 0.05
"""What the latest run counts in the mean."""

Arrays = Mapping[str, Array]
Done = Callable[[Arrays | Exception], None]
"""Called on the loop with all outputs by name, or with what went wrong."""
Waiting = tuple[Arrays, int, Done, float]
"""Inputs, their rows, who is told, since when."""
Results = list[Arrays | Exception]


class Batches:
    """Of one model and one event loop."""

    def __init__(self, model: Model, together: Together, worker: Executor, counts: Counts) -> None:
        self._model = model
        self._outputs = list(model.outputs)
        self._least, self._most = together.least, together.most
        self._worker = worker
        self._counts = counts
        self._run_seconds, self._row_seconds = together.run_seconds, together.row_seconds
        self._slowness = 1.0
        """What runs take of late, to what they took when they were tried: other work on the processor counts in."""
        self._waiting: list[Waiting] = []
        self.rows = 0
        """That wait, or are run in the thread."""
        self._shifts = 0
        """That the thread has: one that it runs, and one to go on with, so that it need not wait for the loop."""

    def add(self, inputs: Arrays, done: Done) -> None:
        """Raises Overloaded."""
        rows = rows_of(inputs)
        if self.rows and self._seconds(self.rows + rows) * self._slowness > QUEUE_SECONDS:
            raise overloaded()
        self.rows += rows
        self._waiting.append((inputs, rows, done, time.perf_counter()))
        if len(self._waiting) == 1 and self._shifts < SHIFTS:
            asyncio.get_running_loop().call_soon(self._next)

    @property
    def is_full(self) -> bool:
        """Whether one row more is more than can be done in time."""
        return self.rows > 0 and self._seconds(self.rows + 1) * self._slowness > QUEUE_SECONDS

    async def run(self, inputs: Arrays) -> Arrays:
        """The same for who awaits it: all outputs by name. Raises what went wrong."""
        told: asyncio.Future[Arrays] = asyncio.get_running_loop().create_future()
        self.add(inputs, partial(_settle, told))
        return await told

    def _next(self) -> None:
        """Runs what fits into one run; what does not, in the loop's next turn, so that others come in between."""
        if not self._waiting or self._shifts == SHIFTS:
            return
        batch, rows = self._take()
        if self._seconds(rows) < QUICK_SECONDS:
            results = self._run(batch, rows)
            self.rows -= rows
            self._tell([(batch, results)])
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
        """What fits into one run, and its rows."""
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
        for _, _, _, since in batch:
            observe(now - since)
        self._counts.run_rows.observe(rows)

    def _run_all(self, shift: list[tuple[list[Waiting], int]]) -> list[Results]:
        """In the thread."""
        return [self._run(batch, rows) for batch, rows in shift]

    def _ran(self, shift: list[tuple[list[Waiting], int]], results: list[Results]) -> None:
        self._shifts -= 1
        self.rows -= sum(rows for _, rows in shift)
        self._tell([(batch, told) for (batch, _), told in zip(shift, results, strict=True)])

    def _run(self, batch: list[Waiting], rows: int) -> Results:
        """Any thread may call it."""
        begun = time.perf_counter()
        results: Results
        if len(batch) == 1:
            results = [self._alone(batch[0][0], rows)]
        else:
            together = {name: np.concatenate([inputs[name] for inputs, *_ in batch]) for name in batch[0][0]}
            answers = self._alone(together, rows)
            results = (
                [self._alone(*one[:2]) for one in batch] if isinstance(answers, Exception) else _split(answers, batch)
            )
        slowness = (time.perf_counter() - begun) / self._seconds(rows)
        # One run that was held up for long says little about the next.
        self._slowness += RECENT * (min(slowness, 2 * self._slowness) - self._slowness)
        return results

    def _seconds(self, rows: int) -> float:
        """That one run of so many takes on a processor of its own."""
        return self._run_seconds + self._row_seconds * (rows - 1)

    def _alone(self, inputs: Arrays, rows: int) -> Arrays | Exception:
        try:
            if rows >= self._least:
                return self._model.run(inputs, self._outputs)
            answers = self._model.run(filled(inputs, self._least), self._outputs)
            return {name: answer[:rows] for name, answer in answers.items()}
        except Exception as error:  # noqa: BLE001 - it is told to whoever asked, who knows what to do with it
            return error

    def _tell(self, told: list[tuple[list[Waiting], Results]]) -> None:
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._next)
        for batch, results in told:
            for (_, _, done, _), result in zip(batch, results, strict=True):
                done(result)


def overloaded() -> Overloaded:
    """More work waits than can be done in time."""
    return Overloaded(f"more work is waiting than {QUEUE_SECONDS:g} seconds can do; try again")


def _settle(told: "asyncio.Future[Arrays]", result: Arrays | Exception) -> None:
    if told.done():  # who asked has left
        return
    if isinstance(result, Exception):
        told.set_exception(result)
    else:
        told.set_result(result)


def rows_of(inputs: Arrays) -> int:
    """How many rows they are; a single value is one."""
    first = next(iter(inputs.values()))
    return len(first) if first.ndim else 1


def _split(answers: Arrays, batch: list[Waiting]) -> Results:
    results: Results = []
    start = 0
    for _, rows, *_ in batch:
        results.append({name: answer[start : start + rows] for name, answer in answers.items()})
        start += rows
    return results
