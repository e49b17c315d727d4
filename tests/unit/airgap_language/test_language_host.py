"""The language host's stand-in and the program that it runs end with the engine, however that one ends."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

import grpc
import pytest
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

PROJECT_ROOT: Final = Path(__file__).resolve().parents[3]
HOST: Final = (sys.executable, "-m", "airgap.plugins.language_python", "127.0.0.1:1")


@pytest.fixture
def host():  # type: ignore[no-untyped-def]
    """A language host of this process, which is the engine to it."""
    with subprocess.Popen(
        HOST, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=PROJECT_ROOT
    ) as process:
        yield process
        process.kill()


def run_program(host: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Has the host run a program, which waits for an engine that never answers, and returns when that runs."""
    assert host.stdout is not None
    port = int(host.stdout.readline())
    silent = socket.create_server(("127.0.0.1", 0))
    info = language_pb2.ProgramInfo(
        root_directory=str(folder), program_directory=str(folder), entry_point="__main__.py"
    )
    monitor = "{}:{}".format(*silent.getsockname())
    request = language_pb2.RunRequest(project="p", stack="s", info=info, monitor_address=monitor, parallel=1)

    def ask() -> None:
        with silent, grpc.insecure_channel(f"127.0.0.1:{port}") as channel, contextlib.suppress(grpc.RpcError):
            language_pb2_grpc.LanguageRuntimeStub(channel).Run(request)

    threading.Thread(target=ask, daemon=True).start()
    silent.accept()


def test_the_engine_s_end_ends_host_and_program(host, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run_program(host, tmp_path)

    host.stdin.close()

    host.stderr.read()  # to the end of all that write there
    host.wait(timeout=60)


def test_a_host_that_is_killed_takes_its_program_with_it(host, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run_program(host, tmp_path)

    host.kill()

    host.stderr.read()


def test_a_host_that_is_killed_takes_its_source_plugins_with_it(host, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """They run as `python FOLDER ARGUMENTS` does, and tell their process id here."""
    (tmp_path / "beside.py").write_text("from sys import argv")
    (tmp_path / "__main__.py").write_text(
        "import os, time\nfrom beside import argv\nprint(os.getpid(), *argv, __name__, flush=True)\ntime.sleep(1e6)\n"
    )
    info = language_pb2.ProgramInfo(root_directory=str(tmp_path), program_directory=str(tmp_path))
    request = language_pb2.RunPluginRequest(pwd=str(tmp_path), info=info, args=["127.0.0.1:1"])
    with grpc.insecure_channel(f"127.0.0.1:{int(host.stdout.readline())}") as channel:
        answers = language_pb2_grpc.LanguageRuntimeStub(channel).RunPlugin(request)
        said = b""
        while not said.endswith(b"\n"):  # it comes in pieces
            said += next(answers).stdout
        pid, *words = said.decode().split()
        assert words == [str(tmp_path), "127.0.0.1:1", "__main__"]

        host.kill()

        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.05)


def test_a_host_without_a_program_ends_with_the_engine(host) -> None:  # type: ignore[no-untyped-def]
    host.stdout.readline()

    host.stdin.close()

    host.wait(timeout=60)
