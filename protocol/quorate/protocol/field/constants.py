"""What the kernels need to know about a modulus, as flat uint64 arrays in a fixed order.

The number of dimensions of a table is how a kernel is told its kernel set, so one compiled kernel of a set serves
every modulus of the set. Vector kernels take a two-dimensional table, with every word repeated over the lanes; the
tables of the other sets are flat, with as many dimensions of length 1 as tell them apart.

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

LARGE_BITS: Final = range(224, 257)
"""The lengths in bits of moduli on four limbs: the kernels take the leading bits of a sum from the top limb."""
SMALL_BITS: Final = range(32, 65)
"""The lengths in bits of moduli on one word: one shift of a 128-bit sum must leave room for a Barrett quotient."""
MERSENNE_BITS: Final = 61
GOLDILOCKS_MODULUS: Final = 2**64 - 2**32 + 1

LANES: Final = 8
"""The elements that one step of a set with lanes handles."""

PORTABLE: Final = "portable"
"""Four limbs, a modulus of at most 255 bits, one element at a time."""
IFMA: Final = "ifma"
"""Four limbs, eight elements at a time."""
CARRY: Final = "carry"
"""Four limbs, a modulus of 256 bits, one element at a time."""
WORD: Final = "word"
"""One word, any prime, one element at a time."""
GOLDILOCKS_WORD: Final = "goldilocks"
"""One word, 2^64 - 2^32 + 1, one element at a time."""
MERSENNE_WORD: Final = "mersenne61"
"""One word, 2^61 - 1, one element at a time."""
IFMA_WORD: Final = "ifma word"
"""One word, any prime, eight elements at a time."""

LANE_SETS: Final = {
    PORTABLE: IFMA,
    CARRY: IFMA,
    WORD: IFMA_WORD,
    GOLDILOCKS_WORD: IFMA_WORD,
    MERSENNE_WORD: IFMA_WORD,
}
"""For each base set, which handles one element at a time, the set that handles eight."""
DIMENSIONS: Final = {
    PORTABLE: 1,
    IFMA: 2,
    CARRY: 3,
    WORD: 4,
    GOLDILOCKS_WORD: 5,
    MERSENNE_WORD: 6,
    IFMA_WORD: 7,
}
"""The dimensions of the table of constants of each kernel set."""

MAX_WEIGHT: Final = 1 << 40
"""The bound of the sum of |coefficients| that one lazy weighted sum may reach."""

# Positions in the table of four limbs.
MODULUS: Final = 0  # 4 limbs
MONTGOMERY: Final = 4  # -p^-1 mod 2^64
RECIPROCAL: Final = 5
SHIFT_RIGHT: Final = 6
SHIFT_LEFT: Final = 7
_GUARD_BITS: Final = 20

# Positions in the table of words.
WORD_MODULUS: Final = 0
WORD_MONTGOMERY: Final = 1  # p^-1 mod 2^64
WORD_RECIPROCAL: Final = 2
WORD_SHIFT_RIGHT: Final = 3
WORD_SHIFT_LEFT: Final = 4

# Positions in the table for vector lanes, with limbs of 52 bits.
LANE_BITS: Final = 52
LANE_MODULUS: Final = 0  # 5 limbs, the upper ones 0 for a word
LANE_MONTGOMERY: Final = 5  # -p^-1 mod 2^52
LANE_RECIPROCAL: Final = 6
LANE_SHIFT_RIGHT: Final = 7
LANE_SHIFT_LEFT: Final = 8  # for a word a rotation
LANE_FACTOR_LEFT: Final = 9
LANE_FACTOR_RIGHT: Final = 10
_LANE_GUARD_BITS: Final = 10


def split(value: int, bits: int, count: int) -> list[int]:
    """The `count` limbs of `bits` bits each of a value that fits them, least significant first."""
    return [(value >> (bits * position)) & ((1 << bits) - 1) for position in range(count)]


def base_set(modulus: int) -> str | None:
    """The kernel set that handles one element of a modulus at a time; None for a length that none takes."""
    bits = modulus.bit_length()
    if bits in LARGE_BITS:
        return PORTABLE if bits < LARGE_BITS.stop - 1 else CARRY
    if bits not in SMALL_BITS:
        return None
    special = {(1 << MERSENNE_BITS) - 1: MERSENNE_WORD, GOLDILOCKS_MODULUS: GOLDILOCKS_WORD}
    return special.get(modulus, WORD)


def limbs_of(kernels: str) -> int:
    """The words of an element in the vectors of a kernel set."""
    return 4 if kernels in (PORTABLE, IFMA, CARRY) else 1


def lane_limbs_of(kernels: str) -> int:
    """The limbs of 52 bits of an element in the lanes of a kernel set; 0 for a set without lanes."""
    return {IFMA: 5, IFMA_WORD: 2}.get(kernels, 0)


def kept_words(kernels: str) -> int:
    """The words of a place in the scratch arrays of a kernel set."""
    return LANES * lane_limbs_of(kernels) or limbs_of(kernels)


def radix_of(modulus: int) -> int:
    """The factor that integers have in the vectors of a field: that of Montgomery form, or 1."""
    base = base_set(modulus)
    return 1 if base is None or base == MERSENNE_WORD else 1 << (64 * limbs_of(base))


def factor_shift(modulus: int) -> int:
    """By how many bits a factor in lanes is shifted: dividing the product by 2^260 or 2^104 then divides by the radix.

    2^104 / 2^43 is 2^61, which is 1 modulo the Mersenne prime.
    """
    return {PORTABLE: 4, CARRY: 4, MERSENNE_WORD: 43}.get(base_set(modulus) or "", 40)


def constants_of(modulus: int, kernels: str) -> Words:
    """The table of a kernel set for a modulus that it takes."""
    if lane_limbs_of(kernels):
        return lane_constants(modulus).reshape(-1, *[1] * (DIMENSIONS[kernels] - 2), LANES)
    flat = limb_constants(modulus) if limbs_of(kernels) > 1 else word_constants(modulus)
    return flat.reshape(-1, *[1] * (DIMENSIONS[kernels] - 1))


def limb_constants(modulus: int) -> Words:
    """The table of one element in four limbs at a time, shape (8,)."""
    shift = modulus.bit_length() - 1 - _GUARD_BITS
    words = [
        *split(modulus, 64, 4),
        -pow(modulus, -1, 1 << 64) % (1 << 64),
        (1 << (shift + 64)) // modulus,
        shift - 192,
        256 - shift,
    ]
    return np.array(words, dtype=np.uint64)


def word_constants(modulus: int) -> Words:
    """The table of one element in one word at a time, shape (5,)."""
    shift = modulus.bit_length() - 1 - _GUARD_BITS
    words = [modulus, pow(modulus, -1, 1 << 64), (1 << (shift + 64)) // modulus, shift, 64 - shift]
    return np.array(words, dtype=np.uint64)


def lane_constants(modulus: int) -> Words:
    """The table of both sets with lanes, shape (11, 8): each word once per lane."""
    large = modulus.bit_length() in LARGE_BITS
    shift = modulus.bit_length() - 1 - _LANE_GUARD_BITS
    words = [
        *split(modulus, LANE_BITS, 5),
        -pow(modulus, -1, 1 << LANE_BITS) % (1 << LANE_BITS),
        (1 << (shift + LANE_BITS)) // modulus,
        shift - 4 * LANE_BITS if large else shift,
        5 * LANE_BITS - shift if large else (LANE_BITS - shift) % 64,
        factor_shift(modulus),
        LANE_BITS - factor_shift(modulus),
    ]
    return np.repeat(np.array(words, dtype=np.uint64)[:, np.newaxis], LANES, axis=1).copy()
