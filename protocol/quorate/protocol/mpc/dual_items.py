"""Random bytes and bits over GF(2^8), and random bits shared in both fields, from t + 1 dealers.

Over GF(2^8) the exclusive or is addition: what t + 1 dealers deal is added up, and an honest dealer makes the sum
uniform. In the prime field the exclusive or of the dealers' bits takes ceil(log2(t + 1)) rounds of products. A
dealer that deals different bits in the two fields is not caught: this is for the passive scheme.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from .byte_dealing import deal_common_bytes, own_bits
from .dealt_items import Deal, exclusive_or
from .party import Party, Protocol
from .pool import BYTE, BYTE_BIT, DUAL_BIT
from .rounds import together

MAX_STEP_ITEMS: Final = 1 << 18
"""The most items that are dealt in one round."""


def produce_bytes(party: Party, count: int, *, bits: int) -> Protocol[None]:
    """Put `count` uniform elements of GF(2^8) and `bits` uniform bits into the pool: one round a step."""
    for start in range(0, count + bits, MAX_STEP_ITEMS):
        stop = min(start + MAX_STEP_ITEMS, count + bits)
        whole = max(0, min(stop, count) - start)
        value = np.concatenate(
            [np.frombuffer(party.randomness(whole), dtype=np.uint8), own_bits(party, stop - start - whole)]
        )
        shares = yield from deal_common_bytes(party, value)
        party.pool.put(BYTE, shares[:whole])
        party.pool.put(BYTE_BIT, shares[whole:])


def produce_dual_bits(party: Party, count: int, deal: Deal) -> Protocol[None]:
    """Put `count` uniform bits, shared in both fields, into the pool."""
    for start in range(0, count, MAX_STEP_ITEMS):
        own = own_bits(party, min(MAX_STEP_ITEMS, count - start))
        in_field = partial(party.field.from_small, own)
        rows, in_bytes = yield from together(party, deal(party, in_field, len(own)), deal_common_bytes(party, own))
        party.pool.put(DUAL_BIT, (yield from exclusive_or(party, rows)), in_bytes)
