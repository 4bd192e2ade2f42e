"""Pseudorandom secret sharing: random sharings without a message, from keys that all but t parties hold.

[Cramer, Damgard, Ishai, "Share Conversion, Pseudorandom Secret-Sharing and Applications to Secure Computation",
TCC 2005, sections 3 and 4] For each set E of t parties, the others hold a key. Let p_E be the polynomial of degree
t that is 1 at 0 and 0 at the points of E. Party i adds up, over its keys, p_E(i) times what the key's stream gives:
shares of the sum of all streams, on a polynomial of degree t. Of any t parties none holds the key of just these t,
so that the sum is uniform to them (AES-128 as a pseudorandom generator). The same keys give sharings of zero of
degree 2t, by X^k p_E for k = 1..t; sharings of zero of degree t come from keys that all but t - 1 parties hold, by
X p_E. The number of keys, C(n, t), limits this to small committees.

Set-up: the lowest party that holds a key draws it and sends it to the others; one round. A corrupt holder may know
a key that it draws as well as one that it is sent, so that privacy needs no more. Correctness does: a party that
sends different keys under one name makes sharings inconsistent. `compare_keys` lets every pair of parties compare
what they hold in common, in one more round; once no honest party has objected, all that is derived is correct
whatever t parties do: shares lie on polynomials of the degree, zeros are zero, integers are bounded.

All holders must take the same things from their keys in the same order, as honest parties that run one program do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import Final, TypeAlias

import numpy as np

from quorate.protocol.errors import ProtocolAbort
from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.sharing import PartyId
from quorate.protocol.sharing.points import fraction_modulo

from .galois import Bytes, combine, lagrange_elements
from .party import Party, Protocol
from .rounds import exchange_bytes
from .seeds import SEED_BYTES, Stream

MAX_KEYS: Final = 128
"""The most sets of t parties, and so keys, of a committee that shares this way."""
DIGEST_BYTES: Final = 32
_CACHED: Final = 1024

Excluded: TypeAlias = tuple[PartyId, ...]
"""The parties that do not hold a key, which name it; in order."""


class InconsistentKeys(ProtocolAbort):
    """Party `party` says that it holds other keys than this one; whoever sent them, or that party, is a liar."""

    def __init__(self, party: PartyId) -> None:
        self.party = party
        super().__init__(f"party {party} holds other common keys than this party; no sharing was made with them")


@dataclass(frozen=True, slots=True, repr=False)
class SubsetKeys:
    """What one party holds: a stream for each set of t parties without it, and for each set of t - 1.

    `digests` has, for each other party, the digest of the keys that both hold.
    """

    of_threshold: Mapping[Excluded, Stream]
    of_fewer: Mapping[Excluded, Stream]
    digests: Mapping[PartyId, bytes]


def has_few_keys(parties: int, threshold: int) -> bool:
    """Whether a committee is small enough for pseudorandom sharing."""
    return comb(parties, threshold) <= MAX_KEYS


def integer_sum_bits(bits: int, *, parties: int, threshold: int) -> int:
    """How many bits hold what `pseudorandom_integers` of `bits` bits add up to."""
    return bits + (comb(parties, threshold) - 1).bit_length()


@lru_cache(maxsize=_CACHED)
def _sets(parties: int, threshold: int) -> tuple[Excluded, ...]:
    """Every set of t parties, then every set of t - 1."""
    everybody = [PartyId(party) for party in range(1, parties + 1)]
    sizes = (threshold, threshold - 1) if threshold else (threshold,)
    return tuple(excluded for size in sizes for excluded in combinations(everybody, size))


def _holders(excluded: Excluded, parties: int) -> list[PartyId]:
    return [PartyId(party) for party in range(1, parties + 1) if party not in excluded]


def agree_on_keys(party: Party) -> Protocol[SubsetKeys]:
    """The keys of a session: one round. Raises ValueError for a committee of more than MAX_KEYS keys."""
    if not has_few_keys(party.parties, party.threshold):
        count = comb(party.parties, party.threshold)
        raise ValueError(
            f"{party.parties} parties with threshold {party.threshold} need {count} keys: over {MAX_KEYS}"
        )
    held: dict[Excluded, bytes] = {}
    outgoing: dict[PartyId, list[bytes]] = {}
    incoming: dict[PartyId, list[Excluded]] = {}
    for excluded in _sets(party.parties, party.threshold):
        source, *others = _holders(excluded, party.parties)
        if source == party.identity:
            held[excluded] = party.randomness(SEED_BYTES)
            for other in others:
                outgoing.setdefault(other, []).append(held[excluded])
        elif party.identity in others:
            incoming.setdefault(source, []).append(excluded)
    if party.parties > 1:
        messages = {receiver: b"".join(keys) for receiver, keys in outgoing.items()}
        sizes = {source: SEED_BYTES * len(sets) for source, sets in incoming.items()}
        replies = yield from exchange_bytes(party, messages, sizes)
        for source, sets in incoming.items():
            for place, excluded in enumerate(sets):
                held[excluded] = replies[source][SEED_BYTES * place : SEED_BYTES * (place + 1)]
    return _opened(party, held)


def _opened(party: Party, held: Mapping[Excluded, bytes]) -> SubsetKeys:
    digests = {}
    for other in party.others:
        common = sorted((excluded, key) for excluded, key in held.items() if other not in excluded)
        digests[other] = hashlib.sha256(b"quorate subset keys" + b"".join(key for _, key in common)).digest()
    streams = {excluded: Stream(held[excluded]) for excluded in sorted(held)}
    by_size = [
        {excluded: stream for excluded, stream in streams.items() if len(excluded) == size}
        for size in (party.threshold, party.threshold - 1)
    ]
    return SubsetKeys(by_size[0], by_size[1], digests)


def compare_keys(party: Party, keys: SubsetKeys) -> Protocol[None]:
    """Compare the digests of common keys with every other party: one round.

    Raises InconsistentKeys at each party that meets a difference. One that meets none knows that honest parties
    hold the same keys as itself; whether others objected has to be asked of them.
    """
    if party.parties == 1:
        return
    replies = yield from exchange_bytes(party, keys.digests, dict.fromkeys(party.others, DIGEST_BYTES))
    for other in party.others:
        if replies[other] != keys.digests[other]:
            raise InconsistentKeys(other)


# What the keys give; none of it communicates.

Draw: TypeAlias = Callable[[Stream], Vector]


def pseudorandom_shares(party: Party, keys: SubsetKeys, count: int) -> Vector:
    """Shares of degree t of `count` uniform field elements that no t parties know."""
    field = party.field
    return _summed(party, keys.of_threshold, lambda stream: stream.elements(field, count), powers=(0,))


def pseudorandom_zeros(party: Party, keys: SubsetKeys, count: int, *, degree: int) -> Vector:
    """Shares of `count` zeros: of degree t or 2t. Raises ValueError for another degree."""
    field, threshold = party.field, party.threshold
    if degree not in {threshold, 2 * threshold}:
        raise ValueError(f"sharings of zero have degree {threshold} or {2 * threshold}, not {degree}")
    if threshold == 0:
        return field.zeros(count)
    if degree == threshold:
        return _summed(party, keys.of_fewer, lambda stream: stream.elements(field, count), powers=(1,))
    powers = tuple(range(1, threshold + 1))
    return _summed(party, keys.of_threshold, lambda stream: stream.elements(field, count), powers=powers)


def pseudorandom_integers(party: Party, keys: SubsetKeys, count: int, *, bits: int) -> Vector:
    """Shares of degree t of `count` integers that hide like uniform ones of `bits` bits.

    Each is the sum of one integer below 2^bits from every key, so that it has at most `integer_sum_bits` bits,
    whatever corrupt parties do.
    """
    size = -(-bits // 8)
    last = (1 << (bits - 8 * (size - 1))) - 1

    def draw(stream: Stream) -> Vector:
        table = np.frombuffer(bytearray(stream.read(size * count)), dtype=np.uint8).reshape(count, size)
        table[:, -1] &= last
        return party.field.from_small_bytes(table.tobytes(), size)

    return _summed(party, keys.of_threshold, draw, powers=(0,))


def pseudorandom_bytes(party: Party, keys: SubsetKeys, count: int) -> Bytes:
    """Shares over GF(2^8) of `count` uniform elements."""
    return _summed_bytes(party, keys, lambda stream: np.frombuffer(stream.read(count), dtype=np.uint8))


def pseudorandom_byte_bits(party: Party, keys: SubsetKeys, count: int) -> Bytes:
    """Shares over GF(2^8) of `count` uniform bits, whatever corrupt parties do."""

    def draw(stream: Stream) -> Bytes:
        return np.unpackbits(np.frombuffer(stream.read(-(-count // 8)), dtype=np.uint8), count=count)

    return _summed_bytes(party, keys, draw)


def _summed(party: Party, streams: Mapping[Excluded, Stream], draw: Draw, *, powers: Sequence[int]) -> Vector:
    """The sum over the keys and `powers` k of i^k p_E(i) times what is drawn, i being this party."""
    rows, coefficients = [], []
    for excluded, stream in streams.items():
        at_own = _polynomial(party.field, excluded, party.identity)
        for power in powers:
            rows.append(draw(stream))
            coefficients.append(at_own * party.identity**power)
    return party.field.combine(coefficients, rows)


@lru_cache(maxsize=_CACHED)
def _polynomial(field: PrimeField, excluded: Excluded, point: int) -> int:
    """p_E at a point: a small integer where it is one, else modulo the field."""
    value = Fraction(1)
    for other in excluded:
        value *= Fraction(other - point, other)
    return fraction_modulo(value, field.modulus)


def _summed_bytes(party: Party, keys: SubsetKeys, draw: Callable[[Stream], Bytes]) -> Bytes:
    coefficients = [lagrange_elements((0, *excluded), at=party.identity)[0] for excluded in keys.of_threshold]
    return combine(coefficients, [draw(stream) for stream in keys.of_threshold.values()])
