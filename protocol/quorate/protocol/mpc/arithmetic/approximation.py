"""Polynomials near smooth functions: interpolation at Chebyshev's points, in exact and long decimal arithmetic.

A polynomial is written in powers of t = x - centre on its interval, so that powers stay small, and its error is
measured on a dense grid when it is made. Nothing here is secret; every party computes the same coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import Final

DIGITS: Final = 80
"""The decimal digits of all computations."""
MAX_DEGREE: Final = 40
"""The highest degree that is tried."""
_CONTEXT: Final = Context(prec=DIGITS)

Function = Callable[[Decimal], Decimal]


@dataclass(frozen=True, slots=True)
class Polynomial:
    """The sum of coefficients[k] (x - centre)^k, for low <= x <= high."""

    coefficients: tuple[Fraction, ...]
    low: Fraction
    high: Fraction

    @property
    def centre(self) -> Fraction:
        """The middle of the interval."""
        return (self.low + self.high) / 2

    @property
    def degree(self) -> int:
        """The highest power."""
        return len(self.coefficients) - 1

    def at(self, x: Fraction) -> Fraction:
        """The exact value at x."""
        total = Fraction(0)
        for coefficient in reversed(self.coefficients):
            total = total * (x - self.centre) + coefficient
        return total

    def points(self, count: int) -> list[Fraction]:
        """Evenly spaced points of the interval, both ends among them."""
        return [self.low + (self.high - self.low) * place / (count - 1) for place in range(count)]


def interpolate(function: Function, low: Fraction, high: Fraction, *, degree: int) -> Polynomial:
    """The polynomial of a degree that meets `function` at Chebyshev's points, by divided differences."""
    centre, radius = (low + high) / 2, (high - low) / 2
    count = degree + 1
    # any points near Chebyshev's will do, so that floats are exact enough
    nodes = [radius * Fraction(math.cos(math.pi * (2 * place + 1) / (2 * count))) for place in range(count)]
    with localcontext(_CONTEXT):
        differences = [Fraction(function(_decimal(centre + node))) for node in nodes]
    for order in range(1, count):
        for place in range(count - 1, order - 1, -1):
            rise = differences[place] - differences[place - 1]
            differences[place] = rise / (nodes[place] - nodes[place - order])
    coefficients = [Fraction(0)] * count
    for node, difference in zip(reversed(nodes), reversed(differences), strict=True):
        # coefficients * (t - node) + difference
        moved = [Fraction(0), *coefficients[:-1]]
        coefficients = [high_ - node * low_ for high_, low_ in zip(moved, coefficients, strict=True)]
        coefficients[0] += difference
    return Polynomial(tuple(coefficients), low, high)


def approximate(function: Function, low: Fraction, high: Fraction, *, precision: int) -> Polynomial:
    """The polynomial of least degree whose error stays below 2^-precision; ValueError when none up to 40 does."""
    for degree in range(1, MAX_DEGREE + 1):
        polynomial = _rounded(interpolate(function, low, high, degree=degree), precision + 10)
        # twice the measured error covers what lies between the points of the grid
        if 2 * _error(polynomial, function) < Fraction(1, 1 << precision):
            return polynomial
    raise ValueError(
        f"no polynomial of degree {MAX_DEGREE} is precise to {precision} bits; take a shorter fraction"
    )


def _rounded(polynomial: Polynomial, bits: int) -> Polynomial:
    rounded = tuple(Fraction(round(c * (1 << bits)), 1 << bits) for c in polynomial.coefficients)
    return Polynomial(rounded, polynomial.low, polynomial.high)


def _error(polynomial: Polynomial, function: Function) -> Fraction:
    points = polynomial.points(8 * polynomial.degree + 9)
    with localcontext(_CONTEXT):
        return max(abs(polynomial.at(point) - Fraction(function(_decimal(point)))) for point in points)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


# Functions and constants, in the current decimal context


def power_series(terms: Sequence[Decimal], x: Decimal) -> Decimal:
    """The sum of terms[k] x^k."""
    total = Decimal(0)
    for term in reversed(terms):
        total = total * x + term
    return total


@lru_cache(maxsize=1)
def pi() -> Fraction:
    """pi, to more than 70 digits [Machin 1706]."""
    return 4 * (4 * _inverse_tangent(5) - _inverse_tangent(239))


def _inverse_tangent(denominator: int) -> Fraction:
    """atan(1 / denominator), in units of 10^-DIGITS."""
    unit = 10**DIGITS
    term, total, order = unit // denominator, 0, 0
    while term:
        total += (-1) ** order * (term // (2 * order + 1))
        term, order = term // denominator**2, order + 1
    return Fraction(total, unit)


@lru_cache(maxsize=1)
def logarithm_of_two() -> Fraction:
    """ln 2."""
    with localcontext(_CONTEXT):
        return Fraction(Decimal(2).ln())


def power_of_two(x: Decimal) -> Decimal:
    """2^x."""
    return (x * _decimal(logarithm_of_two())).exp()


def natural_logarithm(x: Decimal) -> Decimal:
    """ln x."""
    return x.ln()


def binary_logarithm(x: Decimal) -> Decimal:
    """log2 x."""
    return x.ln() / _decimal(logarithm_of_two())


def quarter_sine(square: Decimal) -> Decimal:
    """sin(pi u / 2) / u as a function of u^2: a power series, which goes on below zero."""
    return power_series(_quarter_sine_terms(), square)


@lru_cache(maxsize=1)
def _quarter_sine_terms() -> tuple[Decimal, ...]:
    with localcontext(_CONTEXT):
        half_turn = _decimal(pi() / 2)
        return tuple(
            (-1) ** order * half_turn ** (2 * order + 1) / math.factorial(2 * order + 1) for order in range(32)
        )
