"""Locks that a killed `pulumi` left on a stack of a local backend: released where the process that took them is gone.

A lock of another machine, or of a process that lives, is left alone: pulumi then says who holds it.
"""

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from bootstrap.context import Context


def holder_is_gone(lock: Path) -> bool:
    """Whether this lock file names this machine and a process that is no more, or was never written whole."""
    try:
        said = json.loads(lock.read_text())
        return bool(said["hostname"] == socket.gethostname() and not Path(f"/proc/{int(said['pid'])}").exists())
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError):
        return True


def release(context: Context, stack: str) -> None:
    """Removes the stack's stale locks, and says so."""
    for lock in _locks(context.variables, stack):
        if holder_is_gone(lock):
            context.console.note(f"released the lock that a killed `pulumi` left on stack {stack}")
            lock.unlink(missing_ok=True)
            lock.with_name(f"{lock.name}.attrs").unlink(missing_ok=True)


def _locks(variables: Mapping[str, str], stack: str) -> list[Path]:
    scheme, _, path = variables.get("PULUMI_BACKEND_URL", "").partition("://")
    if scheme != "file":
        return []
    return sorted((Path(path).expanduser() / ".pulumi" / "locks").glob(f"**/{stack}/*.json"))
