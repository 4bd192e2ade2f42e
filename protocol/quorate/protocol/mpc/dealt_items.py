"""Random bits and bounded random integers that t + 1 parties deal, so that one honest dealer makes them uniform.

A random bit is the exclusive or of one bit of each dealer: one round of dealing and ceil(log2(t + 1)) rounds of
multiplications, however many bits. A bounded random integer of width w is the sum of the dealers' integers below
2^w, so it lies below 2^w (t + 1) and hides like one uniform integer of w bits. A dealer that shares a non-bit is
not caught here: this is for the passive scheme, or for one that checks what was dealt.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

import numpy as np

from quorate.protocol.field import Vector

from .batches import MAX_ROUND_ELEMENTS, join
from .byte_dealing import own_bits
from .logic import logical_xor
from .party import Party, Protocol
from .pool import BIT, Plan, integer

Deal: TypeAlias = Callable[[Party, Callable[[], Vector], int], Protocol[list[Vector]]]
"""deal(party, value, count): the sharings that each of parties 1..t+1 deals of its `count` values `value()`."""


def produce_dealt(party: Party, plan: Plan, deal: Deal) -> Protocol[None]:
    """Put the bits and integers of `plan` into the pool: in common rounds, in steps of at most MAX_ROUND_ELEMENTS."""
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
        yield from _deal_step(party, bits, step, deal)


def _deal_step(party: Party, bits: int, integers: dict[int, int], deal: Deal) -> Generator[Any, Any, None]:
    def own() -> Vector:
        parts = [
            _own_bits(party, bits),
            *(_own_integers(party, count, width) for width, count in integers.items()),
        ]
        return np.concatenate(parts)

    dealt = yield from deal(party, own, bits + sum(integers.values()))
    offset = bits
    for width, count in integers.items():
        part = [row[offset : offset + count] for row in dealt]
        party.pool.put(integer(width), party.field.combine([1] * len(part), part))
        offset += count
    party.pool.put(BIT, (yield from exclusive_or(party, [row[:bits] for row in dealt])))


def exclusive_or(party: Party, rows: list[Vector]) -> Protocol[Vector]:
    """The exclusive or of all rows: log2 rounds, each level in one multiplication."""
    while len(rows) > 1 and len(rows[0]):
        half = len(rows) // 2
        count = len(rows[0])
        joined = yield from logical_xor(
            party, join(party.field, rows[:half]), join(party.field, rows[half : 2 * half])
        )
        rows = [joined[index * count : (index + 1) * count] for index in range(half)] + rows[2 * half :]
    return rows[0]


def _own_bits(party: Party, count: int) -> Vector:
    return party.field.from_small(own_bits(party, count))


def _own_integers(party: Party, count: int, width: int) -> Vector:
    size = -(-width // 8)
    table = np.frombuffer(party.randomness(size * count), dtype=np.uint8).reshape(count, size).copy()
    table[:, -1] &= (1 << (width - 8 * (size - 1))) - 1
    return party.field.from_small_bytes(table.tobytes(), size)
