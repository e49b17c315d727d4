"""Messages to the engine's own display: lasting log lines, and one live status line per resource.

The engine prints a plugin's messages under the resource that they name, so nothing here writes to a terminal.
"""

from dataclasses import dataclass
from typing import Literal

import grpc
import grpc.aio
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

Severity = Literal["debug", "info", "warning", "error"]
SEVERITIES = {
    "debug": engine_pb2.DEBUG,
    "info": engine_pb2.INFO,
    "warning": engine_pb2.WARNING,
    "error": engine_pb2.ERROR,
}


class EngineLog:
    """The engine's logging endpoint. A message that cannot be delivered is dropped, so that the operation continues."""

    def __init__(self, engine_address: str) -> None:
        self.address = engine_address
        self._engine = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(engine_address))

    async def send(self, urn: str, severity: Severity, message: str, *, ephemeral: bool) -> None:
        """Shows `message` under the resource `urn`; an ephemeral one replaces the resource's status line."""
        request = engine_pb2.LogRequest(severity=SEVERITIES[severity], message=message, urn=urn, ephemeral=ephemeral)
        try:
            await self._engine.Log(request, timeout=5)
        except grpc.aio.AioRpcError:
            return


@dataclass(frozen=True)
class ResourceLog:
    """The log of one operation on one resource."""

    log: EngineLog
    urn: str

    async def status(self, message: str) -> None:
        """Replaces the resource's live status line."""
        await self.log.send(self.urn, "info", message, ephemeral=True)

    async def say(self, severity: Severity, message: str) -> None:
        """Adds a lasting line to the diagnostics of the resource."""
        await self.log.send(self.urn, severity, message, ephemeral=False)
