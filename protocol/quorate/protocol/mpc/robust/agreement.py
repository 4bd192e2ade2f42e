"""Agreement on what every holder reports: all honest parties get the same reports, and those of all that are in time.

Each speaker broadcasts its report [Bracha 1987]; one binary agreement for each decides whether it counts. A party
proposes yes once it has the report, and no for those that it has not at the deadline. So the reports of all honest
speakers count if the network delivers within the deadline; those of others count at all honest parties or at none.

Adversary: malicious, t < n/3. The reports are the same everywhere whatever the network does; if it is too slow,
honest speakers may be left out. The agreements toss public coins, known beforehand: a unanimous committee ends
without any, and safety never depends on them; but an adversary that rules the delays of messages between honest
parties, and not just what t parties say, might keep an agreement on the report of a corrupted speaker from ending.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from quorate.protocol.broadcast import BinaryAgreement, Machine, ReliableBroadcast, Seat, Send, Toss
from quorate.protocol.errors import MalformedMessage, ProtocolAbort
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import begin_conversation, converse
from quorate.protocol.sharing import PartyId

AGREEMENT_DEADLINE_MS: Final = 15_000
"""How long reports are waited for; above DEALING_DEADLINE_MS, by which honest parties may begin apart."""
MOST_REPORT_BYTES: Final = 1 << 16
"""The longest report."""
_COIN_DOMAIN: Final = b"quorate/report-coin/1"


class _PublicToss(Toss):
    """A coin that everybody can compute beforehand."""

    def __init__(self, seat: Seat, value: bool) -> None:
        super().__init__(seat)
        self._value = value

    @property
    def finished(self) -> bool:
        """Once it was asked for."""
        return self._output is not None

    def start(self) -> list[Send]:
        """Nothing is to be sent."""
        self._output = self._value
        return []

    def _handle(self, sender: PartyId, message: bytes) -> None:
        raise MalformedMessage("a share of a public coin")


class _PublicCoins:
    """Coins hashed from the number of the conversation."""

    tosses: int = 64

    def __init__(self, seat: Seat, phase: int) -> None:
        self._seat = seat
        self._phase = phase

    def toss(self, instance: int, number: int) -> Toss:
        """Toss `number` of agreement `instance`."""
        name = b"".join(part.to_bytes(4, "big") for part in (self._phase, instance, number))
        return _PublicToss(self._seat, bool(hashlib.sha256(_COIN_DOMAIN + name).digest()[0] & 1))


class _Part(IntEnum):
    BROADCAST = 0
    AGREEMENT = 1


class Reports(Machine[Mapping[PartyId, bytes]]):
    """The reports of `speakers`, in their order; see the module."""

    def __init__(self, seat: Seat, speakers: Sequence[PartyId], *, phase: int) -> None:
        super().__init__(seat)
        coins = _PublicCoins(seat, phase)
        self._broadcasts = {
            speaker: ReliableBroadcast(seat, speaker, most_bytes=MOST_REPORT_BYTES) for speaker in speakers
        }
        self._agreements = {speaker: BinaryAgreement(seat, coins=coins, instance=speaker) for speaker in speakers}

    @property
    def finished(self) -> bool:
        """Once it is decided for every speaker, here and where it matters elsewhere, and the reports are here."""
        return self._output is not None and all(agreement.finished for agreement in self._agreements.values())

    def start(self, report: bytes) -> list[Send]:
        """Broadcast this party's report, if it is a speaker."""
        own = self._broadcasts.get(self.seat.identity)
        if own is not None:
            self._emit(_Part.BROADCAST, self.seat.identity, own.start(report))
        self._settle()
        return self._flush()

    def expire(self) -> list[Send]:
        """The deadline: propose no for every speaker that has not been heard."""
        for speaker in self._agreements:
            self._propose(speaker, value=False)
        self._settle()
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        if len(message) < 2 or message[1] not in self._broadcasts:
            raise MalformedMessage("a message on no report")
        speaker = PartyId(message[1])
        if message[0] == _Part.BROADCAST:
            self._emit(_Part.BROADCAST, speaker, self._broadcasts[speaker].receive(sender, message[2:]))
        elif message[0] == _Part.AGREEMENT:
            self._emit(_Part.AGREEMENT, speaker, self._agreements[speaker].receive(sender, message[2:]))
        else:
            raise MalformedMessage("a message of no known part")
        self._settle()

    def _emit(self, part: _Part, speaker: PartyId, sends: Iterable[Send]) -> None:
        self._outbox.extend(Send(send.receiver, bytes([part, speaker]) + send.message) for send in sends)

    def _propose(self, speaker: PartyId, *, value: bool) -> None:
        agreement = self._agreements[speaker]
        if not agreement.is_started:
            self._emit(_Part.AGREEMENT, speaker, agreement.start(value))

    def _settle(self) -> None:
        for speaker, broadcast in self._broadcasts.items():
            if broadcast.output is not None:
                self._propose(speaker, value=True)
        if self._output is None and all(one.output is not None for one in self._agreements.values()):
            reports = {
                speaker: self._broadcasts[speaker].output
                for speaker, one in self._agreements.items()
                if one.output
            }
            arrived = {speaker: report for speaker, report in reports.items() if report is not None}
            if len(arrived) == len(reports):
                self._output = MappingProxyType(arrived)


def agree_on_reports(
    party: Party, speakers: Sequence[PartyId], report: bytes
) -> Protocol[Mapping[PartyId, bytes]]:
    """One agreement; `report` is this party's, if it is one of `speakers`.

    Raises ProtocolAbort when all other parties are gone.
    """
    phase = begin_conversation(party)
    machine = Reports(
        Seat(party.identity, parties=party.parties, threshold=party.threshold), speakers, phase=phase
    )
    sends, deadline_ms = machine.start(report), AGREEMENT_DEADLINE_MS
    waits = True
    while not machine.finished:
        outgoing = [(send.receiver, send.message) for send in sends]
        received = yield from converse(party, phase, outgoing, deadline_ms=deadline_ms if waits else None)
        if received is not None:
            sends = machine.receive(*received)
        elif waits:
            waits, sends = False, machine.expire()
        else:
            raise ProtocolAbort("the other parties were gone before an agreement among them had ended")
    yield from converse(party, phase, [(send.receiver, send.message) for send in sends], deadline_ms=0)
    assert machine.output is not None, "a finished agreement has an output"
    return machine.output
