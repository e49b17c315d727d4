"""The log: one JSON object per line on standard output. It contains what the server did, never what clients sent."""

import contextlib
import os
import select
import threading
import time
from collections.abc import Sequence
from typing import Final

import msgspec

STANDARD_OUTPUT: Final = 1

_lock = threading.Lock()
_unwritten = 0
_second, _stamp = 0, ""


def log(level: str, event: str, **fields: str | float | None) -> None:
    """Writes a line, or skips it if standard output is blocked, so that no request fails or waits. The next line counts
    the skipped ones."""
    global _unwritten
    line = {"time": stamp(), "level": level, "event": event, **fields}
    with _lock:
        if not _is_read():
            _unwritten += 1
            return
        if _unwritten:
            line["unwritten"] = _unwritten
            _unwritten = 0
        _put(msgspec.json.encode(line) + b"\n")


def write(lines: Sequence[bytes]) -> None:
    """Writes several complete lines at once, each shorter than PIPE_BUF bytes. Skipped lines are counted as in
    `log`."""
    global _unwritten
    with _lock:
        first = 0
        while first < len(lines):
            last, size = first + 1, len(lines[first])
            while last < len(lines) and size + len(lines[last]) <= select.PIPE_BUF:
                size += len(lines[last])
                last += 1
            if not _is_read():
                _unwritten += len(lines) - first
                return
            _put(b"".join(lines[first:last]))
            first = last


def stamp() -> str:
    """The current time to the second, in the format of log lines."""
    global _second, _stamp
    now = int(time.time())
    if now != _second:
        _stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        _second = now
    return _stamp


def _put(text: bytes) -> None:
    with contextlib.suppress(OSError):
        os.write(STANDARD_OUTPUT, text)


def _is_read() -> bool:
    """Whether a line can be written without waiting. A writable pipe takes PIPE_BUF bytes, more than a line has."""
    ready = select.poll()
    ready.register(STANDARD_OUTPUT, select.POLLOUT)
    return bool(ready.poll(0))
