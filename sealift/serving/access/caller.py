"""One caller, identified by its credential."""

import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sealift.serving.access.contract import Scope
from sealift.serving.access.rate_limit import RateLimit
from sealift.serving.errors import Forbidden, TooManyRequests, Unauthenticated


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller's scopes, expiry and rate limit. Several keys of one name share one Caller and its limit."""

    name: str
    scopes: AbstractSet[str]
    expires: float = math.inf
    """Time of expiry in seconds since 1970."""
    rate_limit: RateLimit | None = None

    def admit(self, scope: Scope, now: float) -> str:
        """Returns the caller's name. Raises Unauthenticated, Forbidden and TooManyRequests."""
        if now >= self.expires:
            raise Unauthenticated(f"the credential of {self.name!r} has expired; ask for a new one")
        if scope not in self.scopes:
            raise Forbidden(self.name, scope)
        if self.rate_limit is not None:
            retry_after = self.rate_limit.take(now)
            if retry_after:
                raise TooManyRequests(self.name, retry_after)
        return self.name
