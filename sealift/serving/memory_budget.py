"""The memory that large requests and answers take while they wait for a client or for the model: counted as it is
taken, never as announced, and in one sum for all transports."""

from typing import Final

from sealift.serving.errors import Overloaded

MAX_BODY_BYTES: Final = 8 << 20
"""Of a request's body or message, over any transport."""
SMALL_BYTES: Final = 64 << 10
"""Of each body and each answer, not counted: connections are limited, and large requests keep out no small ones."""
MAX_HELD_BYTES: Final = 32 << 20
"""Of all larger ones, so that many clients at once get a 503 and not a pod that is out of memory."""


class MemoryBudget:
    """Of one server."""

    def __init__(self, most_bytes: int, free_bytes: int) -> None:
        """At most `most_bytes`; of each request and each answer, `free_bytes` are not counted."""
        self.bytes = 0
        self.most_bytes = most_bytes
        self.free_bytes = free_bytes


class Share:
    """One request's part of the budget, until it is released."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._bytes = 0

    def grow_to(self, size: int) -> None:
        """Raises Overloaded."""
        budget = self._budget
        more = size - budget.free_bytes - self._bytes
        if more <= 0:
            return
        if budget.bytes + more > budget.most_bytes:
            raise Overloaded("too many large requests at a time; try again")
        budget.bytes += more
        self._bytes += more

    def release(self) -> None:
        """All of it; a second time is nothing."""
        self._budget.bytes -= self._bytes
        self._bytes = 0
