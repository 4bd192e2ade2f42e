"""Dealing by seeds: who expands which subshare, and with what small coefficients the others' are computed.

A dealer's polynomial of degree d is fixed by d + 1 values: the dealt value at 0 and d seeded receivers' streams,
or, when a random value is dealt, d + 1 seeded receivers' streams. Every other share, the dealer's own included, is
a fixed combination of these; only those are sent. A dealer thus sends n - 1 - d elements, and n - 2 - d for a
random one: with n = 3 and t = 1, one and none. Seeded receivers scale their stream by the common denominator of
the Lagrange coefficients, and the dealer scales the dealt value by theirs, so that all coefficients are small
integers. [Cramer, Damgard, Ishai, TCC 2005, for the idea of replacing messages by seeds]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Final

from quorate.protocol.field import Vector
from quorate.protocol.sharing import PartyId, lagrange_fractions

from .party import Party, Protocol
from .rounds import exchange_bytes, exchange_vectors
from .seeds import SEED_BYTES, SeedTable, Stream

_CACHED_PLANS: Final = 1024


def agree_on_seeds(party: Party) -> Protocol[SeedTable]:
    """Agree on the seeds of every pair of parties: one round, once a session; later calls cost nothing."""
    if party.seeds is None:
        fresh = {other: party.randomness(SEED_BYTES) for other in party.others}
        replies: Mapping[PartyId, bytes] = {}
        if party.parties > 1:
            replies = yield from exchange_bytes(party, fresh, dict.fromkeys(party.others, SEED_BYTES))
        party.seeds = SeedTable(
            {other: Stream(seed) for other, seed in fresh.items()},
            {other: Stream(replies[other]) for other in party.others},
        )
    return party.seeds


class Dealt(Enum):
    """What a dealer shares: a value of its own, a value nobody knows in advance, or zero."""

    SECRET = 1
    RANDOM = 2
    ZERO = 3


@dataclass(frozen=True, slots=True)
class Dealing:
    """How one dealer deals: `coefficients[k]` gives the share of `computed[k]` from the value and the streams.

    The dealer itself is `computed[0]`. A seeded receiver's share is `stream_factor` times its stream; the dealt
    value is first divided by `value_divisor`.
    """

    seeded: tuple[PartyId, ...]
    computed: tuple[PartyId, ...]
    coefficients: tuple[tuple[int, ...], ...]
    stream_factor: int
    value_divisor: int


def plan_dealing(dealer: int, *, parties: int, degree: int, dealt: Dealt, weight: int = 1) -> Dealing:
    """How party `dealer` deals `weight` times its value to `parties` parties by a polynomial of `degree`."""
    count = degree + 1 if dealt is Dealt.RANDOM else degree
    seeded = tuple(PartyId((dealer - 2 - step) % parties + 1) for step in range(count))
    computed = (PartyId(dealer), *(_others(parties, {dealer, *seeded})))
    nodes = seeded if dealt is Dealt.RANDOM else (0, *seeded)
    rows = [lagrange_fractions(nodes, at=target) for target in computed]
    if dealt is Dealt.RANDOM:
        value_column, stream_rows = [], rows
    else:
        value_column, stream_rows = [row[0] * weight for row in rows], [row[1:] for row in rows]
    if dealt is Dealt.ZERO:
        value_column = []
    divisor = _common_denominator(value_column)
    factor = _common_denominator([entry for row in stream_rows for entry in row])
    coefficients = []
    for index in range(len(computed)):
        values = [value_column[index] * divisor] if value_column else []
        streams = [entry * factor for entry in stream_rows[index]]
        coefficients.append(tuple(int(entry) for entry in (*values, *streams)))
    return Dealing(seeded, computed, tuple(coefficients), factor, divisor)


def _others(parties: int, excluded: set[int]) -> list[PartyId]:
    return [PartyId(party) for party in range(1, parties + 1) if party not in excluded]


def _common_denominator(values: Sequence[Fraction]) -> int:
    return lcm(*(value.denominator for value in values))


@dataclass(frozen=True, slots=True)
class JointDealing:
    """Several dealers deal at once: who deals (each value with a public weight), what, and at what degree."""

    dealers: tuple[PartyId, ...]
    dealt: Dealt
    degree: int
    weights: tuple[int, ...]


@lru_cache(maxsize=_CACHED_PLANS)
def plan_dealings(joint: JointDealing, parties: int) -> tuple[tuple[PartyId, Dealing], ...]:
    """Each dealer with its dealing, in a committee of `parties`."""
    return tuple(
        (dealer, plan_dealing(dealer, parties=parties, degree=joint.degree, dealt=joint.dealt, weight=weight))
        for dealer, weight in zip(joint.dealers, joint.weights, strict=True)
    )


@dataclass(frozen=True, slots=True)
class DealtShares:
    """What a party got of a joint dealing: dealer k's sharing is `factors[k]` times `rows[k]`."""

    factors: tuple[int, ...]
    rows: tuple[Vector, ...]


def deal(
    party: Party, joint: JointDealing, *, count: int, seeds: SeedTable, value: Vector | None
) -> Protocol[DealtShares]:
    """Deal and receive `count` sharings of each dealer, in one round, or in none when nobody has to send.

    `value` is what this party deals, if it is a dealer of a SECRET. All streams are read before the round, so that
    dealings which run side by side read them in one order on both ends.
    """
    plans = plan_dealings(joint, party.parties)
    factors = dict.fromkeys(joint.dealers, 1)
    rows: dict[PartyId, Vector] = {}
    outgoing: dict[PartyId, Vector] = {}
    incoming: dict[PartyId, int] = {}
    for dealer, dealing in plans:
        if dealer == party.identity:
            shares = _own_shares(party, dealing, count=count, seeds=seeds, value=value)
            rows[dealer] = shares[0]
            outgoing = dict(zip(dealing.computed[1:], shares[1:], strict=True))
        elif party.identity in dealing.seeded:
            factors[dealer] = dealing.stream_factor
            rows[dealer] = seeds.inward[dealer].elements(party.field, count)
        else:
            incoming[dealer] = count
    if any(len(dealing.computed) > 1 for _, dealing in plans):
        rows |= yield from exchange_vectors(party, outgoing, incoming)
    return DealtShares(tuple(factors.values()), tuple(rows[dealer] for dealer in joint.dealers))


def _own_shares(
    party: Party, dealing: Dealing, *, count: int, seeds: SeedTable, value: Vector | None
) -> list[Vector]:
    field = party.field
    inputs = [seeds.outward[receiver].elements(field, count) for receiver in dealing.seeded]
    if value is not None:
        if dealing.value_divisor != 1:
            value = field.scale(value, field.inverse(dealing.value_divisor))
        inputs.insert(0, value)
    if not inputs:  # the zero sharing of degree zero
        return [field.zeros(count) for _ in dealing.computed]
    return field.matrix(dealing.coefficients, inputs)


def random_elements(party: Party, count: int) -> Vector:
    """`count` uniform field elements of this party's own randomness."""
    return party.field.from_random_bytes(party.randomness(party.field.random_bytes * count))
