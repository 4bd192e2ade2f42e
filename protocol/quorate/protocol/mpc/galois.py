"""GF(2^8) on arrays of bytes: what bitwise circuits and AES are computed in.

An element is a polynomial over GF(2) of degree below 8, bit i of a byte its coefficient of x^i, modulo
x^8 + x^4 + x^3 + x + 1 [FIPS 197, section 4.2]. Addition is the exclusive or, subtraction too. A product is one
look-up in a table of 64 KiB, about 1 ns an element. Shamir's sharing works as over a prime field: party i's point
is the element i, so that up to 255 parties have one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.sharing import MAX_PARTIES, InconsistentShares, PartyId

Bytes: TypeAlias = NDArray[np.uint8]
"""A flat array of elements of GF(2^8), or of shares of them."""

REDUCTION: Final = 0x11B
"""The polynomial of AES, with its leading term."""
_CACHED_SETS: Final = 4096


def product(x: int, y: int) -> int:
    """x * y of two elements."""
    result = 0
    for position in range(8):
        if y >> position & 1:
            result ^= x << position
    for position in range(14, 7, -1):
        if result >> position & 1:
            result ^= REDUCTION << (position - 8)
    return result


@lru_cache(maxsize=256)
def inverse(value: int) -> int:
    """1 / value. Raises ZeroDivisionError for zero."""
    if not 0 < value < 256:
        raise ZeroDivisionError(f"{value} has no inverse in GF(2^8)")
    power = result = value
    for _ in range(6):  # value^254 = value^(2 + 4 + ... + 128)
        power = product(power, power)
        result = product(result, power)
    return product(result, result)


@lru_cache(maxsize=1)
def _table() -> Bytes:
    """All products: x * y at 256 x + y."""
    factors = np.arange(256, dtype=np.uint16)
    result = np.zeros((256, 256), dtype=np.uint16)
    for position in range(8):
        result ^= np.where(factors >> position & 1, factors[:, np.newaxis] << position, 0).astype(np.uint16)
    for position in range(14, 7, -1):
        result ^= (result >> position & 1) * np.uint16(REDUCTION << (position - 8))
    table = result.astype(np.uint8).reshape(-1)
    table.flags.writeable = False
    return table


def multiply_elements(x: Bytes, y: Bytes) -> Bytes:
    """x * y, element-wise, of equally long arrays."""
    places = x.astype(np.uint16)
    places <<= 8
    places |= y
    return _table().take(places)


def scale(x: Bytes, factor: int) -> Bytes:
    """x times one public element."""
    if factor == 1:
        return x
    return _table()[256 * factor : 256 * factor + 256].take(x)


def combine(coefficients: Sequence[int], rows: Sequence[Bytes]) -> Bytes:
    """The sum of coefficients[i] * rows[i], a fresh array. Raises ValueError without rows."""
    if not rows or len(coefficients) != len(rows):
        raise ValueError(f"{len(coefficients)} coefficients for {len(rows)} rows")
    total = scale(rows[0], coefficients[0]).copy() if coefficients[0] == 1 else scale(rows[0], coefficients[0])
    for coefficient, row in zip(coefficients[1:], rows[1:], strict=True):
        if coefficient:
            total ^= scale(row, coefficient)
    return total


@lru_cache(maxsize=_CACHED_SETS)
def lagrange_elements(points: tuple[int, ...], at: int = 0) -> tuple[int, ...]:
    """The l_i with f(at) = sum_i l_i f(points[i]) for every f of degree below `len(points)`.

    Raises ValueError when two points are equal.
    """
    if len(set(points)) != len(points):
        raise ValueError("interpolation points must differ")
    coefficients = []
    for point in points:
        value = 1
        for other in points:
            if other != point:
                value = product(value, product(at ^ other, inverse(point ^ other)))
        coefficients.append(value)
    return tuple(coefficients)


def share_elements(
    secrets: Bytes, *, parties: int, threshold: int, randomness: Callable[[int], bytes]
) -> list[Bytes]:
    """Share each of `secrets`; party i's shares are at index i - 1. `randomness(size)` gives uniform bytes.

    Raises ValueError for a threshold that no committee of `parties` can have.
    """
    if not 0 <= threshold < parties <= MAX_PARTIES:
        raise ValueError(f"no threshold {threshold} among {parties} parties")
    rows = [secrets, *(np.frombuffer(randomness(len(secrets)), dtype=np.uint8) for _ in range(threshold))]
    shares = []
    for point in range(1, parties + 1):
        powers = [1]
        for _ in range(threshold):
            powers.append(product(powers[-1], point))
        shares.append(combine(powers, rows))
    return shares


def reconstruct_elements(shares: Mapping[PartyId, Bytes], *, threshold: int) -> Bytes:
    """The secrets, from equally long shares of at least `threshold + 1` parties.

    Raises InconsistentShares, which suspects nobody, unless all given shares agree; ValueError for too few.
    """
    if len(shares) <= threshold:
        raise ValueError(f"{len(shares)} shares cannot reconstruct at threshold {threshold}")
    points = tuple(sorted(shares))
    base = points[: threshold + 1]
    rows = [shares[point] for point in base]
    for point in points[threshold + 1 :]:
        if not np.array_equal(combine(lagrange_elements(base, at=point), rows), shares[point]):
            raise InconsistentShares
    return combine(lagrange_elements(base), rows)
