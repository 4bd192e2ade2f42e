"""Runs signers in one process, with a liar among them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

from quorate.protocol.mpc.party import Exchange
from quorate.protocol.sharing import PartyId

Tamper = Callable[[int, PartyId, bytes, Mapping[PartyId, bytes]], bytes]
"""What a liar sends in round 0.. to a receiver, instead of the honest message.

It rushes: it sees what the others send it in this round before it speaks.
"""


def run_signers(
    protocols: Mapping[PartyId, Generator[Exchange, Mapping[PartyId, bytes], Any]],
    *,
    liar: PartyId | None = None,
    tamper: Tamper | None = None,
) -> dict[PartyId, Any]:
    """What each signer returns, or the exception it ends with; one that ended sends nothing more."""
    wanted: dict[PartyId, Exchange] = {}
    results: dict[PartyId, Any] = {}

    def step(party: PartyId, replies: Mapping[PartyId, bytes] | None) -> None:
        protocol = protocols[party]
        try:
            wanted[party] = next(protocol) if replies is None else protocol.send(replies)
        except StopIteration as stop:
            results[party] = stop.value
        except Exception as error:
            results[party] = error

    for party in protocols:
        step(party, None)
    number = 0
    while wanted:
        current, wanted = wanted, {}
        honest = {
            (sender, receiver): message
            for sender, exchange in current.items()
            for receiver, message in exchange.outgoing.items()
        }
        heard = {sender: message for (sender, receiver), message in honest.items() if receiver == liar}
        sent = {
            (sender, receiver): tamper(number, receiver, message, heard) if sender == liar and tamper else message
            for (sender, receiver), message in honest.items()
        }
        for party, exchange in current.items():
            step(party, {peer: sent[peer, party] for peer in exchange.incoming if (peer, party) in sent})
        number += 1
    return results


def flip(data: bytes, position: int) -> bytes:
    """The same bytes with one bit changed."""
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)
