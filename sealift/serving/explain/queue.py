"""Explanations, one after the other in their own thread. Predictions continue meanwhile, and few may wait."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sealift.serving.errors import Overloaded

MOST: Final = 4
"""Limit on waiting explanations, including the current one."""
MOST_SECONDS: Final = 10.0
"""Time limit for each, including its wait. It is shorter than the shutdown of the server."""

Found = TypeVar("Found")


class Queue:
    """The queue of one event loop. The thread starts with the first explanation."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="explanation")
        self._count = 0

    def add(self, explain: Callable[[float], Found], done: Callable[[Found], None]) -> None:
        """Calls `explain` in the thread with its deadline by time.monotonic, then `done` on the loop. `explain`
        must not raise. Raises Overloaded if the queue is full."""
        if self._count >= MOST:
            raise Overloaded(f"{MOST} explanations are waiting already; try again")
        self._count += 1
        until = time.monotonic() + MOST_SECONDS
        running = asyncio.get_running_loop().run_in_executor(self._thread, explain, until)

        def tell(ran: "asyncio.Future[Found]") -> None:
            self._count -= 1
            done(ran.result())

        running.add_done_callback(tell)
