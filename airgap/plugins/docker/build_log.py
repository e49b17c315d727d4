"""Output of a build and a push: one status line for the user, and all lines for the case that it fails."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

SECONDS_BETWEEN: Final = 5.0
"""Time between two status lines, because a log shows each status as a separate line."""
STEP: Final = re.compile(r"Step (\d+)/(\d+) : (.*)")
COLUMNS: Final = 100
MEGABYTE: Final = 1e6

Say = Callable[[str], None]


class BuildLog:
    """Log of a build. `status` replaces the shown line; `debug` gets every line at once."""

    def __init__(self, status: Say, debug: Say, clock: Callable[[], float] = time.monotonic) -> None:
        self._status, self._debug, self._clock = status, debug, clock
        self._lines: list[str] = []
        self._shown = -SECONDS_BETWEEN
        self._sizes: dict[str, tuple[int, int]] = {}
        self.step = "the context"

    @property
    def whole(self) -> str:
        """All lines of the build."""
        return "\n".join(self._lines)

    def say(self, text: str) -> None:
        """Shows a line at once, even if another was shown just before."""
        self._shown = self._clock()
        self._status(text)

    def built(self, message: Mapping[str, Any]) -> None:
        """Adds one message of the engine's build."""
        for line in filter(str.strip, message.get("stream", "").splitlines()):
            self._lines.append(line.rstrip())
            self._debug(line.strip())
            if step := STEP.match(line.strip()):
                self.step = line.strip()
                self._show(f"building, step {step[1]} of {step[2]}: {step[3]}"[:COLUMNS])

    def pushed(self, message: Mapping[str, Any]) -> None:
        """Adds one message of the engine's push, which reports sizes layer by layer."""
        detail = message.get("progressDetail") or {}
        if "total" in detail:
            self._sizes[message["id"]] = detail.get("current", 0), detail["total"]
        elif message.get("status") == "Pushed" and message.get("id") in self._sizes:
            total = self._sizes[message["id"]][1]
            self._sizes[message["id"]] = total, total
        else:
            self._debug(" ".join(filter(None, (message.get("id", ""), message.get("status", "")))))
        if self._sizes:
            current, total = (sum(sizes) for sizes in zip(*self._sizes.values(), strict=True))
            self._show(f"pushing, {min(current, total) / MEGABYTE:.0f} of {total / MEGABYTE:.0f} MB")

    def _show(self, text: str) -> None:
        if self._clock() - self._shown >= SECONDS_BETWEEN:
            self.say(text)
