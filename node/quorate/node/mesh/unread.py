"""How many received bytes nobody has read yet, over all connections of a mesh."""

from __future__ import annotations

from typing import Protocol


class Holder(Protocol):
    """A connection that can be ended."""

    def cut(self, reason: str) -> None:
        """End the connection for `reason`."""


class UnreadLedger:
    """Counts unread bytes per connection; names the fattest one when all together exceed `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.total = 0
        self._held: dict[Holder, int] = {}

    def add(self, holder: Holder, size: int) -> Holder | None:
        """`holder` received `size` bytes; returns the connection to cut, if that was too much."""
        self.total += size
        self._held[holder] = self._held.get(holder, 0) + size
        if self.total <= self.most_bytes:
            return None
        return max(self._held, key=lambda each: self._held[each])

    def remove(self, holder: Holder, size: int) -> None:
        """`size` bytes of `holder` were read or dropped; nothing when it was dropped as a whole."""
        if holder in self._held:
            self._held[holder] -= size
            self.total -= size

    def drop(self, holder: Holder) -> None:
        """Forget `holder` and all it held."""
        self.total -= self._held.pop(holder, 0)
