"""How often a caller may ask: a token bucket, kept as one number (GCRA: the time at which the bucket is full again)."""

import math


class RateLimit:
    """So many requests per second on average, and `burst` of them at once."""

    __slots__ = ("_full_at", "_interval_seconds", "_window_seconds", "burst", "per_second")

    def __init__(self, per_second: float, burst: int) -> None:
        self.per_second = per_second
        self.burst = burst
        self._interval_seconds = 1 / per_second
        self._window_seconds = burst / per_second
        self._full_at = 0.0

    def take(self, now: float) -> int:
        """0 if this request may be answered, else after how many seconds the next one may: at least 1."""
        # A clock that was set back must lock nobody out: the bucket is never emptier than empty.
        self._full_at = min(max(self._full_at, now), now + self._window_seconds)
        full_at = self._full_at + self._interval_seconds
        # The last request of a burst must not miss by what floating point rounds.
        too_early_seconds = full_at - now - self._window_seconds
        if too_early_seconds > 1e-6:
            return math.ceil(too_early_seconds)
        self._full_at = full_at
        return 0
