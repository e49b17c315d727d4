"""Background tasks that run a few times a second. A task that fails does not stop the others; its failure is logged and
counted.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from sealift.serving.log import log

QUIET_SECONDS: Final = 60.0
"""Minimum time between two log lines of one task."""


class FileWatch:
    """Runs `parts`, by name."""

    def __init__(self, parts: Mapping[str, Callable[[], None]], failures: dict[str, int]) -> None:
        """`failures` counts failures by part."""
        self._parts = parts
        self._failures = failures
        self._failures |= dict.fromkeys(parts, 0)
        self._told_at: dict[str, float] = {}

    def look(self) -> None:
        """Runs all parts once."""
        for name, part in self._parts.items():
            try:
                part()
            except Exception as error:  # noqa: BLE001 - the last resort: a revoked key must become invalid whatever fails
                self._failures[name] += 1
                self._tell(name, error)

    def _tell(self, name: str, error: Exception) -> None:
        """Logs only the type of the error: its message could quote a request."""
        now = time.monotonic()
        if now - self._told_at.get(name, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._told_at[name] = now
            log("error", "watch failed, it continues", part=name, error=type(error).__name__)
