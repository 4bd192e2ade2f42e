"""A token bucket."""

from __future__ import annotations

from collections.abc import Callable


class RateLimit:
    """Allows `per_s` events a second on average and `burst` at once, on the clock it is given."""

    __slots__ = ("_burst", "_clock", "_last", "_per_s", "_tokens")

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._tokens = burst
        self._last = clock()

    def take(self, tokens: float = 1) -> bool:
        """Whether `tokens` more events are allowed now; if so they are counted."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._last) * self._per_s)
        self._last = now
        if self._tokens < tokens:
            return False
        self._tokens -= tokens
        return True
