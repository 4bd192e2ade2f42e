"""Random sharings that any t parties know nothing of: every party deals, and a Vandermonde matrix extracts.

Of n dealt sharings, n - t combinations are uniform to any t parties [Damgard, Nielsen 2007, section 4]. By seeds (see
`dealing`) most of what is dealt is never sent: with n = 3 and t = 1, nothing. Adversary: semi-honest.
"""

from __future__ import annotations

from quorate.protocol.field import Vector

from .batches import join, pieces
from .dealing import Dealt, DealtShares, JointDealing, agree_on_seeds, deal, random_elements
from .party import Party, Protocol
from .pool import DOUBLE
from .rounds import together


def deal_random(party: Party, count: int) -> Protocol[Vector]:
    """`count` fresh sharings of uniform values that nobody knows: one round, or none when seeds give all."""
    if party.parties == 1:
        return random_elements(party, count)
    return (yield from _extract(party, Dealt.RANDOM, degree=party.threshold, count=count))


def deal_zero(party: Party, count: int, *, degree: int) -> Protocol[Vector]:
    """`count` fresh sharings of zero of degree `degree` (t or 2t): one round, or none when seeds give all."""
    return (yield from _extract(party, Dealt.ZERO, degree=degree, count=count))


def _extract(party: Party, dealt: Dealt, *, degree: int, count: int) -> Protocol[Vector]:
    """All n deal; n - t Vandermonde rows of what they dealt are unknown to any t of them."""
    dealers = (party.identity, *party.others)
    joint = JointDealing(tuple(sorted(dealers)), dealt, degree, (1,) * len(dealers))
    yielded = party.parties - party.threshold
    seeds = yield from agree_on_seeds(party)
    results = []
    for start, stop in pieces(count, extracted=yielded):
        each = -(-(stop - start) // yielded)
        shares = yield from deal(party, joint, count=each, seeds=seeds, value=None)
        rows = party.field.matrix(_vandermonde(shares, yielded), shares.rows)
        results.append(join(party.field, rows)[: stop - start])
    return join(party.field, results)


def _vandermonde(shares: DealtShares, rows: int) -> list[list[int]]:
    return [
        [factor * point**exponent for point, factor in enumerate(shares.factors, start=1)]
        for exponent in range(rows)
    ]


def produce_doubles(party: Party, count: int) -> Protocol[None]:
    """Put `count` uniform values, each shared at degree t and at degree 2t, into the pool: at most one round."""
    for start, stop in pieces(count):
        low, zero = yield from together(
            party,
            deal_random(party, stop - start),
            deal_zero(party, stop - start, degree=2 * party.threshold),
        )
        party.pool.put(DOUBLE, low, party.field.add(low, zero))
