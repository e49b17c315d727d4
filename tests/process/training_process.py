"""The training process as its parent sees it: request in, events out, signals.

`Training` forks from a server that has torch loaded already, so that a test can kill a run ten times in seconds;
`python -m training`, cold, is what `test_training.py` starts where the start is what it tests.
"""

import base64
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from sealift.names import camel_case
from sealift.sealing import describe, open_artifact
from sealift.stores import get_manifest, get_payload, open_store
from tests.keys import key_pair
from training.request import VERSION

Event = dict[str, Any]
RUN_KEY = b"0123456789abcdef0123456789abcdef"
RUN_ID = "ab" * 32
SECONDS = 120

warm = multiprocessing.get_context("forkserver")
warm.set_forkserver_preload(["tests.process.pins", "training.on_request", "training.fit"])


def request(store: Path, **fields: object) -> dict[str, object]:
    """A request for the default job, and the `code_folder`, if it is another one than here; `fields` replace or add."""
    return {
        "job": {},
        "store_url": f"file://{store}",
        "run_key": base64.b64encode(RUN_KEY).decode(),
        "recipients": [key_pair().recipient.pem],
        "run_id": RUN_ID,
    } | fields


def sent(asked: object) -> tuple[bytes, Path]:
    """The line that such a request is, and the folder to start training in."""
    if isinstance(asked, bytes):
        return asked, Path.cwd()
    assert isinstance(asked, dict)
    values = {camel_case(name): value for name, value in asked.items() if name != "code_folder"}
    line = json.dumps({"version": VERSION, **values}).encode() + b"\n"
    return line, Path(asked.get("code_folder", Path.cwd()))


def opened(store: Path, result: Event) -> tuple[bytes, dict[str, Any]]:
    """The ONNX file and the description of a result's artifact, which the report names."""
    found = open_store(f"file://{store}")
    artifact_id, payload_digest = result["artifact_id"], result["payload_digest"]
    manifest = get_manifest(found, artifact_id)
    artifact = open_artifact(
        manifest, get_payload(found, artifact_id), key_pair(), artifact_id=artifact_id, payload_digest=payload_digest
    )
    assert manifest.decode() == result["manifest"]
    assert describe(manifest, key_pair()) == artifact.description
    report = describe(get_manifest(found, result["report_artifact_id"]), key_pair())
    assert report == {"of": artifact_id, "kind": "report"}
    return bytes(artifact.model), artifact.description


def _child(stdin: int, events: int, output: str, folder: Path) -> None:
    os.chdir(folder)
    os.dup2(stdin, 0)
    # Training closes what it inherited, this too; who starts workers would close the number again, then another's.
    resource_tracker._resource_tracker._fd = None  # type: ignore[attr-defined]
    printed = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    from training.on_request import main
    from training.process import leave

    leave(main(["--events", str(events)]))


class _InheritedPipe:
    """One end of a pipe, on its way into the child."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> tuple[Callable[[Any], int], tuple[Any]]:
        from multiprocessing.reduction import DupFd

        return _detach, (DupFd(self.descriptor),)


def _detach(duplicate: Any) -> int:
    descriptor: int = duplicate.detach()
    return descriptor


class Training:
    """A run in a process of its own. `events` grows as it goes on; `wait` gives the exit code."""

    def __init__(self, asked: object, output: Path) -> None:
        self.events: list[Event] = []
        self._changed = threading.Condition()
        self._ended = False
        line, folder = sent(asked)
        child_stdin, self._stdin = os.pipe()
        self._reading, child_events = os.pipe()
        self.process = warm.Process(
            target=_child, args=(_InheritedPipe(child_stdin), _InheritedPipe(child_events), str(output), folder)
        )
        self.process.start()
        os.close(child_stdin)
        os.close(child_events)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        os.write(self._stdin, line)

    def _read(self) -> None:
        with os.fdopen(self._reading, "rb") as stream:
            for line in stream:
                with self._changed:
                    self.events.append(json.loads(line))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def until(self, wanted: Callable[[Event], bool]) -> bool:
        """Waits for such an event; False if the process ended without one."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or any(map(wanted, self.events)), SECONDS)
            return any(map(wanted, self.events))

    def signal(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def close_stdin(self) -> None:
        os.close(self._stdin)
        self._stdin = -1

    def wait(self) -> int:
        """The exit code; minus the signal's number if one killed it."""
        self.process.join(SECONDS)
        self._reader.join(SECONDS)
        if self._stdin != -1:
            self.close_stdin()
        assert self.process.exitcode is not None, "the process did not end"
        return self.process.exitcode

    @property
    def last(self) -> Event:
        return self.events[-1]

    def result(self) -> Event:
        """Waits for the end, which must be a result."""
        assert self.wait() == 0, self.events[-3:]
        assert self.last["event"] == "result"
        return self.last


def training_epoch(least: int) -> Callable[[Event], bool]:
    """Is it progress of at least this epoch?"""
    return lambda event: event.get("epoch", -1) >= least


def phase(name: str) -> Callable[[Event], bool]:
    return lambda event: event.get("phase") == name
