"""Shared keys and seeded randomness for the tests of this folder."""

from __future__ import annotations

from quorate.protocol.curve import Curve
from quorate.protocol.sharing import PartyId
from quorate.protocol.simulation import SeededRandomness
from quorate.protocol.verifiable import KeyShare, Scheme, deal


def randomness(seed: int, purpose: object) -> SeededRandomness:
    return SeededRandomness(seed, f"verifiable {purpose}")


def key_shares(curve: Curve, parties: int, threshold: int, *, seed: int = 1) -> dict[PartyId, KeyShare]:
    """A key that a trusted dealer shares; the dealer's own work is tested elsewhere."""
    source = randomness(seed, "key")
    secret = curve.random_scalar(source)
    dealing = deal(curve, [secret], scheme=Scheme.FELDMAN, parties=parties, threshold=threshold, randomness=source)
    everyone = [PartyId(party) for party in range(1, parties + 1)]
    commitment = dealing.commitments[0]
    return {party: KeyShare(party, dealing.shares[party - 1][0].value, commitment) for party in everyone}


def private_key(shares: dict[PartyId, KeyShare]) -> int:
    """The key itself, by interpolation with plain fractions modulo the order."""
    first = next(iter(shares.values()))
    order, points = first.curve.order, sorted(shares)[: first.threshold + 1]
    total = 0
    for point in points:
        term = shares[point].secret
        for other in points:
            if other != point:
                term = term * other * pow(other - point, -1, order) % order
        total += term
    return total % order
