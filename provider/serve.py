"""The plugin's process: tells the engine its port, answers until the engine is done, and outlives nobody.

What is answered is the servicer's business (servicer.py, or one of the plugin's own).
"""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Final

import grpc.aio
from pulumi.runtime.proto import provider_pb2_grpc

from provider.engine_log import EngineLog

MAX_MESSAGE_BYTES: Final = 400 * 1024 * 1024  # the engine's own limit

MakeServicer = Callable[[EngineLog], provider_pb2_grpc.ResourceProviderServicer]


def main(program: str, make_servicer: MakeServicer) -> int:
    """Serves the engine at the address given as the last argument that is not a flag. Returns the exit code."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not addresses:
        sys.stderr.write(f"usage: {program} ENGINE_ADDRESS\nThe Pulumi engine starts it; run `pulumi up` instead.\n")
        return 2
    asyncio.run(serve(addresses[-1], make_servicer))
    return 0


async def serve(engine_address: str, make_servicer: MakeServicer) -> None:
    """Serves until the engine ends this process; ends by itself when the engine is gone without a word (kill -9)."""
    parent = os.getppid()
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ]
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(make_servicer(EngineLog(engine_address)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await _gone(parent)
    await server.stop(grace=0)


async def _gone(parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110  nothing tells of a parent's death but asking
        await asyncio.sleep(0.5)
