"""What a member knows of a session before it begins: the request, its committee, the program, its own seat."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.contracts import Request
from quorate.marketplace import Details
from quorate.protocol.committee import CommitteeTask

SETUP_S = 12.0
"""How long the members may take to bring their streams together, in seconds."""
INPUT_SHARE = 0.5
"""The share of the time left until the deadline in which clients must have sent their inputs."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One member of a committee: its account (20 bytes), its peer id, its place (party 1..n) and its price."""

    party: int
    account: bytes
    peer: str
    price: int


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """Everything that is fixed when a committee is locked; `party` is ours."""

    request_id: bytes
    request: Request
    details: Details
    seats: tuple[Seat, ...]
    party: int
    task: CommitteeTask

    @property
    def own(self) -> Seat:
        """Our seat."""
        return self.seats[self.party - 1]

    @property
    def others(self) -> tuple[Seat, ...]:
        """Every other seat."""
        return tuple(seat for seat in self.seats if seat.party != self.party)

    @property
    def members(self) -> tuple[bytes, ...]:
        """The accounts in committee order."""
        return tuple(seat.account for seat in self.seats)

    def seat_of(self, peer: str) -> Seat | None:
        """The seat of a peer id, or None for an outsider."""
        return next((seat for seat in self.seats if seat.peer == peer), None)
