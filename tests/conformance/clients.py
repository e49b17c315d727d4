"""Clients that others wrote: what is installed to run them. None is a dependency of ours, and their packages want other
versions than ours do, so they have an environment of their own.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("tritonclient[http,grpc]==2.73.0", "schemathesis==4.32.5")
PROGRAMS: Final = "tests.conformance.programs"
SECONDS: Final = 300


@dataclass(frozen=True)
class Client:
    """A program in `programs/`, and what it is told: here its words, and on the command line where the server is."""

    title: str
    program: str
    words: tuple[str, ...] = ()
    grpc: bool = False

    def run(self, folder: Path, where: str, key: str) -> dict[str, Any]:
        """What it counted: `passed` checks, those that `failed`, and those that were `skipped`, with reasons."""
        words = [str(folder / "bin" / "python"), "-m", f"{PROGRAMS}.{self.program}", *self.words, where]
        # The key is not an argument, which everyone on the machine can read.
        environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "API_KEY": key}
        ran = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
        if ran.returncode:
            raise RuntimeError(f"{self.title} ended with {ran.returncode}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
        counts: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return counts


CLIENTS: Final = (
    Client("tritonclient.http", "triton", ("tritonclient.http",)),
    Client("tritonclient.http.aio", "triton", ("tritonclient.http.aio",)),
    Client("tritonclient.grpc", "triton", ("tritonclient.grpc",), grpc=True),
    Client("tritonclient.grpc.aio", "triton", ("tritonclient.grpc.aio",), grpc=True),
    Client("schemathesis", "openapi"),
)


def installed(folder: Path) -> Path:
    """The folder, with the packages of this table in it: made if they are not."""
    mark = folder / "packages"
    wanted = "\n".join(PACKAGES)
    if not mark.exists() or mark.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--clear", folder], check=True)
        python = folder / "bin" / "python"
        subprocess.run(
            [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *PACKAGES], check=True
        )
        mark.write_text(wanted)
    return folder
