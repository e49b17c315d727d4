"""The server's life cycle: uvloop, all transports on it, and a drain that loses no request. It knows no transport.

After the signal to stop, the server reports that it is not ready, but accepts and answers requests for up to
DRAIN_SECONDS, while clients leave. Then each transport stops. Requests in flight have another GRACE_SECONDS.
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
"""Longer than a request may take to arrive. With the drain, less than the pod has after its preStop sleep."""
TICK_SECONDS: Final = 0.05
CHECK_SECONDS: Final = 0.25
SWITCH_SECONDS: Final = 0.0005  # Python's own 5 ms would keep the thread that runs slow models waiting for the loop


class Transport(Protocol):
    """A way to receive requests, in the server's event loop."""

    @property
    def clients(self) -> int:
        """Number of connected clients that a drain waits for."""

    async def start(self) -> None:
        """Starts listening. Raises StartError."""

    def tick(self) -> None:
        """Called a few times a second. Ends connections that exceed a time limit."""

    async def stop(self, seconds: float) -> None:
        """Accepts no more requests. Returns when those in flight have ended, or gives them up after `seconds`."""


class Server:
    """Serves until `stop`, or, in the main thread, SIGTERM or SIGINT. A second signal stops it at once."""

    def __init__(
        self,
        served: Served,
        transports: Sequence[Transport],
        beside: Sequence[Transport] = (),
        certificate: Certificate | None = None,
    ) -> None:
        """Transports `beside` stop after the clients of the others have left. The certificate is refreshed."""
        self._served = served
        self._transports = transports
        self._beside = beside
        self._certificate = certificate
        self._stop = asyncio.Event()
        self._told_times = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Calls `ready` when all transports listen. Returns after the drain. Raises StartError."""
        _allow_descriptors()
        gc.collect()
        gc.freeze()  # these objects stay, so the collector need not check them again
        sys.setswitchinterval(SWITCH_SECONDS)
        uvloop.run(self._serve(ready))

    def stop(self) -> None:
        """Stops the server. Any thread may call it."""
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
        """Waits while `more` holds, up to `seconds`, or until a second signal."""
        while seconds > 0 and self._told_times == 1 and more():
            await asyncio.sleep(TICK_SECONDS)
            seconds -= TICK_SECONDS


def _allow_descriptors() -> None:
    """Raises the limit on file descriptors to its maximum: the usual 1,024 are too few for all connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
