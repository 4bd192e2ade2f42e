"""Outputs to clients that are no parties: each party sends a re-randomised share, the client reconstructs."""

from __future__ import annotations

from quorate.protocol.field import Vector

from .operations import zero_shares
from .party import Party, Protocol


def output_shares(party: Party, x: Vector) -> Protocol[Vector]:
    """Shares of `x` that reveal its values and nothing else, to be sent to a client: at most one round.

    A share may be a known function of earlier ones, and so tell the client more than the value; a fresh sharing
    of zero is added.
    """
    return party.field.add(x, (yield from zero_shares(party, len(x))))
