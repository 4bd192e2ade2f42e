"""Sums of many multiples of points, and many multiples of one point, in G1 and G2.

Scalars are rows of canonical integers below r. A sum goes by signed windows and buckets [Pippenger 1976; see
`kernels.multi_scalar`]; many multiples of one point by a table of its multiples in base 16 [Brickell, Gordon,
McCurley, Wilson 1992]. Time and memory accesses depend on scalars and points: who can time a prover closely, above
all a process on the same CPU, may learn about its witness.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import BN254, Vector
from quorate.protocol.field.constants import Words

from . import dispatch
from .points import TABLE, PointGroup, Points

SCALAR_BITS: Final = 254
MAX_WIDTH: Final = 14
"""The widest window: its 2^13 buckets take 2 MB in G2."""
_TABLE_WINDOWS: Final = 64
_BUCKET_COST: Final = 3.0
"""What summing one bucket costs, in additions into a bucket."""


def sum_of_multiples(group: PointGroup, points: Points, scalars: Words) -> Points:
    """The sum of scalars[i] points[i], an affine array of one point.

    `scalars` (n, 4) has canonical integers below r, little-endian words. Raises ValueError for unequal lengths.
    """
    if len(points) != len(scalars):
        raise ValueError(f"{len(scalars)} scalars for {len(points)} points")
    width = _best_width(len(points))
    buckets = np.empty(group.shape(1 << (width - 1), 4), dtype=np.uint64)
    out = np.empty(group.shape(1, 4), dtype=np.uint64)
    digits = signed_digits(scalars, width)
    kernel = dispatch.point_kernel("multi_scalar", group.name)
    points = points if points.flags.carray else np.array(points, order="C")  # kernels take writable arrays
    kernel(TABLE, points, digits, width, group.one, buckets, out)
    return group.affine(out)


def combine(group: PointGroup, points: Sequence[Points], scalars: Sequence[int]) -> Points:
    """The sum of a few multiples, of affine arrays of one point each; scalars are reduced modulo r."""
    return sum_of_multiples(group, np.concatenate(points), scalar_words(scalars))


def fixed_multiples(group: PointGroup, base: Points, scalars: Words) -> Points:
    """scalars[i] times one point, as an affine array; `scalars` as in `sum_of_multiples`."""
    weights = [digit << (4 * window) for window in range(_TABLE_WINDOWS) for digit in range(1, 16)]
    repeated = np.repeat(base, len(weights), axis=0)
    table = group.affine(group.multiples(repeated, weights))
    flat = np.ascontiguousarray(scalars).view(np.uint8)
    digits = np.stack([flat & 15, flat >> 4], axis=2).reshape(len(scalars), _TABLE_WINDOWS)
    out = np.empty(group.shape(len(scalars), 4), dtype=np.uint64)
    dispatch.point_kernel("table_sums", group.name)(TABLE, table, digits.copy(), group.one, out)
    return group.affine(out)


def scalar_words(scalars: Sequence[int]) -> Words:
    """Integers, reduced modulo r, as rows of words."""
    data = b"".join((scalar % BN254.modulus).to_bytes(32, "little") for scalar in scalars)
    return np.frombuffer(bytearray(data), dtype=np.uint64).reshape(-1, 4)


def canonical_words(vector: Vector) -> Words:
    """The canonical integers of field elements, as rows of words: a division by the radix."""
    return BN254.scale(vector, BN254.inverse(1 << 256))


def signed_digits(scalars: Words, width: int) -> NDArray[np.int32]:
    """Digits in 1 - 2^(width-1) .. 2^(width-1) in base 2^width, shape (windows, n), least significant first."""
    count = SCALAR_BITS // width + 1
    digits = np.empty((count, len(scalars)), dtype=np.int32)
    carry = np.zeros(len(scalars), dtype=np.int64)
    for position in range(count):
        word, offset = divmod(position * width, 64)
        bits = scalars[:, word] >> np.uint64(offset)
        if offset + width > 64 and word < 3:
            bits = bits | scalars[:, word + 1] << np.uint64(64 - offset)
        value = (bits & np.uint64((1 << width) - 1)).astype(np.int64) + carry
        carry = (value > 1 << (width - 1)).astype(np.int64)
        digits[position] = value - (carry << width)
    return digits


def _best_width(count: int) -> int:
    """The width of windows with the least work."""
    return min(
        range(2, MAX_WIDTH + 1), key=lambda w: (SCALAR_BITS // w + 1) * (count + _BUCKET_COST * (1 << (w - 1)))
    )
