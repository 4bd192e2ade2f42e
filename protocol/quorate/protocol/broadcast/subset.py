"""Agreement on a set of parties, and on a set of contributions (Ben-Or, Kelmer and Rabin, PODC 1994, section 4).

`SetAgreement`: one binary agreement for each of the n candidates. A party proposes 1 for a candidate once it vouches
for it (`vote`), and 0 for all that are left when n - t agreements have ended with 1. The output is the candidates
whose agreements ended with 1: the same at all honest parties, at least n - t, and each was vouched for by an honest
party. It ends if there are n - t candidates, the same everywhere, for which every honest party votes at some time.

`CommonSubset` (as HoneyBadgerBFT uses it, Miller et al., CCS 2016): every party broadcasts a contribution; to have
received a broadcast, and found it acceptable, is to vouch for its dealer. The output is the contributions of an agreed
set of at least n - t parties; at least n - 2t of them are of honest parties.

Adversary: that of `binary` and `coded`: t malicious parties, n >= 3t + 1, no synchrony. The n agreements run side by
side with a toss of their own each, so the last one to end takes O(log n) rounds on average.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import TypeAlias

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import PartyId

from .binary import BinaryAgreement
from .bracha import ReliableBroadcast
from .coded import CodedBroadcast
from .coin import CoinSupply
from .effects import Send
from .machine import Machine, Seat, relabel

Broadcast: TypeAlias = ReliableBroadcast | CodedBroadcast


class SetAgreement(Machine[frozenset[PartyId]]):
    """One agreement on a set of at least n - t candidates; agreement i of `coins` is candidate i + 1's."""

    def __init__(self, seat: Seat, *, coins: CoinSupply) -> None:
        super().__init__(seat)
        self._agreements = {
            candidate: BinaryAgreement(seat, coins=coins, instance=candidate - 1) for candidate in seat.everyone
        }

    @property
    def finished(self) -> bool:
        """Once every single agreement is."""
        return all(agreement.finished for agreement in self._agreements.values())

    def start(self) -> list[Send]:
        """Nothing to send: a party takes part by its votes."""
        return []

    def vote(self, candidate: PartyId) -> list[Send]:
        """Vouch for a candidate; without effect when this party has already taken a stand on it.

        Raises ValueError for a candidate that is no party.
        """
        if candidate not in self._agreements:
            raise ValueError(f"party {candidate} is not in a committee of {self.seat.parties}")
        self._propose(candidate, value=True)
        self._settle()
        return self._flush()

    def resume(self, candidate: PartyId) -> list[Send]:
        """Go on with the tosses for a candidate, which waited for something outside; what that sends."""
        self._outbox.extend(relabel(bytes([candidate]), self._agreements[candidate].resume()))
        self._settle()
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        agreement = self._agreements.get(PartyId(message[0])) if message else None
        if agreement is None:
            raise MalformedMessage("a message on no candidate")
        self._outbox.extend(relabel(message[:1], agreement.receive(sender, message[1:])))
        self._blame_all(agreement.faults)
        self._settle()

    def _propose(self, candidate: PartyId, *, value: bool) -> None:
        agreement = self._agreements[candidate]
        if not agreement.is_started:
            self._outbox.extend(relabel(bytes([candidate]), agreement.start(value)))

    def _settle(self) -> None:
        members = [candidate for candidate, agreement in self._agreements.items() if agreement.output]
        if len(members) >= self.seat.waited_for:
            for candidate in self.seat.everyone:
                self._propose(candidate, value=False)
        if all(agreement.output is not None for agreement in self._agreements.values()):
            self._output = frozenset(
                candidate for candidate, agreement in self._agreements.items() if agreement.output
            )


class _Part(IntEnum):
    BROADCAST = 0
    AGREEMENT = 1


def _accept_all(dealer: PartyId, payload: bytes) -> bool:
    return True


class CommonSubset(Machine[Mapping[PartyId, bytes]]):
    """One agreement on the contributions of at least n - t parties; the output is in the order of their numbers.

    `is_acceptable(dealer, payload)` must depend on its arguments only, so that all honest parties judge alike;
    a contribution that fails is not voted for, and then never in the output.
    """

    def __init__(
        self,
        seat: Seat,
        *,
        coins: CoinSupply,
        broadcast: Callable[[Seat, PartyId], Broadcast] = CodedBroadcast,
        is_acceptable: Callable[[PartyId, bytes], bool] = _accept_all,
    ) -> None:
        super().__init__(seat)
        self._broadcasts = {dealer: broadcast(seat, dealer) for dealer in seat.everyone}
        self._members = SetAgreement(seat, coins=coins)
        self._is_acceptable = is_acceptable
        self._judged: set[PartyId] = set()

    @property
    def finished(self) -> bool:
        """Once the set is agreed on for everybody, and its contributions have arrived here."""
        return self._output is not None and self._members.finished

    def start(self, contribution: bytes) -> list[Send]:
        """Broadcast this party's contribution. Raises ValueError for a second call or one too large."""
        own = self._broadcasts[self.seat.identity]
        self._emit_broadcast(self.seat.identity, own.start(contribution))
        self._settle()
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        if message[:1] == bytes([_Part.AGREEMENT]):
            self._emit_agreement(self._members.receive(sender, message[1:]))
            self._blame_all(self._members.faults)
        elif message[:1] == bytes([_Part.BROADCAST]) and len(message) > 1 and message[1] in self._broadcasts:
            dealer = PartyId(message[1])
            self._emit_broadcast(dealer, self._broadcasts[dealer].receive(sender, message[2:]))
            self._blame_all(self._broadcasts[dealer].faults)
        else:
            raise MalformedMessage("a message on no broadcast and no agreement")
        self._settle()

    def _emit_broadcast(self, dealer: PartyId, sends: Iterable[Send]) -> None:
        self._outbox.extend(relabel(bytes([_Part.BROADCAST, dealer]), sends))

    def _emit_agreement(self, sends: Iterable[Send]) -> None:
        self._outbox.extend(relabel(bytes([_Part.AGREEMENT]), sends))

    def _settle(self) -> None:
        for dealer, broadcast in self._broadcasts.items():
            if broadcast.output is not None and dealer not in self._judged:
                self._judged.add(dealer)
                if self._is_acceptable(dealer, broadcast.output):
                    self._emit_agreement(self._members.vote(dealer))
        if self._members.output is not None and self._output is None:
            contributions = {dealer: self._broadcasts[dealer].output for dealer in sorted(self._members.output)}
            arrived = {dealer: payload for dealer, payload in contributions.items() if payload is not None}
            if len(arrived) == len(contributions):
                self._output = MappingProxyType(arrived)
