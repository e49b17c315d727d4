"""The contract of access control, which a transport calls for each request before it reads the body."""

from typing import Literal, Protocol

Scope = Literal["predict", "metadata", "metrics"]
"""Scopes of requests. Health checks need none and are open to all."""


class Access(Protocol):
    """Access control. Both methods are called in the event loop's thread, and neither blocks."""

    def admit(self, credential: bytes | None, scope: Scope, now: float) -> str:
        """Returns the caller's name, for logs and, unless it begins with "jwt:", for metrics, since those names are
        few.

        `credential` is the text after `Bearer ` in the request's `authorization`, or its `x-api-key`.
        `now` is in seconds since 1970. Raises Unauthenticated, Forbidden and TooManyRequests.
        """

    def refresh(self, now: float) -> None:
        """Loads changed files and keys. Called once a second; raises nothing."""
