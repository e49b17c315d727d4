"""An Azure Blob Storage server for tests: Azurite, a process of its own per worker, with its own account and port.

It checks signatures, conditions and checksums as the service does. npm installs it once, into .tools/azurite.
"""

import base64
import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bootstrap.layout import Layout

PROJECT_ROOT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT_ROOT / "tests" / "servers" / "azurite"
FILES = ("package.json", "package-lock.json")
PROGRAM = "azurite-blob"
ACCOUNT = "sealiftlocal"
CONTAINER = "sealift-local"
ATTEMPTS = 5
INSTALL_SECONDS = 300
START_SECONDS = 60
VARIABLES = (
    "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE",
)  # fmt: skip
"""Variables that choose an account or an identity."""


@dataclass(frozen=True)
class Azurite:
    """A running server with an empty container."""

    endpoint: str
    key: str = field(repr=False)
    url: str = f"az://{CONTAINER}"

    @property
    def variables(self) -> dict[str, str]:
        """What a program needs, as variables with the key in them."""
        return {"AZURE_STORAGE_CONNECTION_STRING": self.connection_string()}

    def connection_string(self, **changed: str) -> str:
        parts = {
            "DefaultEndpointsProtocol": "http",
            "AccountName": ACCOUNT,
            "AccountKey": self.key,
            "BlobEndpoint": self.endpoint,
        }
        return ";".join(f"{name}={value}" for name, value in (parts | changed).items())

    def container(self) -> Any:
        """Another program's access to the same container."""
        from azure.storage.blob import ContainerClient  # takes a quarter of a second, which few tests need

        return ContainerClient.from_connection_string(self.connection_string(), CONTAINER, retry_total=0)

    def choose(self, environment: pytest.MonkeyPatch) -> None:
        """Sets the variables, without the account of whoever runs the tests."""
        for name in VARIABLES:
            environment.delenv(name, raising=False)
        for name, value in self.variables.items():
            environment.setenv(name, value)


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    program = _find_program()
    server, running = _start(program, tmp_path_factory.mktemp("azurite"))
    try:
        running.container().create_container()
        yield running
    finally:
        server.terminate()
        server.wait(timeout=20)


def _find_program() -> Path:
    """Returns the program, or installs it. Skips without npm."""
    if found := shutil.which(PROGRAM):
        return Path(found)
    if shutil.which("npm") is None:
        pytest.skip("no Azure server: npm, which installs Azurite, is not installed")
    tools = Layout(PROJECT_ROOT).tools
    tools.mkdir(exist_ok=True)
    with (tools / "azurite.lock").open("w") as lock:  # other workers need it too
        fcntl.flock(lock, fcntl.LOCK_EX)
        return install(tools / "azurite")


def install(folder: Path) -> Path:
    """Installs what the lock file says, unless it is there. Skips if the packages cannot be had."""
    program = folder / "node_modules" / ".bin" / PROGRAM
    if program.exists() and all(_is_same(folder / name, PACKAGE / name) for name in FILES):
        return program
    shutil.rmtree(folder, ignore_errors=True)
    draft = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for name in FILES:
        shutil.copy(PACKAGE / name, draft)
    argv = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(argv, cwd=draft, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    if done.returncode:
        pytest.skip(f"no Azure server: npm cannot install Azurite: {done.stderr.strip()[-200:]}")
    draft.rename(folder)
    return program


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and one.read_bytes() == other.read_bytes()


def _start(program: Path, folder: Path) -> tuple["subprocess.Popen[bytes]", Azurite]:
    """Starts the server on a port that was free. Another program may take that port first, so it tries again."""
    key = base64.b64encode(secrets.token_bytes(64)).decode()
    log = folder / "log"
    for _ in range(ATTEMPTS):
        with socket.socket() as trial:
            trial.bind(("127.0.0.1", 0))
            port = int(trial.getsockname()[1])
        argv = [
            str(program), "--blobHost", "127.0.0.1", "--blobPort", str(port),
            "--skipApiVersionCheck", "--silent", "--inMemoryPersistence", "--disableTelemetry",
        ]  # fmt: skip
        env = {"PATH": os.environ.get("PATH", os.defpath), "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}
        with log.open("wb") as output:
            server = subprocess.Popen(argv, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        running = Azurite(f"http://127.0.0.1:{port}/{ACCOUNT}", key)
        deadline = time.monotonic() + START_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            if _answers(running) and server.poll() is None:
                return server, running
            time.sleep(0.2)
        server.kill()
        server.wait()
    raise RuntimeError(f"Azurite did not start:\n{log.read_text()}")


def _answers(running: Azurite) -> bool:
    """Whether our own server, which alone knows the key, answers."""
    from azure.core.exceptions import AzureError

    try:
        return not running.container().exists()
    except AzureError:
        return False
