"""`pulumi-language-python [FLAGS] ENGINE_ADDRESS`: started by the engine only."""

import os
import signal
import sys
import threading
from concurrent import futures

import grpc
from pulumi.runtime.proto import language_pb2_grpc

from airgap.plugins.language_python.host import LanguageHost
from sealift.provider import Parent

USAGE = (
    "usage: pulumi-language-python ENGINE_ADDRESS\nThe Pulumi engine starts this program; run `pulumi up` instead.\n"
)


def main() -> int:
    """Serves the engine until it sends a signal or ends."""
    parent = Parent.now()
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not addresses:
        sys.stderr.write(USAGE)
        return 2
    ended = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: ended.set())
    parent.watch(ended.set)
    host = LanguageHost(addresses[-1])
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ended.wait()
    host.stop()
    server.stop(grace=0)
    os._exit(0)  # does not wait for threads that wait for a program


if __name__ == "__main__":
    sys.exit(main())
