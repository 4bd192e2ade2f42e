"""What the machines of this package share: a seat in the committee, delivery to oneself, the account of faults.

Model. n parties, of which any t may be malicious, n >= 3t + 1; channels are authenticated and deliver every message
between honest parties at some time, in any order, with no bound on the delay. A machine is driven by events: `start`
gives it this party's input, `receive` a peer's message, and each returns what to send. It keeps no clock and draws no
randomness of its own, so the same events lead to the same state.

A peer's message never raises out of `receive` and never changes more than what the protocol lets that peer say: what
cannot come from an honest party is dropped and noted in `faults`, the first reason for each sender. An identical
repetition is dropped without a note, because a driver may send again after a connection broke.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import MAX_PARTIES, PartyId

from .effects import Send

Output = TypeVar("Output", covariant=True)
Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class Seat:
    """Who this party is in a committee that tolerates `threshold` liars, and how many parties make which quorum.

    Raises ValueError unless `parties >= 3 threshold + 1` and the party is one of them.
    """

    identity: PartyId
    parties: int = field(kw_only=True)
    threshold: int = field(kw_only=True)

    def __post_init__(self) -> None:
        if not 1 <= self.parties <= MAX_PARTIES:
            raise ValueError(f"a committee has 1 to {MAX_PARTIES} parties, not {self.parties}")
        if not 1 <= self.identity <= self.parties:
            raise ValueError(f"party {self.identity} is not in a committee of {self.parties}")
        if self.threshold < 0 or 3 * self.threshold >= self.parties:
            raise ValueError(f"threshold {self.threshold} needs {3 * self.threshold + 1} parties")

    @property
    def everyone(self) -> tuple[PartyId, ...]:
        """All parties, in order."""
        return tuple(PartyId(party) for party in range(1, self.parties + 1))

    @property
    def others(self) -> tuple[PartyId, ...]:
        """All parties but this one, in order."""
        return tuple(party for party in self.everyone if party != self.identity)

    @property
    def one_honest(self) -> int:
        """t + 1: among so many parties at least one is honest."""
        return self.threshold + 1

    @property
    def mostly_honest(self) -> int:
        """2t + 1: among so many parties at least t + 1 are honest."""
        return 2 * self.threshold + 1

    @property
    def waited_for(self) -> int:
        """n - t: the most parties that one can wait for, since t may stay silent."""
        return self.parties - self.threshold

    @property
    def intersecting(self) -> int:
        """The least size at which any two sets of parties have an honest party in common."""
        return (self.parties + self.threshold) // 2 + 1


class Machine(ABC, Generic[Output]):
    """One instance of a protocol at one party; `Output` is what it delivers."""

    def __init__(self, seat: Seat) -> None:
        self.seat = seat
        self._output: Output | None = None
        self._faults: dict[PartyId, str] = {}
        self._outbox: list[Send] = []
        self._to_self: deque[bytes] = deque()

    @property
    def output(self) -> Output | None:
        """What the protocol delivered; None until it did."""
        return self._output

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether it needs no more messages and no other party needs another one of ours."""

    @property
    def faults(self) -> Mapping[PartyId, str]:
        """The parties that sent what no honest party sends, with the first reason for each."""
        return MappingProxyType(self._faults)

    def receive(self, sender: PartyId, message: bytes) -> list[Send]:
        """Take a message of `sender`, whose identity the channel has authenticated.

        Raises ValueError when `sender` is no other party of the committee: that is the driver's error.
        """
        if sender == self.seat.identity or not 1 <= sender <= self.seat.parties:
            raise ValueError(f"party {sender} is no peer of party {self.seat.identity}")
        if self.finished:
            return []
        try:
            self._handle(sender, message)
        except MalformedMessage as error:
            self._blame(sender, error.reason)
        return self._flush()

    @abstractmethod
    def _handle(self, sender: PartyId, message: bytes) -> None:
        """Act on one message; raises MalformedMessage, having changed no outcome, for what no honest party sends."""

    def _blame(self, party: PartyId, reason: str) -> None:
        self._faults.setdefault(party, reason)

    def _blame_all(self, faults: Mapping[PartyId, str]) -> None:
        for party, reason in faults.items():
            self._blame(party, reason)

    def _send(self, receiver: PartyId, message: bytes) -> None:
        """Send to one party, which may be this one."""
        if receiver == self.seat.identity:
            self._to_self.append(message)
        else:
            self._outbox.append(Send(receiver, message))

    def _send_all(self, message: bytes) -> None:
        """Send to everyone, this party included: its own messages count like any other's."""
        for receiver in self.seat.everyone:
            self._send(receiver, message)

    def _flush(self) -> list[Send]:
        """Deliver what this party sent to itself, and hand over what the driver is to send."""
        while self._to_self:
            self._handle(self.seat.identity, self._to_self.popleft())
        sends, self._outbox = self._outbox, []
        return sends


def relabel(prefix: bytes, sends: Iterable[Send]) -> list[Send]:
    """The same messages behind `prefix`; a message that goes to several receivers is copied once."""
    labelled: dict[int, bytes] = {}
    result = []
    kept: Sequence[Send] = tuple(sends)  # alive while their identities are keys
    for send in kept:
        key = id(send.message)
        if key not in labelled:
            labelled[key] = prefix + send.message
        result.append(Send(send.receiver, labelled[key]))
    return result


def say_once(said: dict[PartyId, Said], sender: PartyId, value: Said, *, what: str) -> bool:
    """Note that `sender` said `value`; False when it had said so before.

    Raises MalformedMessage when it had said something else.
    """
    if sender not in said:
        said[sender] = value
        return True
    if said[sender] != value:
        raise MalformedMessage(f"two different {what} messages")
    return False
