"""A server under measurement: its process and that process's descendants, from the start to the end.

Servers are measured in turns, so that other work on the machine affects all of them. The others are stopped (SIGSTOP)
meanwhile, and take no processor time.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from benchmarks.serving.load import HOST, served
from benchmarks.serving.process_tree import tree, tree_bytes, tree_cpu_seconds
from benchmarks.serving.work import Request

ROOT: Final = Path(__file__).parents[2]
READY_SECONDS: Final = 120.0
END_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.005
ENVIRONMENT: Final = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Program:
    """A command to which the port is added, its environment, and the headers that its clients must send."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class NotReady(Exception):
    """The server did not become ready. The message has the last lines that it wrote."""


class Server:
    """A running server that has answered once. Raises NotReady."""

    def __init__(self, program: Program, request: Request) -> None:
        self.headers = program.headers
        self.port = _free_port()
        self._log: IO[str] = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by end()
        self._home = tempfile.TemporaryDirectory()
        environment = ENVIRONMENT | {"PATH": os.environ["PATH"], "HOME": self._home.name} | dict(program.environment)
        began = time.monotonic()
        self._process = subprocess.Popen(
            [*program.words, str(self.port)],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        try:
            self._wait(began + READY_SECONDS, request)
        except NotReady:
            self.end()
            raise
        self.ready_seconds = time.monotonic() - began

    def memory_mb(self) -> float:
        """Memory of all its processes, in millions of bytes."""
        return tree_bytes(self._process.pid) / 1e6

    def cpu_seconds(self) -> float:
        """Processor time of all its processes until now."""
        return tree_cpu_seconds(self._process.pid)

    def pause(self) -> None:
        """Stops all its processes until it is `awake`."""
        self._signal(signal.SIGSTOP)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Lets the server run during a `with` block."""
        self._signal(signal.SIGCONT)
        yield
        self.pause()

    def end(self) -> None:
        """Ends the server and all its processes."""
        self._signal(signal.SIGCONT)
        processes = tree(self._process.pid)
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        for process in processes[1:]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._log.close()
        self._home.cleanup()

    def _wait(self, until: float, request: Request) -> None:
        said = "the server does not answer"
        while time.monotonic() < until and self._process.poll() is None:
            with suppress(OSError):
                wrong = served(self.port, self.headers, request)
                if wrong is None:
                    return
                said = wrong
            time.sleep(POLL_SECONDS)
        self._log.seek(0)
        last = " | ".join(self._log.read().splitlines()[-8:])
        raise NotReady(f"{said}; exit code {self._process.poll()}; its last lines: {last}")

    def _signal(self, number: int) -> None:
        for process in tree(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(process, number)


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as made:
        port: int = made.getsockname()[1]
    return port
