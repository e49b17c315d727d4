"""One JSON object per line on standard output: what the server did, never what clients sent."""

import contextlib
import os
import time
from typing import Final

import msgspec

STANDARD_OUTPUT: Final = 1


def log(level: str, event: str, **fields: str | float | None) -> None:
    """Writes a line, or none if nobody reads them any more: no request fails for that."""
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": level, "event": event, **fields}
    with contextlib.suppress(OSError):
        os.write(STANDARD_OUTPUT, msgspec.json.encode(line) + b"\n")
