"""An emulator of Google Cloud Storage for tests: fake-gcs-server, a process of its own per worker, with its own port.

It is built from its Go module (tests/servers/fake_gcs), in two minutes on two busy cores. What it gets wrong stands in
tests/unit/stores/test_gs_store.py.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap import go_program
from bootstrap.commands import worktree
from bootstrap.console import Console
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.layout import Layout

PROJECT_ROOT = Path(__file__).resolve().parents[1]
MODULE = PROJECT_ROOT / "tests" / "servers" / "fake_gcs"
PACKAGE = "github.com/fsouza/fake-gcs-server"
PROGRAM = "fake-gcs-server"
BUCKET = "sealift-local"
ATTEMPTS = 5
START_SECONDS = 30


@pytest.fixture(scope="session")
def fake_gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running emulator with an empty bucket, for STORAGE_EMULATOR_HOST."""
    server, address = _start(_find_program(), tmp_path_factory.mktemp("fake-gcs"))
    try:
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


def _find_program() -> Path:
    """Returns the program, or builds it. Skips without Go."""
    if found := shutil.which(PROGRAM):
        return Path(found)
    context = Context(Layout(PROJECT_ROOT), Console(live=False))
    try:
        context = worktree.borrow(context) or context
        context.layout.tools.mkdir(exist_ok=True)
        with (context.layout.tools / f"{PROGRAM}.lock").open("w") as lock:  # other workers need it too
            fcntl.flock(lock, fcntl.LOCK_EX)
            return build(context)
    except BootstrapError as problem:
        pytest.skip(f"no emulator of Google Cloud Storage: {problem.message}")


def build(context: Context) -> Path:
    return go_program.build(
        context, "Emulator", module=MODULE, package=PACKAGE, name=PROGRAM, progress=lambda said: None
    )


def _start(program: Path, folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """Starts the server on a port that was free. Another program may take that port first, so it tries again."""
    log = folder / "log"
    for _ in range(ATTEMPTS):
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            port = int(trial.getsockname()[1])
        host = f"127.0.0.1:{port}"
        argv = [str(program), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [*argv, "-public-host", host], env={"PATH": os.defpath}, cwd=folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            if _makes_bucket(f"http://{host}") and server.poll() is None:
                return server, f"http://{host}"
            time.sleep(0.05)
        server.kill()
        server.wait()
    raise RuntimeError(f"the emulator did not start:\n{log.read_text()}")


def _makes_bucket(address: str) -> bool:
    body = f'{{"name": "{BUCKET}"}}'.encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/storage/v1/b?project=tests", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
