"""Exponentials, logarithms, sigmoid and hyperbolic tangent of secret fixed-point numbers.

[Catrina, Saxena 2010; Aly, Smart, Benchmarking Privacy Preserving Scientific Operations, ACNS 2019.] 2^y is 2^k
times a polynomial in u = y - k; the secret integer k need not be the floor of y, only near it, which a loose
truncation to a few bits and their decomposition gives. A logarithm is that of the normalised number, by a polynomial,
and the length of the number. Sigmoid and hyperbolic tangent are 1 / (1 + e) and 2 / (1 + e) - 1 of e = exp(-|x|) or
exp(-2 |x|), where 1 + e in (1, 2] is normalised already.

All results are rounded to the nearest from an inner fraction that is `_MORE_BITS` and the slack's bits longer. No
operand in the type makes anything be opened that is hidden less well than kappa says.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Final

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import less_than_zero, to_bits
from quorate.protocol.mpc.logic import logical_not, select
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import together

from . import approximation
from .costs import piecewise
from .normalisation import length_of, power_of_two
from .number_types import FixedType
from .order import clamp
from .polynomials import evaluate
from .reciprocal import reciprocal, reciprocal_fraction_bits
from .truncation import slack_bits, truncate_closely, truncate_loosely

_MORE_BITS: Final = 16


def inner_fraction_bits(party: Party, of: FixedType) -> int:
    """The bits of fraction of inner steps."""
    return of.fraction_bits + _MORE_BITS + slack_bits(party)


# Exponentials


def exponential(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """e^x: the error is below 0.6 units in the last place and 2^-(fraction_bits + 7) of the result.

    Where e^x is above the type's range, the result is a number near its largest one.
    """
    return (yield from piecewise(party, _exponential, x, of=of, binary=False))


def binary_exponential(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """2^x, with the error of `exponential`, and as saturated."""
    return (yield from piecewise(party, _exponential, x, of=of, binary=True))


def _exponential(party: Party, x: Vector, *, of: FixedType, binary: bool) -> Protocol[Vector]:
    """Between 2^-(fraction_bits + 2), which is rounded to zero, and just below 2^(bits - 1 - fraction_bits)."""
    fraction = of.fraction_bits
    logarithm = Fraction(1) if binary else approximation.logarithm_of_two()
    least = math.ceil(-(fraction + 2) * logarithm / of.unit)
    most = math.floor((of.bits - 1 - fraction) * logarithm / of.unit) - 1
    bound = of.integer
    x = yield from clamp(party, x, least=max(least, bound.least), most=min(most, bound.most), of=of)
    whole_bits = max(fraction + 3, of.bits - fraction).bit_length() + 1
    scaled, scaled_bits = _binary_exponent(party, x, of=of, logarithm=logarithm)
    mantissa, factor = yield from _two_parts(
        party, scaled, fraction=scaled_bits, whole_bits=whole_bits, lowest=-(fraction + 3), of=of
    )
    product = yield from multiply(party, mantissa, factor)
    inner = inner_fraction_bits(party, of)
    return (
        yield from truncate_closely(
            party, product, bits=inner + of.bits + 8, power=inner + (fraction + 3) - fraction
        )
    )


def _binary_exponent(party: Party, x: Vector, *, of: FixedType, logarithm: Fraction) -> tuple[Vector, int]:
    """x / ln(base), and its bits of fraction: enough of them for the integers of the type."""
    if logarithm == 1:
        return x, of.fraction_bits
    places = inner_fraction_bits(party, of) + of.bits.bit_length()
    return party.field.scale(x, round((1 << places) / logarithm)), of.fraction_bits + places


def _two_parts(
    party: Party, y: Vector, *, fraction: int, whole_bits: int, lowest: int, of: FixedType
) -> Protocol[tuple[Vector, Vector]]:
    """2^u with the inner bits of fraction, and 2^(k - lowest), where y = k + u and u is in [-1/8, 9/8].

    For |y| < 2^(whole_bits-1) with `fraction` bits of fraction, and y > lowest + 1/8.
    """
    field, inner, kept = party.field, inner_fraction_bits(party, of), slack_bits(party) + 3
    bits = fraction + whole_bits
    near, fine = yield from together(
        party,
        _to_fraction(party, y, bits=bits, fraction=fraction, wanted=kept),
        _to_fraction(party, y, bits=bits, fraction=fraction, wanted=inner),
    )
    raised = field.add_constant(near, -lowest << kept)
    rows = (yield from to_bits(party, raised, bits=whole_bits + 2 + kept))[kept:-1]
    whole = field.combine([1 << place for place in range(len(rows))], rows)
    rest = field.combine([1, -1 << inner], [field.add_constant(fine, -lowest << inner), whole])
    mantissa, factor = yield from together(
        party,
        _evaluated(party, rest, approximation.power_of_two, _EXPONENT_RANGE, inner),
        power_of_two(party, rows),
    )
    return mantissa, factor


def _to_fraction(party: Party, y: Vector, *, bits: int, fraction: int, wanted: int) -> Protocol[Vector]:
    """y with `wanted` bits of fraction, loosely."""
    if wanted >= fraction:
        return party.field.scale(y, 1 << (wanted - fraction))
    return (yield from truncate_loosely(party, y, bits=bits, power=fraction - wanted))


_EXPONENT_RANGE: Final = (Fraction(-1, 8), Fraction(9, 8))
_MANTISSA_RANGE: Final = (Fraction(1, 2), Fraction(1))


def _evaluated(
    party: Party,
    x: Vector,
    function: approximation.Function,
    interval: tuple[Fraction, Fraction],
    inner: int,
) -> Protocol[Vector]:
    """A smooth function of magnitude below 4, with inner bits of fraction."""
    polynomial = polynomial_for(function, *interval, inner)
    total = yield from evaluate(party, polynomial, x, fraction=inner)
    return (yield from truncate_loosely(party, total, bits=2 * inner + 4, power=inner))


@lru_cache(maxsize=64)
def polynomial_for(
    function: approximation.Function, low: Fraction, high: Fraction, precision: int
) -> approximation.Polynomial:
    """The polynomial of `approximation.approximate`, made once."""
    return approximation.approximate(function, low, high, precision=precision)


# Logarithms


def logarithm(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """ln x, of x > 0; the error is below 0.6 units in the last place.

    Of zero it is that of the smallest positive number; of a negative x it is meaningless.
    """
    return (yield from piecewise(party, _logarithm, x, of=of, binary=False))


def binary_logarithm(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """log2 x, as `logarithm`."""
    return (yield from piecewise(party, _logarithm, x, of=of, binary=True))


def _logarithm(party: Party, x: Vector, *, of: FixedType, binary: bool) -> Protocol[Vector]:
    field, inner = party.field, inner_fraction_bits(party, of)
    width = of.bits - 1
    length = yield from length_of(party, x, bits=of.bits, signed=True)
    zero = logical_not(party, length.nonzero)
    # without the sign, and zero as one unit
    number = field.combine([1, 1 << width, 1], [x, length.sign, zero])
    factor = field.combine([1, -1 << (width - 1)], [length.factor, zero])
    value = yield from multiply(party, number, factor)
    mantissa = yield from _to_fraction(party, value, bits=width + 2, fraction=width, wanted=inner)
    function = approximation.binary_logarithm if binary else approximation.natural_logarithm
    polynomial = polynomial_for(function, *_MANTISSA_RANGE, inner)
    total = yield from evaluate(party, polynomial, mantissa, fraction=inner)
    step = Fraction(1) if binary else approximation.logarithm_of_two()
    per_bit = round(step * (1 << 2 * inner))
    total = field.combine([1, per_bit, per_bit], [total, length.count, zero])
    total = field.add_constant(total, -of.fraction_bits * per_bit)
    bits = 2 * inner + of.bits.bit_length() + 2
    return (yield from truncate_closely(party, total, bits=bits, power=2 * inner - of.fraction_bits))


# Sigmoid and hyperbolic tangent


def sigmoid(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """1 / (1 + exp(-x)); the error is below 0.6 units in the last place."""
    return (yield from piecewise(party, _sigmoid, x, of=of))


def hyperbolic_tangent(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """tanh x; the error is below 0.6 units in the last place."""
    return (yield from piecewise(party, _hyperbolic_tangent, x, of=of))


def _sigmoid(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """1 / (1 + e) of |x|, or 1 less that for x < 0."""
    below_zero, share, inner = yield from _logistic(party, x, of=of, doubled=False)
    value = yield from truncate_closely(party, share, bits=inner + 3, power=inner - of.fraction_bits)
    one = party.field.full(len(x), 1 << of.fraction_bits)
    return (yield from select(party, below_zero, party.field.sub(one, value), value))


def _hyperbolic_tangent(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """2 / (1 + e) - 1 of 2 |x|, with the sign of x."""
    below_zero, share, inner = yield from _logistic(party, x, of=of, doubled=True)
    wide = party.field.add_constant(party.field.scale(share, 2), -1 << inner)
    value = yield from truncate_closely(party, wide, bits=inner + 3, power=inner - of.fraction_bits)
    return party.field.combine([1, -2], [value, (yield from multiply(party, below_zero, value))])


def _logistic(party: Party, x: Vector, *, of: FixedType, doubled: bool) -> Protocol[tuple[Vector, Vector, int]]:
    """[x < 0], and 1 / (1 + e) in [1/2, 1) with the bits of fraction that are the third result."""
    field, precision = party.field, of.fraction_bits + 5
    below_zero = yield from less_than_zero(party, x, bits=of.bits)
    magnitude = field.combine([1, -2], [x, (yield from multiply(party, below_zero, x))])
    # beyond the bound, e is less than 2^-(fraction_bits + 6)
    bound = math.ceil((of.fraction_bits + 6) * approximation.logarithm_of_two() / (2 if doubled else 1) / of.unit)
    power = yield from _inverse_power(party, magnitude, of=of, bound=bound, doubled=doubled)
    inner = inner_fraction_bits(party, of)
    # (1 + e) / 2 with `inner` + 1 bits of fraction
    value = field.add_constant(power, 1 << inner)
    inverse = yield from reciprocal(party, value, width=inner + 1, precision=precision)
    return below_zero, inverse, reciprocal_fraction_bits(party, precision) + 1


def _inverse_power(party: Party, x: Vector, *, of: FixedType, bound: int, doubled: bool) -> Protocol[Vector]:
    """exp(-x) or exp(-2 x) in (0, 1], with the inner bits of fraction, for 0 <= x <= 2^(bits-1)."""
    field, inner, bits = party.field, inner_fraction_bits(party, of), of.bits
    inside = field.add_constant(x, -bound)
    small = yield from less_than_zero(party, inside, bits=bits + 1)
    # x, or the bound where x is above it
    x = field.add_constant((yield from multiply(party, small, inside)), bound)
    logarithm = approximation.logarithm_of_two() / (2 if doubled else 1)
    lowest = -(of.fraction_bits + 8)
    scaled, fraction = _binary_exponent(party, field.neg(x), of=of, logarithm=logarithm)
    whole_bits = (-lowest).bit_length() + 1
    mantissa, factor = yield from _two_parts(
        party, scaled, fraction=fraction, whole_bits=whole_bits, lowest=lowest, of=of
    )
    product = yield from multiply(party, mantissa, factor)
    return (yield from truncate_loosely(party, product, bits=inner - lowest + 4, power=-lowest))
