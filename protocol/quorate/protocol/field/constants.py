"""What the kernels need to know about a modulus, as flat uint64 arrays in a fixed order.

Portable kernels take a one-dimensional array of words; vector kernels take the same kind of table with every
word repeated over the lanes, two-dimensional. The number of dimensions is how a kernel is told its kind, so one
compiled kernel of a kind serves every modulus.

Barrett reduction of a sum x < 2^40 p (b = bits of p, s = b - 1 - guard): the quotient is estimated as
q = floor(floor(x / 2^s) * mu / 2^w) with mu = floor(2^(s + w) / p) and words of w bits. It is never too large and
at most one too small, so that one conditional subtraction of p remains.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]
"""64-bit words of any meaning: limbs, addresses, constants."""
Weights: TypeAlias = NDArray[np.int64]
"""Small coefficients of lazy sums, a line for each output."""

MIN_BITS: Final = 224
"""The shortest modulus, in bits: the kernels take the leading bits of a sum from the top limb."""
MAX_BITS: Final = 255
"""The longest modulus, in bits: sums of two elements must fit four 64-bit limbs."""
MAX_WEIGHT: Final = 1 << 40
"""The bound of the sum of |coefficients| that one lazy weighted sum may reach."""

# Positions in the portable table.
MODULUS: Final = 0  # 4 limbs
MONTGOMERY: Final = 4  # -p^-1 mod 2^64
RECIPROCAL: Final = 5
SHIFT_RIGHT: Final = 6
SHIFT_LEFT: Final = 7
_GUARD_BITS: Final = 20

# Positions in the table for vector lanes of 5 limbs of 52 bits.
LANES: Final = 8
LANE_LIMBS: Final = 5
LANE_BITS: Final = 52
LANE_MODULUS: Final = 0  # 5 limbs
LANE_MONTGOMERY: Final = 5  # -p^-1 mod 2^52
LANE_RECIPROCAL: Final = 6
LANE_SHIFT_RIGHT: Final = 7
LANE_SHIFT_LEFT: Final = 8
_LANE_GUARD_BITS: Final = 10


def split(value: int, bits: int, count: int) -> list[int]:
    """The `count` limbs of `bits` bits each of a value that fits them, least significant first."""
    return [(value >> (bits * position)) & ((1 << bits) - 1) for position in range(count)]


def portable_constants(modulus: int) -> Words:
    """The table of the portable kernels, shape (8,)."""
    shift = modulus.bit_length() - 1 - _GUARD_BITS
    words = [
        *split(modulus, 64, 4),
        -pow(modulus, -1, 1 << 64) % (1 << 64),
        (1 << (shift + 64)) // modulus,
        shift - 192,
        256 - shift,
    ]
    return np.array(words, dtype=np.uint64)


def lane_constants(modulus: int) -> Words:
    """The table of the vector kernels, shape (9, 8): each word once per lane."""
    shift = modulus.bit_length() - 1 - _LANE_GUARD_BITS
    words = [
        *split(modulus, LANE_BITS, LANE_LIMBS),
        -pow(modulus, -1, 1 << LANE_BITS) % (1 << LANE_BITS),
        (1 << (shift + LANE_BITS)) // modulus,
        shift - 4 * LANE_BITS,
        5 * LANE_BITS - shift,
    ]
    return np.repeat(np.array(words, dtype=np.uint64)[:, np.newaxis], LANES, axis=1).copy()
