"""One JSON object per line on standard output: what the server did, never what clients sent."""

import contextlib
import os
import select
import threading
import time
from typing import Final

import msgspec

STANDARD_OUTPUT: Final = 1

_lock = threading.Lock()
_unwritten = 0


def log(level: str, event: str, **fields: str | float | None) -> None:
    """Writes a line, or none where nobody reads them: no request fails or waits for that. The next line that is read
    says how many were not."""
    global _unwritten
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": level, "event": event, **fields}
    with _lock:
        if not _is_read():
            _unwritten += 1
            return
        if _unwritten:
            line["unwritten"] = _unwritten
            _unwritten = 0
        with contextlib.suppress(OSError):
            os.write(STANDARD_OUTPUT, msgspec.json.encode(line) + b"\n")


def _is_read() -> bool:
    """Whether a line can be written without waiting: a pipe takes PIPE_BUF bytes then, more than a line has."""
    ready = select.poll()
    ready.register(STANDARD_OUTPUT, select.POLLOUT)
    return bool(ready.poll(0))
