"""Machines inside protocols: one machine is one conversation of the session, carried by the session's driver.

    agreement = SetAgreement(seat_of(party), coins=coins)
    members = yield from run_machine(party, agreement, agreement.vote(dealer))

The protocol goes on once the machine has finished, that is when no other party needs its messages any more; the
output may have been there earlier. It waits without a deadline, so a machine whose end depends on one party (a single
broadcast) ends only if that party is honest; an agreement ends as soon as n - t parties take part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from quorate.protocol.errors import ProtocolAbort
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import begin_conversation, converse
from quorate.protocol.sharing import PartyId

from .effects import Send
from .machine import Machine, Seat

Output = TypeVar("Output")


def seat_of(party: Party) -> Seat:
    """The seat of a party in its session; raises ValueError unless n >= 3t + 1."""
    return Seat(party.identity, parties=party.parties, threshold=party.threshold)


def run_machine(party: Party, machine: Machine[Output], sends: Sequence[Send] = ()) -> Protocol[Output]:
    """Carry `machine` to its end, `sends` being what its start returned, and return its output.

    All parties run their machines in the same order, as their conversations are numbered. Raises ProtocolAbort when
    all other parties are gone before that.
    """
    phase = begin_conversation(party)
    while not machine.finished:
        received = yield from converse(party, phase, _addressed(sends))
        if received is None:
            raise ProtocolAbort("the other parties were gone before an agreement among them had ended")
        sender, message = received
        sends = machine.receive(sender, message)
    if sends:
        yield from converse(party, phase, _addressed(sends), deadline_ms=0)
    output = machine.output
    assert output is not None, "a finished machine has an output"
    return output


def _addressed(sends: Sequence[Send]) -> list[tuple[PartyId, bytes]]:
    return [(send.receiver, send.message) for send in sends]
