"""Messages as they arrive: how many at a time, and for how long. grpcio counts no byte before a message is whole, so
few may be under way at once, and one that is slow gives way to others. What is not read yet takes no more than the
window that a client is granted.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import grpc.aio

from sealift.serving.errors import InvalidInput, Overloaded

MOST_ARRIVING: Final = 4
"""With the bytes of a message, the memory that unfinished ones take."""
MESSAGE_SECONDS: Final = 15.0
TURN_SECONDS: Final = 1.0
"""For a message that others wait for. Those that are whole already, as nearly all, take none of it."""


class Arrivals:
    """Those of calls that wait for each other."""

    def __init__(self, most: int = MOST_ARRIVING, seconds: float = MESSAGE_SECONDS) -> None:
        """`most` at a time. Each may wait for so many seconds, and then be under way for as many."""
        self._most = most
        self._seconds = seconds
        self._turns: dict[asyncio.Timeout, float] = {}
        """Of the messages under way, with when they began."""
        self._waiting: list[asyncio.Future[None]] = []

    async def read(self, context: Any) -> bytes:
        """A call's message. Raises Overloaded, and InvalidInput where there is none."""
        try:
            async with asyncio.timeout(self._seconds):
                while len(self._turns) >= self._most:
                    await self._wait()
        except TimeoutError:
            raise Overloaded("too many messages are being received; try again") from None
        try:
            async with asyncio.timeout(self._seconds) as turn:
                with self._turn(turn):
                    message = await context.read()
        except TimeoutError:
            raise Overloaded("the message did not arrive in time; send it again") from None
        if message is grpc.aio.EOF:
            raise InvalidInput("this call has no message; expected one")
        if not isinstance(message, bytes):
            raise TypeError("internal error: a message is bytes until it is parsed")
        return message

    async def _wait(self) -> None:
        """For a place. The last to come is the first served: who waits for long mostly has nothing to send."""
        now = asyncio.get_running_loop().time()
        for turn, began in self._turns.items():
            turn.reschedule(min(turn.when() or now, max(now, began + TURN_SECONDS)))
        free: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(free)
        try:
            await free
        except asyncio.CancelledError:
            if free in self._waiting:
                self._waiting.remove(free)
            else:  # it had a place, which another one can have
                self._wake()
            raise

    @contextmanager
    def _turn(self, turn: asyncio.Timeout) -> Generator[None]:
        self._turns[turn] = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            del self._turns[turn]
            self._wake()

    def _wake(self) -> None:
        """The last to come of those that wait."""
        while self._waiting:
            free = self._waiting.pop()
            if not free.done():
                free.set_result(None)
                break
