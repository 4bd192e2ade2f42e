"""Evaluation points and Lagrange coefficients: party i's point is i, and the secret sits at 0.

Small consecutive points keep the coefficients small: at 0, over the points 1..k, they are the signed binomials
`(-1)^(i-1) C(k, i)`. A vector kernel multiplies by a small integer several times faster than by a field element.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final, NewType

PartyId = NewType("PartyId", int)
"""A party's number in its committee, 1..n, which is also its evaluation point."""

MAX_PARTIES: Final = 64
"""The largest committee."""
_CACHED_SETS: Final = 4096


@lru_cache(maxsize=_CACHED_SETS)
def lagrange_fractions(points: tuple[int, ...], at: int = 0) -> tuple[Fraction, ...]:
    """The rational `l_i` with `f(at) = sum_i l_i f(points[i])` for every f of degree below `len(points)`.

    Raises ValueError when two points are equal.
    """
    if len(set(points)) != len(points):
        raise ValueError("interpolation points must differ")
    coefficients = []
    for point in points:
        value = Fraction(1)
        for other in points:
            if other != point:
                value *= Fraction(at - other, point - other)
        coefficients.append(value)
    return tuple(coefficients)


def lagrange_coefficients(modulus: int, points: Sequence[int], *, at: int = 0) -> tuple[int, ...]:
    """Lagrange coefficients modulo `modulus`: a small signed integer wherever the denominator is one."""
    return _modular(modulus, tuple(points), at)


@lru_cache(maxsize=_CACHED_SETS)
def _modular(modulus: int, points: tuple[int, ...], at: int) -> tuple[int, ...]:
    return tuple(fraction_modulo(value, modulus) for value in lagrange_fractions(points, at))


def fraction_modulo(value: Fraction, modulus: int) -> int:
    """`value` in the prime field of `modulus`; an integral value stays the small signed integer it is."""
    if value.denominator == 1:
        return value.numerator
    return value.numerator * pow(value.denominator, -1, modulus) % modulus
