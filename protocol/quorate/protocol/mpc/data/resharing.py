"""Shuffles by resharing: each large enough set of parties permutes by a permutation that its members know.

[Laur, Willemson, Zhang, Round-Efficient Oblivious Database Manipulation, ISC 2011, section 4.] For every set of
n - t parties there is a step: its members agree on a random permutation by a common seed, permute their shares,
and reshare the result to all. Any t parties are the complement of some set; they do not know its permutation and
get fresh shares from it, so the composition of all steps is uniform to them.

Adversary: semi-honest, up to t < n/2 parties that pool what they see; nothing beyond it. A member that deviates
can replace rows, and nobody sees it, so this runs under the passive scheme only (ValueError under any other). A
step is one round and sends what a multiplication of the table would; there are binomial(n, t) of them, so that is
bounded too. The seeds make privacy computational (AES-128).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final, TypeAlias

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.batches import join, pieces
from quorate.protocol.mpc.dealing import Dealt, JointDealing, agree_on_seeds, deal
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.passive import Passive
from quorate.protocol.mpc.rounds import exchange_bytes
from quorate.protocol.mpc.seeds import SEED_BYTES, Stream
from quorate.protocol.sharing import PartyId, lagrange_fractions

from .columns import Places, check_columns, pack, unpack
from .shuffles import Shuffle, Shuffles, random_order

MAX_STEPS: Final = 64
"""The most steps of a shuffle by resharing: binomial(n, t), which 8 parties with threshold 3 still keep."""

Members: TypeAlias = tuple[PartyId, ...]


def can_reshare(party: Party) -> bool:
    """Whether the scheme and the size of the committee allow shuffles by resharing."""
    return isinstance(party.scheme, Passive) and comb(party.parties, party.threshold) <= MAX_STEPS


@dataclass(frozen=True, slots=True, repr=False)
class CommonSeeds(Shuffles):
    """The stream of every set of n - t parties, in order; None for the sets this party is not in."""

    streams: Mapping[Members, Stream | None]

    def draw(self, party: Party, rows: int) -> Protocol[ResharedShuffle]:
        """The next order; all members of a set draw the same permutation, so nothing is sent."""
        del party
        yield from ()
        orders = {
            members: None if stream is None else random_order(stream.read, rows)
            for members, stream in self.streams.items()
        }
        return ResharedShuffle(orders)


@dataclass(frozen=True, slots=True, repr=False)
class ResharedShuffle(Shuffle):
    """One secret order: the parts of it that this party knows, by set; None for the others."""

    orders: Mapping[Members, Places | None]

    def permute(self, party: Party, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
        """One round for each set."""
        check_columns(columns)
        table = pack(columns)
        for members, order in self.orders.items():
            table = yield from _step(party, table, members=members, order=order)
        return unpack(table)

    def permute_back(self, party: Party, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
        """One round for each set."""
        check_columns(columns)
        table = pack(columns)
        for members, order in reversed([*self.orders.items()]):
            inverse = None if order is None else np.argsort(order)
            table = yield from _step(party, table, members=members, order=inverse)
        return unpack(table)


def agree_on_common_seeds(party: Party) -> Protocol[CommonSeeds]:
    """Seeds of every set of n - t parties, drawn by the first of each: one round.

    Raises ValueError under another scheme than the passive one, and for more than MAX_STEPS sets.
    """
    if not can_reshare(party):
        raise ValueError(
            f"a shuffle by resharing needs the passive scheme and at most {MAX_STEPS} sets of parties; "
            f"this is the {party.scheme.name} scheme with {comb(party.parties, party.threshold)}"
        )
    ids = [PartyId(identity) for identity in range(1, party.parties + 1)]
    sets = list(combinations(ids, party.parties - party.threshold))
    own = {members: party.randomness(SEED_BYTES) for members in sets if members[0] == party.identity}
    dealt = {other: b"".join(seed for members, seed in own.items() if other in members) for other in party.others}
    shared = {
        other: [members for members in sets if members[0] == other and party.identity in members]
        for other in party.others
    }
    incoming = {other: SEED_BYTES * len(groups) for other, groups in shared.items() if groups}
    outgoing = {other: message for other, message in dealt.items() if message}
    replies = (yield from exchange_bytes(party, outgoing, incoming)) if party.parties > 1 else {}
    seeds = dict(own)
    for other, groups in shared.items():
        for place, members in enumerate(groups):
            seeds[members] = replies[other][place * SEED_BYTES : (place + 1) * SEED_BYTES]
    return CommonSeeds({members: Stream(seeds[members]) if members in seeds else None for members in sets})


def _step(party: Party, table: Vector, *, members: Members, order: Places | None) -> Protocol[Vector]:
    """The table permuted by `members`, of whom the first t + 1 after a turning start deal it afresh to all."""
    field = party.field
    start = members[0] + members[-1]
    turned = [members[(start + place) % len(members)] for place in range(party.threshold + 1)]
    dealers = tuple(sorted(turned))
    joint = JointDealing(dealers, Dealt.SECRET, party.threshold, (1,) * len(dealers))
    seeds = yield from agree_on_seeds(party)
    own = None
    if order is not None and party.identity in dealers:
        weight = lagrange_fractions(dealers)[dealers.index(party.identity)]
        factor = weight.numerator * field.inverse(weight.denominator)
        own = field.scale(table[order].reshape(-1, field.limbs), factor)
    results = []
    for first, last in pieces(table.shape[0] * table.shape[1]):
        value = None if own is None else own[first:last]
        dealt = yield from deal(party, joint, count=last - first, seeds=seeds, value=value)
        results.append(field.combine(dealt.factors, dealt.rows))
    return join(field, results).reshape(table.shape)
