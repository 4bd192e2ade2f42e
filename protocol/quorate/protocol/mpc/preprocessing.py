"""Preprocessing: random bits, bounded random integers and random field elements, made in bulk and ahead of use.

A random bit is the exclusive or of one bit of each of t + 1 dealers, so that one honest dealer makes it uniform:
one round of dealing and ceil(log2(t + 1)) rounds of multiplications, however many bits. A bounded random integer
of width w is the sum of t + 1 dealers' integers below 2^w, so it lies below 2^w (t + 1), which is `sum_bits(w)`
bits, and hides like one uniform integer of w bits. Passive security: a dealer that shares a non-bit is not caught.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import numpy as np

from quorate.protocol.field import Vector

from .logic import logical_xor
from .party import Party, Protocol
from .passive import MAX_ROUND_ELEMENTS, deal_random, deal_secrets, join
from .pool import Plan, Stock
from .rounds import together

DEMAND_BITS: Final = 512
"""The least number of random bits that is made when a program runs out of them."""
DEMAND_INTEGERS: Final = 16
"""The same for bounded integers of one width."""
DEMAND_SHARES: Final = 64
"""The same for random field elements."""
MAX_PLAN_ELEMENTS: Final = 1 << 24
"""The most items that one plan may ask for (512 MiB of shares)."""


def sum_bits(width: int, threshold: int) -> int:
    """How many bits hold the sum of t + 1 integers of `width` bits."""
    return width + threshold.bit_length()


def preprocess(party: Party, plan: Plan) -> Protocol[None]:
    """Add everything in `plan` to the party's pool. Raises ValueError for a plan beyond MAX_PLAN_ELEMENTS."""
    if plan.bits + plan.shares + sum(plan.integers.values()) > MAX_PLAN_ELEMENTS:
        raise ValueError(f"a plan has at most {MAX_PLAN_ELEMENTS} items; preprocess in several steps")
    yield from together(party, _produce_dealt(party, plan), _produce_shares(party, plan.shares))


def reserve(party: Party, plan: Plan) -> Protocol[None]:
    """Make sure that the pool holds at least `plan`; what is short is made in one batch, rounded up a little.

    Take it before the next round: a protocol that runs beside this one may take it otherwise.
    """
    while not (missing := plan.missing_from(party.pool.stock)).is_empty:
        rounded = Plan(
            bits=_at_least(missing.bits, DEMAND_BITS),
            integers={width: _at_least(count, DEMAND_INTEGERS) for width, count in missing.integers.items()},
            shares=_at_least(missing.shares, DEMAND_SHARES),
        )
        yield from preprocess(party, rounded)


def _at_least(missing: int, batch: int) -> int:
    return max(missing, batch) if missing else 0


def random_bits(party: Party, count: int) -> Protocol[Vector]:
    """Shares of `count` uniform bits, from the pool or made on demand."""
    yield from reserve(party, Plan(bits=count))
    return party.pool.bits.take(count)


def random_integers(party: Party, count: int, *, bits: int) -> Protocol[Vector]:
    """Shares of `count` integers of `sum_bits(bits, t)` bits that hide like uniform ones of `bits` bits."""
    yield from reserve(party, Plan(integers={bits: count}))
    return party.pool.integers[bits].take(count) if count else party.field.zeros(0)


def random_shares(party: Party, count: int) -> Protocol[Vector]:
    """Shares of `count` uniform field elements that nobody knows, from the pool or made on demand."""
    yield from reserve(party, Plan(shares=count))
    return party.pool.shares.take(count)


def _produce_shares(party: Party, count: int) -> Protocol[None]:
    if count:
        party.pool.shares.put((yield from deal_random(party, count)))


def _produce_dealt(party: Party, plan: Plan) -> Protocol[None]:
    """Bits and integers in common rounds, in steps of at most MAX_ROUND_ELEMENTS."""
    widths = [(width, count) for width, count in sorted(plan.integers.items()) if count]
    bits_left, integers_left = plan.bits, dict(widths)
    while bits_left or any(integers_left.values()):
        room = MAX_ROUND_ELEMENTS
        bits = min(bits_left, room)
        room -= bits
        bits_left -= bits
        step: dict[int, int] = {}
        for width in integers_left:
            step[width] = min(integers_left[width], room)
            room -= step[width]
            integers_left[width] -= step[width]
        yield from _deal_step(party, bits, step)


def _deal_step(party: Party, bits: int, integers: dict[int, int]) -> Generator[Any, Any, None]:
    def own() -> Vector:
        parts = [
            _own_bits(party, bits),
            *(_own_integers(party, count, width) for width, count in integers.items()),
        ]
        return np.concatenate(parts)

    dealt = yield from deal_secrets(party, own, count=bits + sum(integers.values()))
    offset = bits
    for width, count in integers.items():
        part = [row[offset : offset + count] for row in dealt]
        party.pool.integers.setdefault(width, Stock()).put(party.field.combine([1] * len(part), part))
        offset += count
    party.pool.bits.put((yield from _xor_tree(party, [row[:bits] for row in dealt])))


def _xor_tree(party: Party, rows: list[Vector]) -> Protocol[Vector]:
    """The exclusive or of all rows: log2 rounds, each level in one multiplication."""
    while len(rows) > 1 and len(rows[0]):
        half = len(rows) // 2
        count = len(rows[0])
        joined = yield from logical_xor(party, join(party, rows[:half]), join(party, rows[half : 2 * half]))
        rows = [joined[index * count : (index + 1) * count] for index in range(half)] + rows[2 * half :]
    return rows[0]


def _own_bits(party: Party, count: int) -> Vector:
    raw = np.frombuffer(party.randomness(-(-count // 8)), dtype=np.uint8)
    chosen = np.unpackbits(raw)[:count, np.newaxis].astype(bool)
    return np.where(chosen, party.field.full(1, 1), party.field.zeros(1))


def _own_integers(party: Party, count: int, width: int) -> Vector:
    size = -(-width // 8)
    raw = party.randomness(size * count)
    mask = (1 << width) - 1
    return party.field.vector(
        int.from_bytes(raw[start : start + size], "little") & mask for start in range(0, size * count, size)
    )
