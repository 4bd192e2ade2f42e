"""Normalisation: how long a secret integer is, and the power of two that brings it to a common length.

[Catrina, de Hoogh, Improved Primitives for Secure Multiparty Integer Computation, SCN 2010, section 5: suffix or
and normalisation.] The bits of x tell at which place its leading one is, without telling anybody: mark i is the or
of bit i and all above it, and the number of marks is the length.

Where the scheme computes on bytes, bits and marks stay over GF(2^8). There, bit k of the number of marks is the
exclusive or of every 2^k-th mark, so that only a handful of bits go back to the prime field, and the power of two is
a product of a few factors. Elsewhere marks are in the prime field, and all is a sum of marks with public weights.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.batches import join
from quorate.protocol.mpc.byte_bits import byte_bits, byte_suffix_or, rows_to_field
from quorate.protocol.mpc.compare import to_bits
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import together


@dataclass(frozen=True, slots=True)
class Length:
    """What the marks of x tell: their number (0 of zero), [there are marks], 2^(width - number), and 2^number.

    `sign` is the highest bit of two's complement, 0 for unsigned types.
    """

    count: Vector = dataclasses.field(repr=False)
    nonzero: Vector = dataclasses.field(repr=False)
    factor: Vector = dataclasses.field(repr=False)
    reverse: Vector = dataclasses.field(repr=False)
    sign: Vector = dataclasses.field(repr=False)
    width: int


def length_of(
    party: Party,
    x: Vector,
    *,
    bits: int,
    signed: bool,
    inverted: bool = False,
    pairs: bool = False,
    odd: bool = False,
) -> Protocol[Length]:
    """The length of the low bits of x: all but the sign for a signed type of `bits` bits, else all.

    With `inverted`, all bits are inverted where x < 0, which gives the length of |x| - 1. With `pairs`, bits count in
    pairs, from bit 0 on, or with `odd` as those of 2 x.
    """
    width = bits - 1 if signed else bits
    grouping = _Grouping(pairs, odd)
    if party.scheme.computes_on_bytes:
        return (yield from _length_on_bytes(party, x, width=width, signed=signed, inverted=inverted, by=grouping))
    return (yield from _length_in_field(party, x, width=width, signed=signed, inverted=inverted, by=grouping))


@dataclass(frozen=True, slots=True)
class _Grouping:
    pairs: bool
    odd: bool

    def places(self, width: int) -> list[int]:
        """The marks that count."""
        if not self.pairs:
            return list(range(width))
        return [0, *range(1, width, 2)] if self.odd else list(range(0, width, 2))


def _length_on_bytes(
    party: Party, x: Vector, *, width: int, signed: bool, inverted: bool, by: _Grouping
) -> Protocol[Length]:
    field = party.field
    table = yield from byte_bits(party, x, bits=width + 1)
    rows, sign = table[:-1], table[-1:]
    marks = (yield from byte_suffix_or(party, rows ^ sign if inverted else rows))[by.places(width)]
    most = len(marks)
    counted = [np.bitwise_xor.reduce(marks[(1 << place) - 1 :: 1 << place]) for place in range(most.bit_length())]
    wanted = np.stack([marks[0], *counted, *(sign if signed else [])])
    nonzero, *bits = yield from rows_to_field(party, wanted)
    below_zero = bits.pop() if signed else field.zeros(len(x))
    opposite = [field.add_constant(field.neg(bit), 1) for bit in bits]
    # the bits of 2^k - 1 - count, for k bits
    raised, reverse = yield from together(party, power_of_two(party, opposite), power_of_two(party, bits))
    factor = field.scale(raised, field.inverse(1 << ((1 << len(bits)) - 1 - most)))
    count = field.combine([1 << place for place in range(len(bits))], bits)
    return Length(count, nonzero, factor, reverse, below_zero, most)


def _length_in_field(
    party: Party, x: Vector, *, width: int, signed: bool, inverted: bool, by: _Grouping
) -> Protocol[Length]:
    field = party.field
    rows = yield from to_bits(party, x, bits=width + 1)
    rows, sign = rows[:-1], rows[-1]
    if inverted:
        both = yield from multiply(party, join(field, rows), join(field, [sign] * width))
        changed = field.combine([1, 1, -2], [join(field, rows), join(field, [sign] * width), both])
        rows = [changed[place * len(x) : (place + 1) * len(x)] for place in range(width)]
    every = yield from suffix_or(party, rows)
    marks = [every[place] for place in by.places(width)]
    most = len(marks)
    factor = weight_of_count(party, marks, [1 << (most - number) for number in range(most + 1)])
    reverse = weight_of_count(party, marks, [1 << number for number in range(most + 1)])
    below_zero = sign if signed else field.zeros(len(x))
    return Length(field.combine([1] * most, marks), marks[0], factor, reverse, below_zero, most)


def suffix_or(party: Party, rows: Sequence[Vector]) -> Protocol[list[Vector]]:
    """The or of row i and all rows after it, for each i: ceil(log2(rows)) rounds [Sklansky 1960]."""
    limbs = party.field.limbs
    places, count = len(rows), len(rows[0])
    table = np.stack(rows[::-1])  # from the highest bit down, so that suffixes are prefixes
    span = 1
    while span < places:
        # every place in the upper half of a block of 2 span joins the last place of the lower half
        upper = np.array([place for place in range(places) if place & span], dtype=np.intp)
        lower = (upper | (span - 1)) - span
        left, right = table[upper].reshape(-1, limbs), table[lower].reshape(-1, limbs)
        both = yield from multiply(party, left, right)
        table[upper] = party.field.combine([1, 1, -1], [left, right, both]).reshape(-1, count, limbs)
        span *= 2
    return list(table[::-1])


def weight_of_count(party: Party, marks: Sequence[Vector], weights: Sequence[int]) -> Vector:
    """weights[number of marks], where marks are the lowest ones; without communication."""
    steps = [after - before for before, after in itertools.pairwise(weights)]
    return party.field.add_constant(party.field.combine(steps, marks), weights[0])


def power_of_two(party: Party, rows: Sequence[Vector]) -> Protocol[Vector]:
    """2^a, in the field, for the integer a with these bits, lowest first: ceil(log2(rows)) rounds."""
    field, count = party.field, len(rows[0])
    factors = [field.add_constant(field.scale(row, (1 << (1 << place)) - 1), 1) for place, row in enumerate(rows)]
    while len(factors) > 1:
        half = len(factors) // 2
        products = yield from multiply(party, join(field, factors[:half]), join(field, factors[half : 2 * half]))
        factors = [products[part * count : (part + 1) * count] for part in range(half)] + factors[2 * half :]
    return factors[0]
