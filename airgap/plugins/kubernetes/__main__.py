"""`pulumi-resource-kubernetes ENGINE_ADDRESS`: started by the engine only."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from airgap.plugins.kubernetes.servicer import KubernetesServicer
from sealift.provider import EngineLog, main

VERSION: Final = "4.34.2"
MAX_REQUESTS: Final = 32  # concurrent requests to the API server


def servicer(log: EngineLog) -> KubernetesServicer:
    """Makes the servicer. Call it on the event loop that its requests will share."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MAX_REQUESTS))
    return KubernetesServicer(VERSION, log)


if __name__ == "__main__":
    sys.exit(main("pulumi-resource-kubernetes", servicer))
