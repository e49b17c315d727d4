"""The server's life: uvloop, every transport on it, and a drain that no request is lost in. It knows no transport.

Told to stop, the server first, for up to DRAIN_SECONDS, goes on accepting and answering, while it says that it is not
ready; clients that are busy leave by themselves. Only then does each transport stop. Requests in flight have
GRACE_SECONDS more.
"""

import asyncio
import contextlib
import gc
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import uvloop

from sealift.serving.certificate import Certificate
from sealift.serving.log import log
from sealift.serving.served import Served
from sealift.serving.watch import FileWatch

DRAIN_SECONDS: Final = 4.0
GRACE_SECONDS: Final = 18.0
"""More than any transport gives a request to arrive; with the drain, less than the pod has after its preStop sleep."""
TICK_SECONDS: Final = 0.05
CHECK_SECONDS: Final = 0.25
SWITCH_SECONDS: Final = 0.0005  # Python's own 5 ms would keep the thread that runs slow models waiting for the loop


class Transport(Protocol):
    """One way to ask, in the server's event loop."""

    @property
    def clients(self) -> int:
        """Those that are connected, as far as a drain waits for them."""

    async def start(self) -> None:
        """Listens. Raises StartError."""

    def tick(self) -> None:
        """Called a few times a second: ends what takes too long."""

    async def stop(self, seconds: float) -> None:
        """Takes no more requests. Returns when those in flight have ended, or are given up after so many seconds."""


class Server:
    """Serves until it is told to stop: by stop, or, in the main thread, by SIGTERM or SIGINT. Twice is at once."""

    def __init__(
        self,
        served: Served,
        transports: Sequence[Transport],
        beside: Sequence[Transport] = (),
        certificate: Certificate | None = None,
    ) -> None:
        """Those `beside` the transports stay until the clients of these have left. The certificate is looked after."""
        self._served = served
        self._transports = transports
        self._beside = beside
        self._certificate = certificate
        self._stop = asyncio.Event()
        self._told_times = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Calls `ready` when all listen, and returns once it has drained. Raises StartError."""
        _allow_descriptors()
        gc.collect()
        gc.freeze()  # what is here stays, and need not be looked at again
        sys.setswitchinterval(SWITCH_SECONDS)
        uvloop.run(self._serve(ready))

    def stop(self) -> None:
        """Any thread may call it."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._count_signal)

    async def _serve(self, ready: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self._count_signal)
        for transport in (*self._transports, *self._beside):
            await transport.start()
        checking = self._loop.create_task(self._check())
        ready()
        await self._stop.wait()
        await self._drain()
        stopping = [self._loop.create_task(transport.stop(GRACE_SECONDS)) for transport in self._transports]
        await self._wait(GRACE_SECONDS, lambda: not all(task.done() for task in stopping))
        checking.cancel()
        for transport in (*self._beside, *self._transports):
            await transport.stop(0)
        log("info", "stopped")

    def _count_signal(self) -> None:
        self._stop.set()
        self._told_times += 1

    async def _check(self) -> None:
        parts: dict[str, Callable[[], None]] = {
            "connections": self._tick,
            "access": lambda: self._served.access.refresh(time.time()),
            "drift": self._served.batches.drift.count,
        }
        if self._certificate is not None:
            parts["certificate"] = self._certificate.refresh
        watch = FileWatch(parts, self._served.counts.watch_failures)
        while True:
            watch.look()
            await asyncio.sleep(CHECK_SECONDS)

    def _tick(self) -> None:
        for transport in (*self._transports, *self._beside):
            transport.tick()

    async def _drain(self) -> None:
        self._served.draining = True
        log("info", "draining", connections=self._clients())
        await self._wait(DRAIN_SECONDS, lambda: self._clients() > 0)

    def _clients(self) -> int:
        return sum(transport.clients for transport in self._transports)

    async def _wait(self, seconds: float, more: Callable[[], bool]) -> None:
        """For as long as there is more to wait for, and it was told to stop once only."""
        while seconds > 0 and self._told_times == 1 and more():
            await asyncio.sleep(TICK_SECONDS)
            seconds -= TICK_SECONDS


def _allow_descriptors() -> None:
    """As many as this process may have: a login's usual 1,024 are too few for all connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
