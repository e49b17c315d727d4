"""An S3 server for tests: versitygw, a process of its own per worker, with its own key, port and empty bucket.

Moto and other fakes accept wrong secrets, checksums and conditions, which is what the tests of a store are about.
"""

import fcntl
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bootstrap.commands import worktree
from bootstrap.console import Console
from bootstrap.context import Context
from bootstrap.environment import AWS_CHOICES
from bootstrap.errors import BootstrapError
from bootstrap.layout import Layout
from bootstrap.steps import object_store as setup
from bootstrap.steps.object_store import BUCKET, REGION, Key
from bootstrap.system.ports import LOOPBACK

PROJECT_ROOT = Path(__file__).resolve().parents[1]
ATTEMPTS = 5
START_SECONDS = 30


@dataclass(frozen=True)
class ObjectStore:
    """A running server. Its files are below `folder`, a bucket per folder."""

    program: Path
    endpoint: str
    key: Key = field(repr=False)
    folder: Path
    url: str = f"s3://{BUCKET}"
    region: str = REGION

    @property
    def variables(self) -> dict[str, str]:
        """What a program needs, as variables with the key in them."""
        return {
            "AWS_ACCESS_KEY_ID": self.key.access,
            "AWS_SECRET_ACCESS_KEY": self.key.secret,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }

    def environment(self, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Environment of a program that uses this server, without the AWS account of whoever runs the tests."""
        return {name: value for name, value in inherited.items() if name not in AWS_CHOICES} | self.variables


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with running(tmp_path_factory.mktemp("object-store")) as store:
        yield store


@contextmanager
def running(folder: Path, *options: str, address: str = LOOPBACK) -> Iterator[ObjectStore]:
    """Runs a server with its files in `folder`. `options` are those of its posix backend."""
    key = setup.new_key()
    program = _find_program()
    server, port = _start(program, folder, key, options, address)
    store = ObjectStore(program, f"http://{address}:{port}", key, folder / "data")
    try:
        yield store
    finally:
        server.terminate()
        server.wait(timeout=20)


def _find_program() -> Path:
    """Returns the program that set-up built, or builds it. Skips without Go."""
    if found := shutil.which(setup.PROGRAM):
        return Path(found)
    context = Context(Layout(PROJECT_ROOT), Console(live=False))
    try:
        context = worktree.borrow(context) or context
        context.layout.tools.mkdir(exist_ok=True)
        with (context.layout.tools / f"{setup.PROGRAM}.lock").open("w") as lock:  # other workers need it too
            fcntl.flock(lock, fcntl.LOCK_EX)
            return setup.build(context, lambda said: None)
    except BootstrapError as problem:
        pytest.skip(f"no S3 server: {problem.message}")


def _start(
    program: Path, folder: Path, key: Key, options: Sequence[str], address: str
) -> tuple["subprocess.Popen[bytes]", int]:
    """Starts the server on a port that was free. Another program may take that port first, so it tries again."""
    *argv, data = setup.command(program, folder / "data")
    argv += [*options, data]
    log = folder / "log"
    for _ in range(ATTEMPTS):
        with socket.socket() as trial:
            trial.bind((address, 0))
            port = int(trial.getsockname()[1])
        with log.open("wb") as output:
            env = {"PATH": os.defpath} | setup.variables(key, port, address)
            server = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        deadline = time.monotonic() + START_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            if setup.answers(port, address) and server.poll() is None:
                return server, port
            time.sleep(0.05)
        server.kill()
        server.wait()
    raise RuntimeError(f"the S3 server did not start:\n{log.read_text()}")
