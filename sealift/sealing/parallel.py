"""Work on all cores. The ciphers and hashes of large buffers release the interpreter's lock, so threads are enough."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

MOST_IN_ORDER: Final = 8
"""Most threads whose results are taken in order. One thread takes them, and cannot keep up with more."""


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def for_each(work: Callable[[int], object], count: int) -> None:
    """Calls `work` with each number below `count`, in any order and on all cores. Raises its first error, after all
    threads have ended."""
    workers = min(cores(), count)
    numbers, over = iter(range(count)), list[bool]()  # one step of a range's iterator cannot be interrupted

    def work_on() -> None:
        try:
            for number in numbers:
                if over:
                    return
                work(number)
        except BaseException:
            over.append(True)
            raise

    if workers < 2:
        work_on()
        return
    with ThreadPoolExecutor(workers - 1) as pool:
        others = [pool.submit(work_on) for _ in range(workers - 1)]
        work_on()
        for other in others:
            other.result()


def in_order(work: Callable[[T], R], items: Iterator[T]) -> Iterator[R]:
    """Applies `work` to items on several cores, and yields the results in order. Only a few items are in progress at a
    time, which bounds the memory: the next item is taken after the caller has used the result before.
    """
    first = list(islice(items, 2))
    if len(first) < 2:
        yield from map(work, first)
        return
    workers = min(cores(), MOST_IN_ORDER)
    with ThreadPoolExecutor(workers) as pool:
        under_way = deque(pool.submit(work, item) for item in first)
        for item in items:
            under_way.append(pool.submit(work, item))
            if len(under_way) > 2 * workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
