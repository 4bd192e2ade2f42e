"""Random bits and bounded integers whose dealers are checked: every dealt bit b carries the claim b b = b.

A random bit is the exclusive or of one bit of each of t + 1 dealers, as in `dealt_items`. A bounded integer of width
w is the sum of the dealers' integers below 2^w, each dealt bit by bit: without the claims a corrupted dealer could
exceed the bound, and so undo comparisons. It costs w dealt elements and w claims a dealer, and no multiplication;
a random bit costs one of each a dealer, and t multiplications.

The claims go the way of all products, and are verified before the first opening that a dealt item may mask.
"""

from __future__ import annotations

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc import batches
from quorate.protocol.mpc.dealt_items import exclusive_or
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.passive import deal_secrets
from quorate.protocol.mpc.pool import BIT, Plan, integer

from .transcript import ProductClaim
from .verification import transcript_of, verify


def produce_checked(party: Party, plan: Plan) -> Protocol[None]:
    """Put the bits and integers of `plan` into the pool; a dealer sends about MAX_ROUND_ELEMENTS a round."""
    bits_left = plan.bits
    integers_left = {width: count for width, count in sorted(plan.integers.items()) if count}
    while bits_left or any(integers_left.values()):
        bits = min(bits_left, batches.MAX_ROUND_ELEMENTS)
        bits_left -= bits
        room = batches.MAX_ROUND_ELEMENTS - bits
        step: dict[int, int] = {}
        for width, left in integers_left.items():
            least = 0 if bits or step else min(1, left)
            step |= {width: count} if (count := min(left, max(least, room // width))) else {}
            room = max(0, room - width * step.get(width, 0))
        for width, count in step.items():
            integers_left[width] -= count
        yield from _deal_step(party, bits, step)


def _deal_step(party: Party, bits: int, integers: dict[int, int]) -> Protocol[None]:
    field = party.field
    total = bits + sum(width * count for width, count in integers.items())
    dealt = yield from deal_secrets(party, lambda: _own_bits(party, total), total)
    if party.threshold:
        for row in dealt:
            transcript_of(party).add_claim(ProductClaim(row, row, row))
    offset = bits
    for width, count in integers.items():
        places = range(offset, offset + width * count, count)
        rows = [row[start : start + count] for row in dealt for start in places]
        weights = [1 << position for _ in dealt for position in range(width)]
        party.pool.put(integer(width), field.combine(weights, rows))
        offset += width * count
    party.pool.put(BIT, (yield from exclusive_or(party, [row[:bits] for row in dealt])))
    if party.threshold and transcript_of(party).is_full:
        yield from verify(party)


def _own_bits(party: Party, count: int) -> Vector:
    raw = np.frombuffer(party.randomness(-(-count // 8)), dtype=np.uint8)
    return party.field.from_small(np.unpackbits(raw)[:count].astype(np.bool_))
