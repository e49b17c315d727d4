"""Locks that a killed `pulumi` left on a stack of a local backend. They are released if their process has ended.

A lock of another machine, or of a process that lives or may live, is kept, and pulumi reports its holder. A process has
a different id in each PID namespace, and a process in a container does not see processes outside.
"""

import json
import os
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bootstrap.context import Context

INITIAL_NAMESPACE: Final = "pid:[4026531836]"
"""The kernel's number of the namespace that contains all processes: PROC_PID_INIT_INO."""
WRITING_SECONDS: Final = 60.0
"""Time after which an incomplete lock no longer counts as being written."""


def holder_is_gone(lock: Path) -> bool:
    """Whether this lock file names this machine and an ended process, or was never completely written.

    False for a file of another form, because it is unknown whether its process lives.
    """
    try:
        said = json.loads(lock.read_text())
    except FileNotFoundError:
        return False
    except ValueError:
        return _age_seconds(lock) > WRITING_SECONDS
    if not isinstance(said, dict) or said.get("hostname") != socket.gethostname():
        return False
    number = said.get("pid")
    return type(number) is int and number > 0 and _is_gone(number)  # unknown for another form


def _is_gone(number: int) -> bool:
    """Whether no process has this id in any namespace. False in a container, where this is unknown."""
    return sees_all_processes() and number not in numbers() and not _answers(number)


def _answers(number: int) -> bool:
    """Whether a process of our own namespace has this id, even if /proc hides other users' processes."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's process, or unknown
        pass
    return True


def sees_all_processes() -> bool:
    try:
        return str(Path("/proc/self/ns/pid").readlink()) == INITIAL_NAMESPACE
    except OSError:
        return False


def numbers() -> set[int]:
    """Returns the ids of all processes, in all their namespaces."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = (process / "status").read_text(errors="replace")
        except OSError:
            continue  # it has ended
        line = re.search(r"^NSpid:(.*)$", status, re.MULTILINE)
        found |= {int(one) for one in (line[1].split() if line else [process.name])}
    return found


def _age_seconds(lock: Path) -> float:
    try:
        return time.time() - lock.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def release(context: Context, stack: str) -> None:
    """Removes the stack's stale locks and reports it."""
    for lock in _locks(context.variables, stack):
        if holder_is_gone(lock):
            context.console.note(f"released the lock that a killed `pulumi` left on stack {stack}")
            lock.unlink(missing_ok=True)
            lock.with_name(f"{lock.name}.attrs").unlink(missing_ok=True)
        elif not sees_all_processes():
            context.console.note(
                f"stack {stack} is locked, and in a container it is unknown whether the lock's process still runs; if "
                f"no pulumi runs, `pulumi cancel --stack {stack}` releases the lock"
            )


def _locks(variables: Mapping[str, str], stack: str) -> list[Path]:
    scheme, _, path = variables.get("PULUMI_BACKEND_URL", "").partition("://")
    if scheme != "file":
        return []
    return sorted((Path(path).expanduser() / ".pulumi" / "locks").glob(f"**/{stack}/*.json"))
