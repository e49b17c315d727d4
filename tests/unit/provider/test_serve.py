"""A plugin's process tells the engine its port first, and does not outlive it."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

PROJECT_ROOT: Final = Path(__file__).resolve().parents[3]
PLUGIN: Final = """
import sys
from sealift.provider import ResourceServicer, main
sys.exit(main("pulumi-resource-nothing", lambda log: ResourceServicer({}, "1.2.3", log)))
"""
BUSY: Final = """
import asyncio, sys, time
from sealift.provider import ResourceServicer, main

class Slow:
    async def delete(self, request):
        print("at work", flush=True)
        await asyncio.to_thread(time.sleep, 3600)

sys.exit(main("pulumi-resource-nothing", lambda log: ResourceServicer({"nothing:index:Slow": Slow()}, "1.2.3", log)))
"""


def test_the_port_is_the_first_line_and_the_servicer_answers_there() -> None:
    argv = [sys.executable, "-c", PLUGIN, "-flag", "127.0.0.1:1"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT_ROOT) as process:
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


def test_it_ends_with_the_engine_whatever_it_does() -> None:
    """A thread that waits, as for Docker, holds nothing up."""
    with subprocess.Popen(
        [sys.executable, "-c", BUSY, "127.0.0.1:1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT_ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            asked = provider_pb2.DeleteRequest(urn="urn:pulumi:dev::p::nothing:index:Slow::slow", id="1")
            answer = provider_pb2_grpc.ResourceProviderStub(channel).Delete.future(asked)
            process.stdout.readline()
            process.stdin.close()
            process.wait(timeout=60)
            assert answer.exception() is not None
