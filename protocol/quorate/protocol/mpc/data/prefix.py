"""Prefix sums, which cost nothing, and prefix products in logarithmic depth.

[Sklansky, Conditional-Sum Addition Logic, 1960] for the products: log2(n) rounds, about (n / 2) log2(n)
multiplications. They run under every scheme.
"""

from __future__ import annotations

from math import isqrt
from typing import Final

import numpy as np

from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol

_SERIAL: Final = 16
"""Up to this length, sums are added one after another."""


def prefix_sums(field: PrimeField, x: Vector) -> Vector:
    """x_0, x_0 + x_1, ..., without communication.

    The vector is cut into rows that are summed side by side, since the field adds vectors fast and single elements
    slowly; the totals of the rows are summed the same way.
    """
    count = len(x)
    width = count if count <= _SERIAL else isqrt(count - 1) + 1
    rows = -(-count // width) if count else 0
    padded = np.concatenate([x, field.zeros(rows * width - count)])
    table = np.ascontiguousarray(padded.reshape(rows, width, field.limbs).transpose(1, 0, 2))
    for place in range(1, width):
        table[place] = field.add(table[place], table[place - 1])
    sums = np.ascontiguousarray(table.transpose(1, 0, 2))
    if rows > 1:
        before = prefix_sums(field, np.ascontiguousarray(sums[:-1, -1]))
        later = sums[1:].reshape(-1, field.limbs)
        sums[1:] = field.add(later, np.repeat(before, width, axis=0)).reshape(-1, width, field.limbs)
    return sums.reshape(-1, field.limbs)[:count].copy()


def prefix_products(party: Party, x: Vector) -> Protocol[Vector]:
    """x_0, x_0 x_1, ..., in ceil(log2(n)) rounds."""
    result = x.copy()
    places = np.arange(len(x))
    span = 1
    while span < len(x):
        # every place in the upper half of a block of 2 span joins the last place of the lower half
        upper = places[(places & span) != 0]
        lower = (upper | (span - 1)) - span
        result[upper] = yield from multiply(party, result[upper], result[lower])
        span *= 2
    return result
