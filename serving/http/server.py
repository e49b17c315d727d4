"""Connections and their end: uvicorn, with a drain that no request is lost in.

uvicorn alone closes every idle keep-alive connection the moment it is told to stop, and a request that is on its way
then is lost. So first, for up to DRAIN_SECONDS, the app goes on answering with `connection: close`; clients that are
busy leave by themselves. Only then are idle connections closed, each with a 408 for a request that crosses it on its
way, which says that it was not taken and may be sent again. Requests in flight have GRACE_SECONDS more.
"""

import asyncio
import socket
from typing import Final

import uvicorn

from serving.errors import StartError
from serving.http.app import App
from serving.http.body import BODY_SECONDS
from serving.http.connection import KEEP_ALIVE_SECONDS, Connection
from serving.log import log

BACKLOG: Final = 1024
DRAIN_SECONDS: Final = 4.0
GRACE_SECONDS: Final = int(BODY_SECONDS) + 3  # with the drain, less than the pod has after its preStop sleep
TICK_SECONDS: Final = 0.05


class Server(uvicorn.Server):
    """Serves an App until SIGTERM or SIGINT, and then drains it."""

    def __init__(self, app: App) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Connection,
                loop="uvloop",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called once by uvicorn, which is still accepting connections here."""
        self._app.draining = True
        log("info", "draining", connections=len(self.server_state.connections))
        left = DRAIN_SECONDS
        while left > 0 and self.server_state.connections and not self.force_exit:
            await asyncio.sleep(TICK_SECONDS)
            left -= TICK_SECONDS
        await super().shutdown(sockets)
        log("info", "stopped")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 is any free one. Clients that come before the model is open wait in its queue."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        hint = "is another server using it?"
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}", hint) from None
