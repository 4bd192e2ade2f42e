"""What happened in a simulation, in order: equal seeds give equal traces."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum

from quorate.protocol.mpc import PartyId


class Happening(Enum):
    """The kinds of events in a trace."""

    SENT = "sent"
    TAMPERED = "tampered"
    LOST = "lost"
    DELIVERED = "delivered"
    DISCONNECTED = "disconnected"
    STALLED = "stalled"
    CRASHED = "crashed"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """At `time_us`, `party` did or met `what`, with `peer` if another was concerned.

    `exchange` counts the party's exchanges from 1; `digest` is the start of the sha256 of the message, or the
    reason of a failure.
    """

    time_us: int
    what: Happening
    party: PartyId
    peer: PartyId | None = None
    exchange: int = 0
    size_bytes: int = 0
    digest: str = ""


def short_digest(message: bytes) -> str:
    """Enough of the sha256 of a message to tell messages apart, without showing it."""
    return hashlib.sha256(message).hexdigest()[:16]
