"""The plugin's process: prints its port for the engine, serves until the engine ends it, and ends with the engine.

The servicer answers the calls (servicer.py, or a plugin's own).
"""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Final

import grpc.aio
from pulumi.runtime.proto import provider_pb2_grpc

from sealift.provider.engine_log import EngineLog
from sealift.provider.parent import LOOK_SECONDS, Parent

MAX_MESSAGE_BYTES: Final = 400 * 1024 * 1024  # the engine's own limit
END_SECONDS: Final = 15  # more than a training process has to save its checkpoint

MakeServicer = Callable[[EngineLog], provider_pb2_grpc.ResourceProviderServicer]


def main(program: str, make_servicer: MakeServicer) -> int:
    """Serves the engine at the address given as the last argument that is not a flag. Returns the exit code."""
    parent = Parent.now()
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not addresses:
        sys.stderr.write(
            f"usage: {program} ENGINE_ADDRESS\nThe Pulumi engine starts this program; run `pulumi up` instead.\n"
        )
        return 2
    with asyncio.Runner() as runner:
        runner.run(serve(addresses[-1], make_servicer, parent))
        os._exit(0)  # does not wait for threads that are busy, for instance with Docker


async def serve(engine_address: str, make_servicer: MakeServicer, parent: Parent) -> None:
    """Serves until the engine ends this process, or until the engine itself has ended without doing so (kill -9)."""
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
    while not parent.is_gone():  # noqa: ASYNC110  a parent's death can only be polled
        await asyncio.sleep(LOOK_SECONDS)
    await server.stop(grace=0)
    await _end_all_others()


async def _end_all_others() -> None:
    """Cancels all other tasks, and waits up to END_SECONDS while they save their work."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=END_SECONDS)
