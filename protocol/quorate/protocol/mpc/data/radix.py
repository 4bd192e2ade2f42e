"""Radix sort of secret keys, stable, in rounds that depend on the width of the keys only.

[Chida, Hamada, Ikarashi, Kikuchi, Kiribuchi, Pinkas, An Efficient Secure Three-Party Sorting Protocol with an
Honest Majority, 2019, section 4.] The keys are split into bits. For each digit, from the lowest, the one-hot
vectors of the digits are summed up value by value, which is linear: the sum at a row's own value is its place.
One inner product picks it. The permutation so far is applied to the digits, and composed with the new one, by
opening it shuffled.

What is opened is one uniform permutation for each digit, whatever the keys are, after all up to it is verified.
Adversary: that of the shuffle and of the scheme.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.logic import logical_not
from quorate.protocol.mpc.operations import inner_products, reveal
from quorate.protocol.mpc.party import Party, Protocol

from .columns import pack, public_places, scatter, unpack
from .one_hot import one_hot
from .prefix import prefix_sums
from .shuffles import Shuffles

DIGIT_BITS: Final = 4
"""The bits of a digit: 2^4 running sums a row and pass, and ceil(bits / 4) passes."""


def radix_destinations(party: Party, shuffles: Shuffles, bits: Sequence[Vector]) -> Protocol[Vector]:
    """Where each row goes in a stable ascending sort by unsigned keys, given by their bits, lowest first.

    `bits` has at least one column.
    """
    destinations = yield from digit_destinations(party, bits[:DIGIT_BITS])
    for start in range(DIGIT_BITS, len(bits), DIGIT_BITS):
        digit = bits[start : start + DIGIT_BITS]
        drawn = yield from shuffles.draw(party, len(destinations))
        shuffled, *rows = yield from drawn.permute(party, [destinations, *digit])
        places = public_places(party.field, (yield from reveal(party, shuffled)), below=len(shuffled))
        further = yield from digit_destinations(party, unpack(scatter(pack(rows), places)))
        (destinations,) = yield from drawn.permute_back(party, [further[places]])
    return destinations


def digit_destinations(party: Party, bits: Sequence[Vector]) -> Protocol[Vector]:
    """Where each row goes in a stable sort by one digit of a few bits: 1 + ceil(log2(bits)) rounds."""
    field = party.field
    chosen = yield from one_hot(party, bits)
    values, rows = chosen.shape[:2]
    places = prefix_sums(field, chosen.reshape(-1, field.limbs)).reshape(chosen.shape)
    left, right = (np.ascontiguousarray(table.transpose(1, 0, 2)) for table in (chosen, places))
    picked = yield from inner_products(
        party, left.reshape(-1, field.limbs), right.reshape(-1, field.limbs), length=values
    )
    return field.add_constant(picked, -1) if rows else picked


def unsigned_bits(party: Party, bits: Sequence[Vector], *, descending: bool) -> list[Vector]:
    """The bits of unsigned numbers in the order of two's complement ones, or in the opposite order."""
    turned = [*bits[:-1], logical_not(party, bits[-1])]
    return [logical_not(party, row) for row in turned] if descending else turned
