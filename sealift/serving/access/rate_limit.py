"""A caller's rate limit: a token bucket, stored as one number (GCRA: the time at which the bucket is full again)."""

import math


class RateLimit:
    """A limit of `per_second` requests on average, and `burst` requests at once."""

    __slots__ = ("_full_at", "_interval_seconds", "_window_seconds", "burst", "per_second")

    def __init__(self, per_second: float, burst: int) -> None:
        self.per_second = per_second
        self.burst = burst
        self._interval_seconds = 1 / per_second
        self._window_seconds = burst / per_second
        self._full_at = 0.0

    def take(self, now: float) -> int:
        """Takes one request. Returns 0 if it is allowed, else the seconds until the next one is: at least 1."""
        # A clock that was set back must not lock callers out: the bucket is never emptier than empty.
        self._full_at = min(max(self._full_at, now), now + self._window_seconds)
        full_at = self._full_at + self._interval_seconds
        # The last request of a burst must not fail because of rounding.
        too_early_seconds = full_at - now - self._window_seconds
        if too_early_seconds > 1e-6:
            return math.ceil(too_early_seconds)
        self._full_at = full_at
        return 0
