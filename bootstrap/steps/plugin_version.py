"""Requests a Pulumi plugin's version, as the engine does: `python -m bootstrap.steps.plugin_version KIND EXECUTABLE`.

Plugins have no option for their version. The plugin is started and prints its port; after the request, it is killed.
"""

import subprocess
import sys
import threading
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2_grpc, provider_pb2_grpc

TIMEOUT_SECONDS = 10.0
STUBS: dict[str, Any] = {
    "language": language_pb2_grpc.LanguageRuntimeStub,
    "resource": provider_pb2_grpc.ResourceProviderStub,
}
NO_ENGINE = "127.0.0.1:1"  # plugins need the engine's address, but connect only when they log something


def ask(kind: str, executable: str) -> str:
    """Returns the version without a leading v. Raises ValueError or grpc.RpcError if the program is not a plugin."""
    plugin = subprocess.Popen(
        [executable, NO_ENGINE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
    )
    end = threading.Timer(TIMEOUT_SECONDS, plugin.kill)
    end.start()
    try:
        port = int(plugin.stdout.readline() if plugin.stdout else "")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            info = STUBS[kind](channel).GetPluginInfo(empty_pb2.Empty(), timeout=TIMEOUT_SECONDS)
            return str(info.version).removeprefix("v")
    finally:
        end.cancel()
        plugin.kill()
        plugin.wait()


if __name__ == "__main__":
    try:
        print(ask(*sys.argv[1:]))
    except (OSError, ValueError, grpc.RpcError) as problem:
        sys.exit(f"{sys.argv[2]} does not answer as a plugin: {problem}")
