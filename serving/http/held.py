"""The memory that bodies and answers take while they wait for a client: counted as it is taken, never as announced."""

from types import TracebackType
from typing import Final, Self

from serving.http.errors import Refused

SMALL_BYTES: Final = 64 << 10
"""Of each, not counted: connections are limited, and large requests keep out no small ones."""
MAX_HELD_BYTES: Final = 32 << 20
"""So that many clients at once get a 503 and not a pod that is out of memory."""


class Held:
    """All of one server."""

    def __init__(self) -> None:
        self.bytes = 0


class Share:
    """One request's part of it, until the end of its `with` block."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._bytes = 0

    def grow_to(self, size: int) -> None:
        """Raises Refused 503."""
        if size <= SMALL_BYTES:
            return
        more = size - SMALL_BYTES - self._bytes
        if more > 0 and self._held.bytes + more > MAX_HELD_BYTES:
            raise Refused(503, "too many large requests at a time; try again")
        self._held.bytes += more
        self._bytes += more

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.bytes -= self._bytes
        self._bytes = 0
