"""Passive protocols on bytes: dealing, multiplication and opening over GF(2^8), at a byte an element.

The same protocols as in `passive`, over another field: dealers by seeds (see `dealing`), products by resharing
[Gennaro, Rabin, Rabin 1998] with 2t + 1 dealers who send n - 1 - t bytes a product. Adversary: semi-honest, up to
t < n/2 parties; see `passive` for what happens beyond that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from quorate.protocol.sharing import PartyId

from .dealing import agree_on_seeds
from .galois import Bytes, combine, lagrange_elements, multiply_elements, product, reconstruct_elements
from .party import Party, Protocol
from .rounds import exchange_bytes
from .seeds import SeedTable

MAX_ROUND_BYTES: Final = 1 << 22
"""The most bytes that one operation on bytes sends a party in one round; longer arrays take further rounds."""


@dataclass(frozen=True, slots=True)
class ByteDealing:
    """How one dealer deals: the share of `computed[k]` is `coefficients[k]` times (the value, the streams).

    The dealer itself is `computed[0]`; a seeded receiver's share is its stream. The weight of the value is in.
    """

    seeded: tuple[PartyId, ...]
    computed: tuple[PartyId, ...]
    coefficients: tuple[tuple[int, ...], ...]


@lru_cache(maxsize=1024)
def plan_byte_dealing(dealer: PartyId, *, parties: int, degree: int, weight: int) -> ByteDealing:
    """How party `dealer` deals `weight` times its value to `parties` parties by polynomials of `degree`."""
    seeded = tuple(PartyId((dealer - 2 - step) % parties + 1) for step in range(degree))
    excluded = {dealer, *seeded}
    others = (PartyId(party) for party in range(1, parties + 1) if party not in excluded)
    computed = (dealer, *others)
    rows = [lagrange_elements((0, *seeded), at=target) for target in computed]
    return ByteDealing(seeded, computed, tuple((product(row[0], weight), *row[1:]) for row in rows))


def deal_bytes(
    party: Party, weights: Mapping[PartyId, int], *, count: int, seeds: SeedTable, value: Bytes | None
) -> Protocol[Bytes]:
    """The sum of what the parties of `weights` deal, each its own `count` values times its weight: one round.

    `value` is what this party deals, if it is one of them. All streams are read before the round.
    """
    total: Bytes = np.zeros(count, dtype=np.uint8)
    outgoing: dict[PartyId, bytes] = {}
    incoming: dict[PartyId, int] = {}
    for dealer, weight in weights.items():
        dealing = plan_byte_dealing(dealer, parties=party.parties, degree=party.threshold, weight=weight)
        if dealer == party.identity:
            assert value is not None, "a dealer has a value"
            inputs = [value, *(_stream_bytes(seeds.outward[receiver].read(count)) for receiver in dealing.seeded)]
            total ^= combine(dealing.coefficients[0], inputs)
            for receiver, line in zip(dealing.computed[1:], dealing.coefficients[1:], strict=True):
                outgoing[receiver] = combine(line, inputs).tobytes()
        elif party.identity in dealing.seeded:
            total ^= _stream_bytes(seeds.inward[dealer].read(count))
        else:
            incoming[dealer] = count
    if party.parties > 1:
        replies = yield from exchange_bytes(party, outgoing, incoming)
        for dealer in incoming:
            total ^= _stream_bytes(replies[dealer])
    return total


def _stream_bytes(data: bytes) -> Bytes:
    return np.frombuffer(data, dtype=np.uint8)


def multiply_bytes_passively(party: Party, x: Bytes, y: Bytes) -> Protocol[Bytes]:
    """The element-wise product: one round, and n - 1 - t bytes sent by each of 2t + 1 parties a product."""
    seeds = yield from agree_on_seeds(party)
    dealers = tuple(PartyId(dealer) for dealer in range(1, 2 * party.threshold + 2))
    weights = dict(zip(dealers, lagrange_elements(dealers), strict=True))
    is_dealer = party.identity in weights
    result: Bytes = np.empty(len(x), dtype=np.uint8)
    for start in range(0, len(x), MAX_ROUND_BYTES):
        part = slice(start, start + MAX_ROUND_BYTES)
        value = multiply_elements(x[part], y[part]) if is_dealer else None
        result[part] = yield from deal_bytes(party, weights, count=len(x[part]), seeds=seeds, value=value)
    return result


def open_bytes_passively(party: Party, x: Bytes) -> Protocol[Bytes]:
    """The values, to everybody: one round. Raises InconsistentShares when the n shares disagree."""
    result: Bytes = np.empty(len(x), dtype=np.uint8)
    for start in range(0, len(x), MAX_ROUND_BYTES):
        part = slice(start, start + MAX_ROUND_BYTES)
        own = x[part]
        shares = {party.identity: own}
        if party.parties > 1:
            message = own.tobytes()
            incoming = dict.fromkeys(party.others, len(message))
            replies = yield from exchange_bytes(party, dict.fromkeys(party.others, message), incoming)
            shares |= {sender: _stream_bytes(replies[sender]) for sender in incoming}
        result[part] = reconstruct_elements(shares, threshold=party.threshold)
    return result


def deal_common_bytes(party: Party, value: Bytes) -> Protocol[Bytes]:
    """The sum of what parties 1..t+1 deal, each its own `value`; nobody knows what an honest one adds to."""
    seeds = yield from agree_on_seeds(party)
    weights = {PartyId(dealer): 1 for dealer in range(1, party.threshold + 2)}
    own = value if party.identity in weights else None
    return (yield from deal_bytes(party, weights, count=len(value), seeds=seeds, value=own))


def deal_bytes_of(party: Party, dealer: PartyId, value: Bytes) -> Protocol[Bytes]:
    """What party `dealer` deals, its own `value`."""
    seeds = yield from agree_on_seeds(party)
    own = value if party.identity == dealer else None
    return (yield from deal_bytes(party, {dealer: 1}, count=len(value), seeds=seeds, value=own))


def own_bits(party: Party, count: int) -> Bytes:
    """`count` uniform bits of this party's own randomness, one a byte."""
    raw = np.frombuffer(party.randomness(-(-count // 8)), dtype=np.uint8)
    return np.unpackbits(raw, count=count)
