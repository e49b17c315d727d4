"""Programs that we start and leave running, each with a record of who it is.

A record holds the process's id, when it started and during which boot. All three must fit before anything is sent to
the process: ids are used again, and a machine may have been restarted since. A copy of it in /run/sealift outlives the
checkout: what a deleted one left running is known by it alone.
"""

import contextlib
import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap import content
from bootstrap.errors import BootstrapError
from bootstrap.layout import RUN, Layout
from sealift.processes import find_start, read_boot_id

COPIES = RUN / "daemons"


@dataclass(frozen=True)
class Record:
    """One process: `started` is in clock ticks since boot (proc(5), stat field 22)."""

    pid: int
    started: int
    boot: str
    argv: list[str]


def write_record(path: Path, argv: Sequence[str]) -> None:
    """Records the calling process under `path`."""
    started = find_start(os.getpid())
    if started is None:
        raise RuntimeError("internal error: /proc does not show the calling process")
    content.write(path, json.dumps(asdict(Record(os.getpid(), started, read_boot_id(), list(argv)))) + "\n", mode=0o600)


def read_record(path: Path) -> Record | None:
    """The record under `path`, or None where there is none that can be read: such a file is no reason to kill
    anything.
    """
    try:
        raw = json.loads(path.read_text())
        return Record(int(raw["pid"]), int(raw["started"]), str(raw["boot"]), [str(word) for word in raw["argv"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def alive(record: Record | None) -> bool:
    """Whether that very process still runs (a zombie does not)."""
    return record is not None and record.boot == read_boot_id() and find_start(record.pid) == record.started


class Daemons:
    """The daemons of one checkout, by name: records and logs are `.tools/run/NAME.pid` and `NAME.log`."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def record_path(self, name: str) -> Path:
        return self._layout.run / f"{name}.pid"

    def log_path(self, name: str) -> Path:
        return self._layout.run / f"{name}.log"

    def copy_path(self, name: str) -> Path:
        checkout = hashlib.sha256(str(self._layout.root).encode()).hexdigest()[:16]
        return COPIES / checkout / f"{name}.pid"

    def names(self) -> list[str]:
        return sorted(path.stem for path in self._layout.run.glob("*.pid"))

    def running(self, name: str) -> bool:
        return alive(read_record(self.record_path(name)))

    def start(self, name: str, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> bool:
        """Starts it unless it runs; says whether it did. The log begins anew."""
        if self.running(name):
            return False
        self._layout.run.mkdir(parents=True, exist_ok=True)
        log = self.log_path(name)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        launcher = [sys.executable, "-m", "bootstrap.system.launch", str(self.record_path(name)), str(log), *argv]
        done = subprocess.run(
            launcher, cwd=self._layout.root, env=env, capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode:
            raise BootstrapError(f"{name} could not be started: {done.stderr.strip()}")
        if COPIES.parent.is_dir():
            with contextlib.suppress(PermissionError):  # not root: this user's are not the next one's to end
                content.write(self.copy_path(name), self.record_path(name).read_text(), mode=0o600)
        return True

    def stop(self, name: str, *, grace_seconds: float = 15.0) -> bool:
        """Ends it if it is ours and runs; says whether it did. First asked, then, after `grace_seconds`, made to."""
        path = self.record_path(name)
        record = read_record(path)
        stopped = record is not None and _stop(record, grace_seconds)
        path.unlink(missing_ok=True)
        self._forget_copy(name)
        return stopped

    def end_all_of_deleted(self) -> list[str]:
        """Ends what a checkout that is gone has left running, by the copies of its records; returns the names."""
        ended = []
        for copy in sorted(self.copy_path("").parent.glob("*.pid")):
            record = read_record(copy)
            if record is not None and _stop(record, grace_seconds=15.0):
                ended.append(copy.stem)
            self._forget_copy(copy.stem)
        return ended

    def _forget_copy(self, name: str) -> None:
        copy = self.copy_path(name)
        with contextlib.suppress(OSError):  # not there, or not the last one
            copy.unlink()
            copy.parent.rmdir()
            COPIES.rmdir()

    def wait_until(self, name: str, ready: Callable[[], bool], *, timeout_seconds: float) -> None:
        """Waits until `ready()` holds; raises with the end of the log as soon as the process is gone or the time is
        up.
        """
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            gone = not self.running(name)
            if gone or time.monotonic() > deadline:
                why = "ended at once" if gone else f"did not get ready in {timeout_seconds:.0f} s"
                said = "\n".join(f"    {line}" for line in self.tail(name))
                raise BootstrapError(f"{name} {why}:\n{said}", [f"read the whole log: {self.log_path(name)}"])
            time.sleep(0.1)

    def tail(self, name: str, lines: int = 8) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return [line[:300] for line in self.log_path(name).read_text(errors="replace").splitlines()[-lines:]]
        return []


def _stop(record: Record, grace_seconds: float) -> bool:
    """Signals through a pid descriptor: checked after it is opened, it cannot come to mean another process."""
    try:
        descriptor = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return False
    try:
        if not alive(record):
            return False
        for signal_number, patience in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, 10.0)):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal_number)
            if select.select([descriptor], [], [], patience)[0]:
                break
        return True
    finally:
        os.close(descriptor)
