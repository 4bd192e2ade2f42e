"""Who may hold an inbound connection: counted per address and in total, before and after the handshake.

Before the handshake nothing is known of whoever connects, so a full table makes room by cutting its oldest
entry: of the same address when that address has too many, else of the address that has the most. An honest
handshake takes milliseconds and is never the oldest for long; a socket that says nothing always becomes so.
After the handshake a connection has a peer id, and one too many is refused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import trio

from .config import InboundLimits
from .scopes import open_scope


@dataclass(eq=False, slots=True)
class Handshake:
    """One connection that has not proved who it is."""

    host: str
    scope: trio.CancelScope = field(default_factory=open_scope)


class InboundGate:
    """Counts inbound connections; `begin`, then `admit` or `abandon`, then `leave`."""

    def __init__(self, limits: InboundLimits) -> None:
        self.limits = limits
        self.handshakes: dict[Handshake, None] = {}  # in order of arrival
        self.connections: Counter[str] = Counter()
        self.evicted = 0
        self.refused = 0
        self._pending: Counter[str] = Counter()

    def begin(self, host: str) -> Handshake:
        """A socket from `host` was accepted; may cancel the scope of an older one."""
        if self._pending[host] >= self.limits.most_handshakes_per_ip:
            self._evict(host)
        elif len(self.handshakes) >= self.limits.most_handshakes:
            self._evict(self._pending.most_common(1)[0][0])
        handshake = Handshake(host)
        self.handshakes[handshake] = None
        self._pending[host] += 1
        return handshake

    def _evict(self, host: str) -> None:
        oldest = next(handshake for handshake in self.handshakes if handshake.host == host)
        self.evicted += 1
        oldest.scope.cancel()
        self.abandon(oldest)

    def abandon(self, handshake: Handshake) -> None:
        """The handshake is over, either way; harmless when it already was."""
        if handshake in self.handshakes:
            del self.handshakes[handshake]
            self._pending[handshake.host] -= 1
            if not self._pending[handshake.host]:
                del self._pending[handshake.host]

    def admit(self, handshake: Handshake) -> bool:
        """Whether the connection may stay; if so, `leave` must follow once it ends."""
        self.abandon(handshake)
        total = self.connections.total()
        if (
            total >= self.limits.most_connections
            or self.connections[handshake.host] >= self.limits.most_connections_per_ip
        ):
            self.refused += 1
            return False
        self.connections[handshake.host] += 1
        return True

    def leave(self, host: str) -> None:
        """A connection that was admitted from `host` has ended."""
        self.connections[host] -= 1
        if not self.connections[host]:
            del self.connections[host]
