"""Multiplication by rotating kings and double sharings: about two elements a party and product, however many.

[Damgard, Nielsen, CRYPTO 2007; Goyal, Li, Ostrovsky, Polychroniadou, Song, "ATLAS", CRYPTO 2021] For a product of
degree 2t and a random value r, shared at degrees t and 2t: 2t parties send their shares of product + r to a king;
the king reconstructs the sum, which is uniform, and returns it; the sum less r at degree t is the product. As in
ATLAS the king's answer is the sharing of degree t in which t parties have the share 0, so that those parties need
no answer. Every party is the king of one slice of a batch, so that all send and compute the same.

All parties together send 2t elements to the king and n - 1 - t back for a product, and by seeds
n (2n - 3 - 3t) / (n - t) for a double sharing: with n = 2t + 1 about 1.5 and 1 elements a party. It takes two
rounds, where resharing takes one and n - 1 - t elements a party. Adversary: semi-honest, t < n/2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.sharing import MAX_PARTIES, PartyId, lagrange_coefficients

from .party import Party, Protocol
from .pool import DOUBLE, Plan
from .preprocessing import reserve
from .rounds import exchange_vectors

KINGS_FROM_ELEMENTS: Final = 2.5
"""Committees in which resharing sends less, elements a party and product, reshare: it is faster there."""
KINGS_FROM_COUNT: Final = 4096
"""Fewer products than these are reshared: a second round costs more than what kings save."""


def uses_kings(party: Party, count: int) -> bool:
    """Whether a committee multiplies a batch of `count` by kings: as measured, see docs/benchmarks.md."""
    parties, threshold = party.parties, party.threshold
    reshared = (2 * threshold + 1) * (parties - 1 - threshold) / parties
    return reshared > KINGS_FROM_ELEMENTS and count >= KINGS_FROM_COUNT


@dataclass(frozen=True, slots=True)
class _Court:
    """Who does what for one king: `senders` (and the king) hold what reconstructs, by `weights`, the king's first.

    `answered` get the sum and multiply it by their factor; the others, t parties, have the share 0.
    """

    senders: tuple[PartyId, ...]
    weights: tuple[int, ...]
    answered: Mapping[PartyId, int]


@lru_cache(maxsize=MAX_PARTIES * 16)
def _court(field: PrimeField, king: int, parties: int, threshold: int) -> _Court:
    order = [PartyId((king - 1 + step) % parties + 1) for step in range(parties)]
    holders = order[: 2 * threshold + 1]
    silent = tuple(order[parties - threshold :])
    answered = {
        party: lagrange_coefficients(field.modulus, (0, *silent), at=party)[0]
        for party in order[: parties - threshold]
    }
    weights = lagrange_coefficients(field.modulus, tuple(holders))
    return _Court(tuple(holders[1:]), weights, answered)


_Part = tuple[int, int]
"""The start and the end of a slice of a batch."""


def _slices(party: Party, count: int) -> dict[PartyId, _Part]:
    """Which part of a batch each king handles; parts differ by one element at most."""
    bounds = [count * king // party.parties for king in range(party.parties + 1)]
    return {PartyId(king): (bounds[king - 1], bounds[king]) for king in range(1, party.parties + 1)}


def reduce_by_kings(party: Party, products: Vector) -> Protocol[Vector]:
    """Sharings of degree t from sharings of degree 2t: two rounds, and a double sharing each from the pool."""
    field, count = party.field, len(products)
    yield from reserve(party, Plan({DOUBLE: count}))
    low, high = party.pool.take_columns(DOUBLE, count)
    masked = field.add(products, high)
    parts = _slices(party, count)
    courts = {king: _court(field, king, party.parties, party.threshold) for king in parts}
    sums = yield from _hear_kings(party, parts, courts, masked)
    shares = field.zeros(count)
    for king, (start, stop) in parts.items():
        if (factor := courts[king].answered.get(party.identity)) is not None:
            shares[start:stop] = field.scale(sums[king], factor) if factor != 1 else sums[king]
    return field.sub(shares, low)


def _hear_kings(
    party: Party, parts: Mapping[PartyId, _Part], courts: Mapping[PartyId, _Court], masked: Vector
) -> Protocol[dict[PartyId, Vector]]:
    """Every king's masked sums, of those kings who answer this party; its own are among them."""
    slices = {king: masked[start:stop] for king, (start, stop) in parts.items()}
    own, court = slices[party.identity], courts[party.identity]
    outgoing = {king: slices[king] for king, other in courts.items() if party.identity in other.senders}
    received = yield from exchange_vectors(party, outgoing, dict.fromkeys(court.senders, len(own)))
    sums = party.field.combine(court.weights, [own, *(received[sender] for sender in court.senders)])
    answers = {receiver: sums for receiver in court.answered if receiver != party.identity}
    expected = {
        king: len(part)
        for king, part in slices.items()
        if king != party.identity and party.identity in courts[king].answered
    }
    heard = yield from exchange_vectors(party, answers, expected)
    return {**heard, party.identity: sums}
