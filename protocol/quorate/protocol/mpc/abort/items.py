"""Random bits and bounded integers that are what they should be, whatever up to t parties deal.

Every dealt bit b carries the claim b b = b. It goes the way of all products, and is verified before the first
opening that a dealt item may mask. A random bit is the exclusive or of one bit of each of t + 1 dealers: a dealt
element and a claim a dealer, and t multiplications.

A bounded integer of width w has k random bits on top, where 2^k is at least the number of keys of pseudorandom
sharing (see `prss`), C(n, t); below them is the sum of one integer of w - k bits from every key, of which one key is
unknown to the adversary. So it hides exactly like a uniform integer of w bits, and lies below 2^(w+1), for the price
of k random bits: two with n = 3. The keys are compared once, in the round after they are sent. Committees with too
many keys take the sum of the dealers' integers below 2^w instead, each dealt bit by bit: w dealt elements and w
claims a dealer, and a bound of 2^w (t + 1).
"""

from __future__ import annotations

from math import comb

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc import batches
from quorate.protocol.mpc.dealt_items import exclusive_or
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.passive import deal_secrets
from quorate.protocol.mpc.pool import BIT, Plan, integer
from quorate.protocol.mpc.prss import SubsetKeys, agree_on_keys, compare_keys, has_few_keys, pseudorandom_integers
from quorate.protocol.mpc.rounds import together

from .transcript import ProductClaim
from .verification import transcript_of, verify


def produce_checked(party: Party, plan: Plan) -> Protocol[None]:
    """Put the bits and integers of `plan` into the pool; a dealer sends at most MAX_ROUND_ELEMENTS a round of each."""
    widths = {width: count for width, count in sorted(plan.integers.items()) if count}
    if widths and party.threshold and has_few_keys(party.parties, party.threshold):
        yield from _produce_by_keys(party, plan.bits, widths)
    else:
        sums = [_produce_sums(party, width, count) for width, count in widths.items()]
        yield from together(party, _produce_bits(party, plan.bits), *sums)


def _produce_bits(party: Party, count: int) -> Protocol[None]:
    party.pool.put(BIT, (yield from _random_bits(party, count)))


def _produce_by_keys(party: Party, bits: int, widths: dict[int, int]) -> Protocol[None]:
    """Bits, and integers of the given widths and counts whose low bits come from common keys."""
    field = party.field
    keys = yield from _common_keys(party)
    most = (comb(party.parties, party.threshold) - 1).bit_length()
    above = {width: min(width, most) for width in widths}
    drawn = yield from _random_bits(party, bits + sum(above[width] * count for width, count in widths.items()))
    party.pool.put(BIT, drawn[:bits])
    offset = bits
    for width, count in widths.items():
        low, places = width - above[width], range(offset, offset + above[width] * count, count)
        weights = [1 << (low + place) for place in range(above[width])]
        rows = [drawn[start : start + count] for start in places]
        if low:
            weights.append(1)
            rows.append(pseudorandom_integers(party, keys, count, bits=low))
        party.pool.put(integer(width), field.combine(weights, rows))
        offset += above[width] * count


def _common_keys(party: Party) -> Protocol[SubsetKeys]:
    """The keys of pseudorandom sharing, of which honest parties hold the same: two rounds, once a session."""
    transcript = transcript_of(party)
    if transcript.keys is None:
        keys = yield from agree_on_keys(party)
        yield from compare_keys(party, keys)
        transcript.keys = transcript.keys or keys  # of two protocols side by side the first one's are taken
    return transcript.keys


def _produce_sums(party: Party, width: int, count: int) -> Protocol[None]:
    """Integers that are sums of the dealers' integers, for committees without common keys."""
    step = max(1, batches.MAX_ROUND_ELEMENTS // width)
    for start in range(0, count, step):
        size = min(step, count - start)
        dealt = yield from _dealt_bits(party, width * size)
        rows = [row[first : first + size] for row in dealt for first in range(0, width * size, size)]
        weights = [1 << place for _ in dealt for place in range(width)]
        party.pool.put(integer(width), party.field.combine(weights, rows))


def _random_bits(party: Party, count: int) -> Protocol[Vector]:
    results = []
    for start, stop in batches.pieces(count):
        dealt = yield from _dealt_bits(party, stop - start)
        results.append((yield from exclusive_or(party, dealt)))
    return batches.join(party.field, results)


def _dealt_bits(party: Party, count: int) -> Protocol[list[Vector]]:
    """`count` bits of each of t + 1 dealers, with their claims."""
    dealt = yield from deal_secrets(party, lambda: _own_bits(party, count), count)
    if party.threshold:
        for row in dealt:
            transcript_of(party).add_claim(ProductClaim(row, row, row))
        if transcript_of(party).is_full:
            yield from verify(party)
    return dealt


def _own_bits(party: Party, count: int) -> Vector:
    raw = np.frombuffer(party.randomness(-(-count // 8)), dtype=np.uint8)
    return party.field.from_small(np.unpackbits(raw)[:count].astype(np.bool_))
