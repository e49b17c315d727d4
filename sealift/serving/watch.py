"""What the server looks after a few times a second, each part by itself: one that fails keeps no other from its turn,
and is told in the log and counted.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from sealift.serving.log import log

QUIET_SECONDS: Final = 60.0
"""Between two lines of one part."""


class FileWatch:
    """Over `parts`, by name."""

    def __init__(self, parts: Mapping[str, Callable[[], None]], failures: dict[str, int]) -> None:
        """`failures` counts them by part."""
        self._parts = parts
        self._failures = failures
        self._failures |= dict.fromkeys(parts, 0)
        self._told_at: dict[str, float] = {}

    def look(self) -> None:
        """At all of them."""
        for name, part in self._parts.items():
            try:
                part()
            except Exception as error:  # noqa: BLE001 - the last resort: a key that was taken back must stop counting
                self._failures[name] += 1
                self._tell(name, error)

    def _tell(self, name: str, error: Exception) -> None:
        """Its kind alone: a message could quote what clients sent."""
        now = time.monotonic()
        if now - self._told_at.get(name, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._told_at[name] = now
            log("error", "watch failed, it continues", part=name, error=type(error).__name__)
