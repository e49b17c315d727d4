"""A plugin's process tells the engine its port first, and does not outlive it."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

PROJECT_ROOT: Final = Path(__file__).resolve().parents[3]
PLUGIN: Final = """
import sys
from provider import ResourceServicer, main
sys.exit(main("pulumi-resource-nothing", lambda log: ResourceServicer({}, "1.2.3", log)))
"""


def test_the_port_is_the_first_line_and_the_servicer_answers_there() -> None:
    argv = [sys.executable, "-c", PLUGIN, "-flag", "127.0.0.1:1"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            info = provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(empty_pb2.Empty(), timeout=10)
        process.kill()

    assert info.version == "1.2.3"


def test_by_hand_it_says_who_starts_it() -> None:
    done = subprocess.run([sys.executable, "-c", PLUGIN], capture_output=True, text=True, check=False, cwd=PROJECT_ROOT)

    assert done.returncode == 2
    assert "usage: pulumi-resource-nothing ENGINE_ADDRESS" in done.stderr
