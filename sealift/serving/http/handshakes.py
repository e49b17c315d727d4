"""Accepts TLS clients. During its handshake, a client counts nowhere else and takes more memory than afterwards. So the
number of handshakes is limited, and a further one ends the oldest.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Final

from sealift.serving.http.limits import HEAD_SECONDS, MAX_HANDSHAKES

ACCEPTED_AT_ONCE: Final = 64


class Handshakes:
    """The handshakes of one listening socket. Create and close it in the event loop."""

    def __init__(self, listening: socket.socket, made: Callable[[], asyncio.Protocol], context: ssl.SSLContext) -> None:
        self._listening, self._made, self._context = listening, made, context
        self._loop = asyncio.get_running_loop()
        self._pending: dict[asyncio.Task[None], socket.socket] = {}
        """Handshakes in progress, the oldest first."""
        listening.setblocking(False)
        self._loop.add_reader(listening, self._accept)

    def close(self) -> None:
        """Accepts no more clients, and ends the handshakes in progress."""
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for task in list(self._pending):
            self._let_go(task)

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                client, _address = self._listening.accept()
            except OSError:  # no client, or no file descriptor left: clients wait in the socket's queue
                return
            client.setblocking(False)
            if len(self._pending) >= MAX_HANDSHAKES:
                self._let_go(next(iter(self._pending)))
            task = self._loop.create_task(self._shake_hands(client))
            self._pending[task] = client
            task.add_done_callback(lambda done: self._pending.pop(done, None))

    async def _shake_hands(self, client: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._made, client, ssl=self._context, ssl_handshake_timeout=HEAD_SECONDS
            )
        except OSError:  # an error of the socket or of TLS, or a timeout
            client.close()

    def _let_go(self, task: asyncio.Task[None]) -> None:
        client = self._pending.pop(task)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)  # its transport closes it
        task.cancel()
