"""What can go wrong in a simulation, and how fast its network is.

Exchanges are counted from 1 at each party; a step of a conversation counts as one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from quorate.protocol.mpc import PartyId


@dataclass(frozen=True, slots=True)
class Network:
    """Each message takes least..most microseconds; a party waits `timeout_us` for a silent peer.

    Channels keep their own order, as TCP does; messages of different channels overtake one another.
    """

    least_delay_us: int = 50
    most_delay_us: int = 5_000
    timeout_us: int = 20_000_000

    def __post_init__(self) -> None:
        if not 0 <= self.least_delay_us <= self.most_delay_us < self.timeout_us:
            raise ValueError("delays must satisfy 0 <= least <= most < timeout")


@dataclass(frozen=True, slots=True)
class Crash:
    """`party` stops for good: in its exchange number `exchange`, or at `time_us`, whichever is given.

    Of that exchange, only the messages to `reached` are sent. Raises ValueError unless exactly one is given.
    """

    party: PartyId
    exchange: int | None = None
    time_us: int | None = None
    reached: tuple[PartyId, ...] = ()

    def __post_init__(self) -> None:
        if (self.exchange is None) == (self.time_us is None):
            raise ValueError("a crash is at an exchange or at a time")


@dataclass(frozen=True, slots=True)
class Disconnect:
    """From `time_us` on, nothing passes between `first` and `second`, and both notice."""

    first: PartyId
    second: PartyId
    time_us: int


@dataclass(frozen=True, slots=True)
class Stall:
    """`party` pauses for `pause_us` before it sends its exchange number `exchange`."""

    party: PartyId
    exchange: int
    pause_us: int


@dataclass(frozen=True, slots=True)
class Tamper:
    """The message from `sender` to `receiver` in the sender's exchange number `exchange` is changed."""

    sender: PartyId
    receiver: PartyId
    exchange: int
    change: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Lie:
    """`change(message, receiver)` replaces everything that `party` sends from its exchange number `exchange` on."""

    party: PartyId
    change: Callable[[bytes, PartyId], bytes]
    exchange: int = 1


@dataclass(frozen=True, slots=True)
class Mute:
    """`party` sends nothing from its exchange number `exchange` on, and its connections stay open."""

    party: PartyId
    exchange: int = 1


@dataclass(frozen=True, slots=True)
class Partition:
    """What would arrive in from_us..until_us between `group` and the others arrives at `until_us`, in order."""

    group: frozenset[PartyId]
    from_us: int
    until_us: int

    def separates(self, first: PartyId, second: PartyId, time_us: int) -> bool:
        """Whether nothing passes between two parties at that time."""
        return self.from_us <= time_us < self.until_us and (first in self.group) != (second in self.group)


Fault: TypeAlias = Crash | Disconnect | Lie | Mute | Partition | Stall | Tamper
