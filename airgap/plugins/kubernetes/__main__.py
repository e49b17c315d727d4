"""`pulumi-resource-kubernetes ENGINE_ADDRESS`: started by the engine, never by hand."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc.aio
from pulumi.runtime.proto import provider_pb2_grpc

from airgap.plugins.kubernetes.provider import Provider
from components.plugin.engine_log import EngineLog

VERSION: Final = "4.34.2"
MAX_MESSAGE_BYTES: Final = 400 * 1024 * 1024  # the engine's own limit
MAX_REQUESTS: Final = 32  # to the API server at a time


def main() -> int:
    """Serves the engine at the address given as the last argument that is not a flag."""
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not addresses:
        sys.stderr.write(
            "usage: pulumi-resource-kubernetes ENGINE_ADDRESS\n"
            "The Pulumi engine starts this program; run `pulumi up` instead.\n"
        )
        return 2
    asyncio.run(_serve(addresses[-1]))
    return 0


async def _serve(engine_address: str) -> None:
    """Until the engine ends this process, or is gone without a word (kill -9)."""
    parent = os.getppid()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MAX_REQUESTS))
    limits = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]
    server = grpc.aio.server(options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(VERSION, EngineLog(engine_address)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while os.getppid() == parent:  # noqa: ASYNC110  nothing tells a process that its parent is gone
        await asyncio.sleep(0.5)
    await server.stop(grace=0)


if __name__ == "__main__":
    sys.exit(main())
