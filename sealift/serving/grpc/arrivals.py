"""Limits on the gRPC messages that arrive at the same time: their number, and the time each may take.

grpcio counts a message's bytes only when it is complete. Therefore few messages may be in transit at once, and a slow
one makes room for others. Unread data is limited by the flow-control window of each call.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import grpc.aio

from sealift.serving.errors import InvalidInput, Overloaded

MOST_ARRIVING: Final = 4
"""Times the largest size of a message, this bounds the memory of incomplete messages."""
MESSAGE_SECONDS: Final = 15.0
TURN_SECONDS: Final = 1.0
"""Time that a message has once others wait. Nearly all messages are complete already and need none of it."""


class Arrivals:
    """Places for arriving messages, shared by a group of calls."""

    def __init__(self, most: int = MOST_ARRIVING, seconds: float = MESSAGE_SECONDS) -> None:
        """Allows `most` messages at a time. Each may wait `seconds` for a place, and then arrive for as long again."""
        self._most = most
        self._seconds = seconds
        self._turns: dict[asyncio.Timeout, float] = {}
        """Deadlines of the messages in transit, and the time at which each one began."""
        self._waiting: list[asyncio.Future[None]] = []

    async def read(self, context: Any) -> bytes:
        """Returns a call's message. Raises Overloaded if it takes too long, and InvalidInput if the call has none."""
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
        """Waits for a place. The newest call is served first, because one that waits long usually sends nothing."""
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
            else:  # this call had been given a place, which another call can use
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
        """Gives a place to the newest waiting call."""
        while self._waiting:
            free = self._waiting.pop()
            if not free.done():
                free.set_result(None)
                break
