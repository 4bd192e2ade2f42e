"""Fixed-point arithmetic on secrets: products with one truncation, quotients, roots, conversions.

[Catrina, Saxena, Secure Computation with Fixed-Point Numbers, Financial Cryptography 2010.] A number x of a
`FixedType` is the integer x 2^fraction_bits. Sums and comparisons are those of integers. A product, or a whole inner
product, has twice the bits of fraction, and is truncated once, in one of three ways (`Truncation`).

Overflow: as with integers, a result outside the type is a wrong number. Operands inside their type never make an
operation open anything that is hidden less well than kappa says, whatever the result.
"""

from __future__ import annotations

from enum import Enum

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import shift_right
from quorate.protocol.mpc.operations import inner_products, matrix_product, multiply
from quorate.protocol.mpc.party import Party, Protocol

from .costs import piecewise
from .division import normalised_divisor
from .number_types import FixedType
from .reciprocal import quotient, quotient_fraction_bits
from .roots import fixed_root
from .truncation import truncate, truncate_closely, truncate_nearest


class Truncation(Enum):
    """How bits of fraction are cut off.

    PROBABILISTIC is one round, and goes up with the probability of what is cut off: the error is less than a unit
    in the last place, and none on the average. FLOOR goes down and NEAREST to the nearest, halves up; both are exact
    and cost a comparison of as many bits.
    """

    PROBABILISTIC = "probabilistic"
    FLOOR = "floor"
    NEAREST = "nearest"


def fixed_multiply(
    party: Party, x: Vector, y: Vector, *, of: FixedType, truncation: Truncation = Truncation.PROBABILISTIC
) -> Protocol[Vector]:
    """x y, element-wise; the error is that of the truncation."""
    product = yield from multiply(party, x, y)
    return (yield from _shortened(party, product, bits=2 * of.bits, of=of, truncation=truncation))


def fixed_scale(
    party: Party, x: Vector, *, factor: int, of: FixedType, truncation: Truncation = Truncation.PROBABILISTIC
) -> Protocol[Vector]:
    """x times a public number, which FixedType.encode has made an integer of the same type."""
    (factor,) = of.integer.check([factor])
    product = party.field.scale(x, factor)
    return (yield from _shortened(party, product, bits=2 * of.bits, of=of, truncation=truncation))


def fixed_inner_products(
    party: Party,
    x: Vector,
    y: Vector,
    *,
    length: int,
    of: FixedType,
    truncation: Truncation = Truncation.PROBABILISTIC,
) -> Protocol[Vector]:
    """The inner product of each run of `length` elements of x with the same run of y, truncated once."""
    products = yield from inner_products(party, x, y, length=length)
    bits = 2 * of.bits + (length - 1).bit_length()
    return (yield from _shortened(party, products, bits=bits, of=of, truncation=truncation))


def fixed_matrix_product(
    party: Party,
    x: Vector,
    y: Vector,
    *,
    inner: int,
    of: FixedType,
    truncation: Truncation = Truncation.PROBABILISTIC,
) -> Protocol[Vector]:
    """The product of a matrix of `inner` columns and one of `inner` rows, row by row, truncated once."""
    products = yield from matrix_product(party, x, y, inner=inner)
    bits = 2 * of.bits + (inner - 1).bit_length()
    return (yield from _shortened(party, products, bits=bits, of=of, truncation=truncation))


def _shortened(party: Party, x: Vector, *, bits: int, of: FixedType, truncation: Truncation) -> Protocol[Vector]:
    kind = {
        Truncation.PROBABILISTIC: truncate,
        Truncation.FLOOR: shift_right,
        Truncation.NEAREST: truncate_nearest,
    }[truncation]
    return (yield from piecewise(party, kind, x, bits=bits, power=of.fraction_bits))


def fixed_divide(party: Party, x: Vector, y: Vector, *, of: FixedType) -> Protocol[Vector]:
    """x / y, to the nearest; the error is below 1.03 units in the last place. 0 where y is 0."""
    return (yield from piecewise(party, _fixed_divide, x, y, of=of))


def _fixed_divide(party: Party, x: Vector, y: Vector, *, of: FixedType) -> Protocol[Vector]:
    divisor = yield from normalised_divisor(party, y, of=of.integer)
    dividend = yield from multiply(party, x, divisor.sign)
    near = yield from quotient(
        party,
        dividend,
        divisor.scaled,
        bits=of.bits + 1,
        shift=of.fraction_bits,
        precision=divisor.scaled.width,
    )
    kept = quotient_fraction_bits(party)
    bits = of.bits + of.fraction_bits + kept + 2
    return (yield from truncate_nearest(party, near, bits=bits, power=kept))


def reciprocal_of(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """1 / x, to the nearest; the error is below 1.03 units in the last place. 0 where x is 0."""
    one = party.field.full(len(x), 1 << of.fraction_bits)
    return (yield from fixed_divide(party, one, x, of=of))


def fixed_square_root(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """sqrt(x) to the nearest, of x >= 0; the error is below 0.6 units in the last place.

    Of a negative x it is meaningless: test the sign where it may be.
    """
    return (yield from piecewise(party, _fixed_root, x, of=of, inverse=False))


def reciprocal_square_root(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """1 / sqrt(x) to the nearest, of x > 0; the error is below 0.6 units in the last place.

    Of zero it is that of the smallest positive number; of a negative x it is meaningless.
    """
    return (yield from piecewise(party, _fixed_root, x, of=of, inverse=True))


def _fixed_root(party: Party, x: Vector, *, of: FixedType, inverse: bool) -> Protocol[Vector]:
    product, bits, power = yield from fixed_root(party, x, of=of, inverse=inverse)
    return (yield from truncate_closely(party, product, bits=bits, power=power))


# Conversions


def fixed_from_integer(party: Party, x: Vector, *, of: FixedType) -> Vector:
    """An integer as a fixed-point number, without communication; it must be in the type's range."""
    return party.field.scale(x, 1 << of.fraction_bits)


def fixed_floor(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """The largest integer that is not above x, as an integer."""
    return (yield from shift_right(party, x, bits=of.bits, power=of.fraction_bits))


def fixed_round(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """The integer nearest to x, halves up, as an integer."""
    return (yield from truncate_nearest(party, x, bits=of.bits, power=of.fraction_bits))


def fixed_convert(party: Party, x: Vector, *, of: FixedType, to: FixedType) -> Protocol[Vector]:
    """A number of one type in another, to the nearest, halves up; it must be in the range of both."""
    more = to.fraction_bits - of.fraction_bits
    if more >= 0:
        return party.field.scale(x, 1 << more)
    return (yield from truncate_nearest(party, x, bits=of.bits, power=-more))
