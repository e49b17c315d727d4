"""The server as a pod sees it: a process, its port, its log and its exit code."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.unit.serving.sockets import SECONDS
from tests.unit.serving.tiny import Files, sealed

PROJECT_ROOT = Path(__file__).resolve().parents[2]


def arguments(files: Files, **changed: str) -> list[str]:
    """Of `python -m sealift.serving`, on a free port of the loopback."""
    values = {
        "payload": str(files.payload), "manifest": str(files.manifest), "key": str(files.key),
        "artifact-id": sealed().artifact_id, "payload-digest": sealed().payload_digest, "name": "tiny",
        "host": "127.0.0.1", "port": "0",
    }  # fmt: skip
    values |= {"auth": "none"} if "access" not in changed else {}
    values |= {name.replace("_", "-"): value for name, value in changed.items()}
    return [word for name, value in values.items() for word in (f"--{name}", value)]


class Server:
    """A server that is ready."""

    def __init__(self, words: list[str], environment: Mapping[str, str] | None = None) -> None:
        self.process = start(words, environment)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate(timeout=SECONDS)[1]
        self.ready: dict[str, Any] = json.loads(line)

    @contextlib.contextmanager
    def connect(self) -> Iterator[http.client.HTTPConnection]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.ready["port"], timeout=SECONDS)) as made:
            made.connect()
            yield made

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> tuple[int, list[dict[str, Any]], str]:
        """Its exit code, the rest of its log, and what it said on standard error."""
        said, complaints = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, [json.loads(line) for line in said.splitlines()], complaints


def start(words: list[str], environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    """As in the image: nothing of our own environment, in which a CI's variables switch things off."""
    return subprocess.Popen(
        [sys.executable, "-m", "sealift.serving", *words],
        cwd=PROJECT_ROOT,
        env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def serving(files: Files, environment: Mapping[str, str] | None = None, **changed: str) -> Iterator[Server]:
    """A server that does not outlive the test."""
    server = Server(arguments(files, **changed), environment)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()
