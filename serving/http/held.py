"""The memory that bodies and answers take while they wait for a client: counted as it is taken, never as announced."""

from serving.http.errors import Refused
from serving.http.limits import MAX_HELD_BYTES, SMALL_BYTES


class Held:
    """All of one server."""

    def __init__(self) -> None:
        self.bytes = 0


class Share:
    """One request's part of it, until it is released."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._bytes = 0

    def grow_to(self, size: int) -> None:
        """Raises Refused 503."""
        more = size - SMALL_BYTES - self._bytes
        if more <= 0:
            return
        if self._held.bytes + more > MAX_HELD_BYTES:
            raise Refused(503, "too many large requests at a time; try again")
        self._held.bytes += more
        self._bytes += more

    def release(self) -> None:
        """All of it; a second time is nothing."""
        self._held.bytes -= self._bytes
        self._bytes = 0
