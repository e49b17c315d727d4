"""A reader of an object returns what is there, however it is read, and asks for little more."""

import io
import random
import threading
from collections.abc import Callable

import pytest

from sealift.stores import StoreError
from sealift.stores import object_store as module
from sealift.stores.object_store import ObjectReader

CONTENT = bytes(range(251)) * 100


class Ranges:
    """Counts what is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def __call__(self, start: int, size: int) -> bytes:
        with self._lock:
            self.asked.append((start, size))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        with self._lock:
            self.at_once -= 1
        return CONTENT[start : start + size]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 1000)


def reader(ranges: Callable[[int, int], bytes]) -> io.BufferedReader:
    return io.BufferedReader(ObjectReader(ranges, len(CONTENT)), 1000)


@pytest.mark.parametrize("step", [1, 7, 999, 1000, 1001, 4096, len(CONTENT), -1])
def test_a_stream_read_in_any_steps_is_the_content_and_each_range_is_read_once(step: int) -> None:
    ranges = Ranges()
    with reader(ranges) as stream:
        pieces = [*iter(lambda: stream.read(step), b"")]

    assert b"".join(pieces) == CONTENT
    starts = [start for start, _ in ranges.asked]
    assert len(starts) - len(set(starts)) <= 1
    assert ranges.most_at_once <= module.RANGES_AHEAD


def test_seeking_and_reading_at_random_gives_the_content() -> None:
    chance = random.Random(7)
    with reader(Ranges()) as stream:
        for _ in range(500):
            start, size = chance.randrange(len(CONTENT) + 10), chance.choice([0, 1, 50, 1000, 2500])
            stream.seek(start)
            assert stream.read(size) == CONTENT[start : start + size]


def test_a_short_read_asks_for_what_is_read_alone() -> None:
    ranges = Ranges()
    stream = ObjectReader(ranges, len(CONTENT))

    assert (stream.read(10), stream.read(5)) == (CONTENT[:10], CONTENT[10:15])
    assert ranges.asked == [(0, 10), (10, 5)]


def test_only_a_reader_that_reads_on_gets_ranges_in_advance() -> None:
    ranges = Ranges()
    with reader(ranges) as stream:
        stream.read(10)
        assert ranges.asked == [(0, 1000)]
        stream.read(1000)
        stream.seek(20_000)
        stream.read(10)

    assert ranges.asked[-1] == (20_000, 1000)
    assert len(ranges.asked) == 1 + module.RANGES_AHEAD + 1


def test_an_error_comes_where_it_belongs() -> None:
    def broken(start: int, size: int) -> bytes:
        if start >= 3000:
            raise StoreError("broken")
        return CONTENT[start : start + size]

    with reader(broken) as stream:
        assert stream.read(3000) == CONTENT[:3000]
        with pytest.raises(StoreError, match="broken"):
            stream.read(1)


def test_a_closed_reader_leaves_no_threads() -> None:
    before = threading.active_count()
    with reader(Ranges()) as stream:
        stream.read(5000)

    assert threading.active_count() == before
