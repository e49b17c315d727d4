"""Connections and their end: uvloop, with a drain that no request is lost in.

Told to stop, the server first, for up to DRAIN_SECONDS, goes on accepting and answering, with `connection: close`;
clients that are busy leave by themselves. Only then are idle connections closed, each with a 408 for a request that
crosses it on its way, which says that it was not taken and may be sent again. Requests in flight have GRACE_SECONDS
more.
"""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

import uvloop

from sealift.serving.errors import StartError
from sealift.serving.http.connection import Connection, Connections
from sealift.serving.http.handshakes import Handshakes
from sealift.serving.http.limits import BODY_SECONDS
from sealift.serving.http.messages import Handler
from sealift.serving.http.service import Service
from sealift.serving.http.tls import Certificate
from sealift.serving.http.watch import Watch
from sealift.serving.log import log

BACKLOG: Final = 1024
EVERY_ADDRESS: Final = "::"
"""Of IPv6, and of IPv4 with it."""
DRAIN_SECONDS: Final = 4.0
GRACE_SECONDS: Final = BODY_SECONDS + 3  # with the drain, less than the pod has after its preStop sleep
TICK_SECONDS: Final = 0.05
CHECK_SECONDS: Final = 0.25
SWITCH_SECONDS: Final = 0.0005  # Python's own 5 ms would keep the thread that runs slow models waiting for the loop


class Transport(Protocol):
    """Another one, in the same event loop."""

    async def start(self) -> None:
        """Listens. Raises StartError."""

    async def stop(self, seconds: float) -> None:
        """Takes no more calls. Returns when those in flight have ended, or are given up after so many seconds."""


class Server:
    """Serves until it is told to stop: by stop, or, in the main thread, by SIGTERM or SIGINT. Twice is at once."""

    def __init__(
        self, service: Service, another: Transport | None = None, certificate: Certificate | None = None
    ) -> None:
        """With a certificate it speaks HTTPS, and without one HTTP."""
        self._service = service
        self._certificate = certificate
        self._another = another
        self._stopping: asyncio.Task[None] | None = None
        self.connections = Connections(service)
        self._beside: list[tuple[Connections, socket.socket]] = []
        self._stop = asyncio.Event()
        self._told_times = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def also(self, handler: Handler, listening: socket.socket) -> None:
        """To be called before run: serves this too, until the model's clients have left."""
        self._beside.append((Connections(handler), listening))

    def run(self, listening: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
        """Calls `ready` when it listens, and returns once it has drained. Raises StartError."""
        _allow_descriptors()
        gc.collect()
        gc.freeze()  # what is here stays, and need not be looked at again
        sys.setswitchinterval(SWITCH_SECONDS)
        uvloop.run(self._serve(listening, ready))

    def stop(self) -> None:
        """Any thread may call it."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told)

    async def _serve(self, listening: socket.socket, ready: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self._told)
        if self._another is not None:
            await self._another.start()
        accepting = await self._accept(self.connections, listening)
        beside = [await self._accept(connections, on) for connections, on in self._beside]
        checking = self._loop.create_task(self._check())
        ready()
        await self._stop.wait()
        await self._drain()
        if self._another is not None:
            self._stopping = self._loop.create_task(self._another.stop(GRACE_SECONDS))
        accepting.close()
        for client in list(self.connections.clients):
            client.dismiss()
        await self._wait(GRACE_SECONDS)
        checking.cancel()
        for other in beside:
            other.close()
        for connections in self._all():
            for client in list(connections.clients):
                client.abort()
        if self._another is not None:
            await self._another.stop(0)
        log("info", "stopped")

    def _all(self) -> list[Connections]:
        return [self.connections, *(connections for connections, _ in self._beside)]

    async def _accept(self, connections: Connections, listening: socket.socket) -> asyncio.Server | Handshakes:
        if self._certificate is not None:
            return Handshakes(listening, lambda: Connection(connections), self._certificate.context)
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Connection(connections), sock=listening, backlog=BACKLOG)

    def _told(self) -> None:
        self._stop.set()
        self._told_times += 1

    async def _check(self) -> None:
        parts: dict[str, Callable[[], None]] = {
            "connections": self._tick,
            "access": lambda: self._service.served.access.refresh(time.time()),
            "drift": self._service.served.batches.drift.count,
        }
        if self._certificate is not None:
            parts["certificate"] = self._certificate.refresh
        watch = Watch(parts, self._service.served.counts.watch_failures)
        while True:
            watch.look()
            await asyncio.sleep(CHECK_SECONDS)

    def _tick(self) -> None:
        for connections in self._all():
            connections.tick()

    async def _drain(self) -> None:
        self._service.served.draining = True
        log("info", "draining", connections=len(self.connections.clients))
        await self._wait(DRAIN_SECONDS)

    async def _wait(self, seconds: float) -> None:
        """Until nobody is connected, and the other transport has stopped if it was told to."""
        while seconds > 0 and self._told_times == 1 and self._has_clients():
            await asyncio.sleep(TICK_SECONDS)
            seconds -= TICK_SECONDS

    def _has_clients(self) -> bool:
        return bool(self.connections.clients) or (self._stopping is not None and not self._stopping.done())


def every_address() -> str:
    """The host that stands for all of IPv6 and IPv4, or for all of IPv4 on a machine that has no IPv6."""
    try:
        with listen(EVERY_ADDRESS, 0):
            return EVERY_ADDRESS
    except StartError:
        return "0.0.0.0"  # noqa: S104 - in a pod; what reaches it is the Service's matter


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free one. Clients that come before the model is open wait in its queue."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == EVERY_ADDRESS and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        hint = "if another server uses it, give another one with --port"
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}", hint) from None


def _allow_descriptors() -> None:
    """As many as this process may have: a login's usual 1,024 are too few for all connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
