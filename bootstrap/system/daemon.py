"""Background programs, each with a record that identifies its process.

A record contains the process's id, its start time and the boot's id. All three must match before a signal is sent:
process ids are reused, and the machine may have been restarted. A copy in /run/sealift outlives the checkout, so that
programs of a deleted checkout can still be found.
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
    """Record of one process. `started` is in clock ticks since boot (proc(5), stat field 22)."""

    pid: int
    started: int
    boot: str
    argv: list[str]


def write_record(path: Path, argv: Sequence[str]) -> None:
    """Writes the record of the calling process to `path`."""
    started = find_start(os.getpid())
    if started is None:
        raise RuntimeError("internal error: /proc does not show the calling process")
    content.write(path, json.dumps(asdict(Record(os.getpid(), started, read_boot_id(), list(argv)))) + "\n", mode=0o600)


def read_record(path: Path) -> Record | None:
    """Returns the record in `path`, or None if it cannot be read, so that a damaged file never kills a process."""
    try:
        raw = json.loads(path.read_text())
        return Record(int(raw["pid"]), int(raw["started"]), str(raw["boot"]), [str(word) for word in raw["argv"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def alive(record: Record | None) -> bool:
    """Whether exactly that process still runs. A zombie does not count."""
    return record is not None and record.boot == read_boot_id() and find_start(record.pid) == record.started


class Daemons:
    """Daemons of one checkout, by name. Records and logs are `.tools/run/NAME.pid` and `NAME.log`."""

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
        """Starts the daemon unless it runs. Returns whether it did. A start begins a new log."""
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
            with contextlib.suppress(PermissionError):  # without root, another user could not stop it anyway
                content.write(self.copy_path(name), self.record_path(name).read_text(), mode=0o600)
        return True

    def stop(self, name: str, *, grace_seconds: float = 15.0) -> bool:
        """Stops the daemon if its record matches. Returns whether it ran. Sends SIGTERM, and SIGKILL after
        `grace_seconds`.
        """
        path = self.record_path(name)
        record = read_record(path)
        stopped = record is not None and _stop(record, grace_seconds)
        path.unlink(missing_ok=True)
        self._forget_copy(name)
        return stopped

    def end_all_of_deleted(self) -> list[str]:
        """Stops the daemons of a deleted checkout, by the copies of its records. Returns their names."""
        ended = []
        for copy in sorted(self.copy_path("").parent.glob("*.pid")):
            record = read_record(copy)
            if record is not None and _stop(record, grace_seconds=15.0):
                ended.append(copy.stem)
            self._forget_copy(copy.stem)
        return ended

    def _forget_copy(self, name: str) -> None:
        copy = self.copy_path(name)
        with contextlib.suppress(OSError):  # missing, or not the last one
            copy.unlink()
            copy.parent.rmdir()
            COPIES.rmdir()

    def wait_until(self, name: str, ready: Callable[[], bool], *, timeout_seconds: float) -> None:
        """Waits until `ready()` is true. Raises BootstrapError with the end of the log if the process ends or the time
        is over.
        """
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            gone = not self.running(name)
            if gone or time.monotonic() > deadline:
                why = "ended at once" if gone else f"was not ready after {timeout_seconds:.0f} s"
                said = "\n".join(f"    {line}" for line in self.tail(name))
                raise BootstrapError(f"{name} {why}:\n{said}", [f"read the whole log: {self.log_path(name)}"])
            time.sleep(0.1)

    def tail(self, name: str, lines: int = 8) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return [line[:300] for line in self.log_path(name).read_text(errors="replace").splitlines()[-lines:]]
        return []


def _stop(record: Record, grace_seconds: float) -> bool:
    """Stops the process through a pid descriptor. It is opened before the check, so it cannot mean another process."""
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
