"""The memory that large requests and responses take while they wait for a client or for the model. It is counted as it
is used, not as announced, and in one sum for all transports."""

from typing import Final

from sealift.serving.errors import Overloaded

MAX_BODY_BYTES: Final = 8 << 20
"""Size limit of a request's body or message, over any transport."""
SMALL_BYTES: Final = 64 << 10
"""Bytes of each body and response that are not counted: connections are limited, and small requests always fit."""
MAX_HELD_BYTES: Final = 32 << 20
"""Limit on the sum of all larger ones, so that many clients at once get a 503 before the pod runs out of memory."""


class MemoryBudget:
    """The memory budget of one server."""

    def __init__(self, most_bytes: int, free_bytes: int) -> None:
        """The limit is `most_bytes`. The first `free_bytes` of each request and response are not counted."""
        self.bytes = 0
        self.most_bytes = most_bytes
        self.free_bytes = free_bytes


class Share:
    """One request's share of the budget, until it is released."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self._bytes = 0

    def grow_to(self, size: int) -> None:
        """Grows the share to `size` bytes. Raises Overloaded."""
        budget = self._budget
        more = size - budget.free_bytes - self._bytes
        if more <= 0:
            return
        if budget.bytes + more > budget.most_bytes:
            raise Overloaded("too many large requests at a time; try again")
        budget.bytes += more
        self._bytes += more

    def release(self) -> None:
        """Releases the whole share. Calling it again does nothing."""
        self._budget.bytes -= self._bytes
        self._bytes = 0
