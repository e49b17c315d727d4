"""What comes at once is run together, and everyone gets what they would have got alone."""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sealift.serving import batches as serving_batches
from sealift.serving.batch_limits import BatchLimits
from sealift.serving.batches import QUICK_SECONDS, SHIFT_SECONDS, SHIFTS, Arrays, Batches
from sealift.serving.errors import InvalidInput, Overloaded
from sealift.serving.metrics.counts import Counts
from sealift.serving.model import Model
from sealift.serving.tensor import Array
from tests.unit.serving.tiny import DESCRIPTION, onnx_model


class Watched(Model):
    """Remembers the rows of each run, and refuses a negative number, as a model of ids would."""

    def __init__(self, pause: float = 0.0) -> None:
        super().__init__(onnx_model(), DESCRIPTION)
        self.pause = pause
        self.runs: list[int] = []
        self.threads: set[int] = set()

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> dict[str, Array]:
        if hasattr(self, "runs"):
            self.runs.append(len(inputs["input"]))
            self.threads.add(threading.get_ident())
            time.sleep(self.pause)
        if (inputs["input"] < 0).any():
            raise InvalidInput("negative")
        return super().run(inputs, outputs)


def rows(*hundreds: float) -> Arrays:
    return {"input": np.array([[1, 2, number] for number in hundreds], np.float32)}


def answers(model: Watched, limits: BatchLimits, *requests: Arrays) -> list[object]:
    """To what comes in one turn of the loop: numbers, or the kind of error."""

    async def ask() -> list[Arrays | Exception]:
        with ThreadPoolExecutor(1) as worker:
            batches = Batches(model, limits, worker, Counts())
            loop = asyncio.get_running_loop()
            told: list[asyncio.Future[Arrays | Exception]] = [loop.create_future() for _ in requests]
            for inputs, future in zip(requests, told, strict=True):
                batches.add(inputs, future.set_result)
            return await asyncio.gather(*told)

    return [
        type(result) if isinstance(result, Exception) else result["prediction"].ravel().tolist()
        for result in asyncio.run(ask())
    ]


@pytest.mark.parametrize("seconds", [1e-5, 0.1], ids=["quick", "slow"])
@pytest.mark.parametrize(
    ("limits", "runs"),
    [
        ((1, 64), [6]),
        ((1, 4), [3, 3]),
        ((2, 5), [5, 2]),
        ((2, 2), [2, 2, 2, 2]),
        ((1, 2), [1, 2, 2, 1]),
        ((1, 1), [1, 2, 2, 1]),
    ],
)
def test_each_gets_their_own_rows(limits: tuple[int, int], runs: list[int], seconds: float) -> None:
    model = Watched()

    found = answers(model, BatchLimits(*limits, seconds, 0.0), rows(3), rows(4, 5), rows(6, 7), rows(8))

    assert found == [[321], [421, 521], [621, 721], [821]]
    assert model.runs == runs
    assert (threading.get_ident() in model.threads) is (seconds < QUICK_SECONDS)


def test_one_that_cannot_be_answered_spoils_no_other() -> None:
    model = Watched()

    assert answers(model, BatchLimits(1, 64, 1e-5, 0.0), rows(3), rows(-4), rows(5)) == [[321], InvalidInput, [521]]
    assert model.runs == [3, 1, 1, 1]


def test_statistics_tell_who_was_answered_and_who_was_not() -> None:
    model = Watched()
    answers(model, BatchLimits(1, 64, 1e-5, 0.0), rows(3), rows(-4), rows(5, 6))
    found = model.statistics

    assert (found.runs, found.rows, found.success.count, found.fail.count) == (1, 3, 2, 1)
    assert (found.queue.count, found.compute.infer.count, list(found.by_size)) == (2, 2, [3])
    assert 0 <= found.queue.ns < found.success.ns
    assert found.fail.ns > 0


def test_more_than_fits_into_one_run_is_run_at_once() -> None:
    model = Watched()

    assert answers(model, BatchLimits(1, 2, 1e-5, 0.0), rows(3, 4, 5, 6))[0] == [321, 421, 521, 621]
    assert model.runs == [4]


def test_more_work_than_can_be_done_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_batches, "QUEUE_SECONDS", 1.0)
    model = Watched()
    told: list[object] = []

    async def ask() -> None:
        with ThreadPoolExecutor(1) as worker:
            batches = Batches(model, BatchLimits(1, 64, 0.3, 0.3), worker, Counts())
            for _ in range(3):
                batches.add(rows(3), told.append)
            assert batches.is_full
            with pytest.raises(Overloaded, match="try again"):
                batches.add(rows(3), told.append)
            done = asyncio.Event()
            await asyncio.sleep(0.1)
            batches.add(rows(3), lambda _: done.set())
            await done.wait()

    asyncio.run(ask())
    assert len(told) == 3
    assert (model.statistics.success.count, model.statistics.fail.count) == (4, 1)


def test_the_thread_goes_on_while_the_loop_is_busy_with_others() -> None:
    model = Watched(0.05)
    told: list[object] = []

    async def ask() -> None:
        with ThreadPoolExecutor(1) as worker:
            batches = Batches(model, BatchLimits(1, 1, SHIFT_SECONDS, 0.0), worker, Counts())
            for _ in range(4):
                batches.add(rows(3), told.append)
            for _ in range(SHIFTS + 1):
                await asyncio.sleep(0)
            time.sleep(0.2)  # noqa: ASYNC251 - the loop's other work
            assert (len(model.runs), told) == (SHIFTS, [])
            while len(told) < 4:  # noqa: ASYNC110 - nobody else is told
                await asyncio.sleep(0.01)

    asyncio.run(ask())
    assert model.runs == [1] * 4


def test_one_that_alone_takes_longer_than_the_queue_is_served() -> None:
    assert answers(Watched(), BatchLimits(1, 64, 5.0, 5.0), rows(3)) == [[321]]
