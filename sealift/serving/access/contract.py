"""What a transport asks for each request, before it reads a body."""

from typing import Literal, Protocol

Scope = Literal["predict", "metadata", "metrics"]
"""What can be asked for. Health is open to all, and so is none of these."""


class Access(Protocol):
    """Who may ask for what. Both methods are called in one thread, the event loop's, and neither waits for anything."""

    def admit(self, credential: bytes | None, scope: Scope, now: float) -> str:
        """The caller's name, for logs and, if it does not begin with "jwt:", for metrics: of those there are few.

        `credential` is what the request carries: the text after `Bearer ` in its `authorization`, or its `x-api-key`.
        `now` is in seconds since 1970. Raises Unauthenticated, Forbidden and TooManyRequests.
        """

    def refresh(self, now: float) -> None:
        """Takes over what has changed. To be called once a second; raises nothing."""
