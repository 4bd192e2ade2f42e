"""Exact integer division of secrets, by secret and by public divisors.

The quotient is approximated with an error of less than one half, so that its floor is the exact quotient or one
more; the remainder of that is negative exactly when it is one more, which a comparison tells. By a public divisor
the approximation is one product with a public constant and a loose truncation, and the comparison is as narrow as
the divisor. By a secret one it is a product with the reciprocal (see `reciprocal`) of the normalised divisor.

Signs. FLOOR is Python's // and %: the quotient is rounded down, the remainder has the sign of the divisor. ZERO is
C's / and %: the quotient is rounded to zero, the remainder has the sign of the dividend. The machine has
instructions for both.

Zero. Division by a secret zero cannot stop, since it would tell: the quotient is 0 and the remainder x, so that
x = q y + r holds always; `division_valid` is the secret bit that says whether the divisor is not 0. A public zero
is a ZeroDivisionError. The smallest signed value divided by -1 leaves the type, by one.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import less_than_zero
from quorate.protocol.mpc.compare import shift_right as shift_right_by
from quorate.protocol.mpc.logic import logical_not, logical_xor
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import together

from .costs import piecewise
from .integers import multiply_pairs
from .normalisation import length_of
from .number_types import IntegerType
from .order import differs, negative
from .reciprocal import Scaled, quotient, quotient_fraction_bits
from .truncation import slack_bits, truncate_loosely


class Rounding(Enum):
    """Where the quotient of integers goes: down (Python), or to zero (C)."""

    FLOOR = "floor"
    ZERO = "zero"


def divide(
    party: Party, x: Vector, y: Vector, *, of: IntegerType, rounding: Rounding = Rounding.FLOOR
) -> Protocol[Vector]:
    """The exact quotient of x by y; 0 where y is 0."""
    return (yield from piecewise(party, _divide, x, y, of=of, rounding=rounding))


def remainder(
    party: Party, x: Vector, y: Vector, *, of: IntegerType, rounding: Rounding = Rounding.FLOOR
) -> Protocol[Vector]:
    """The exact remainder of x by y; x where y is 0."""
    return (yield from divide_with_remainder(party, x, y, of=of, rounding=rounding))[1]


def divide_with_remainder(
    party: Party, x: Vector, y: Vector, *, of: IntegerType, rounding: Rounding = Rounding.FLOOR
) -> Protocol[tuple[Vector, Vector]]:
    """Quotient and remainder: one round more than the quotient alone."""
    result = yield from divide(party, x, y, of=of, rounding=rounding)
    return result, party.field.sub(x, (yield from multiply(party, result, y)))


def division_valid(party: Party, y: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """[y != 0]: whether a division by y has a meaning."""
    return (yield from differs(party, y, party.field.zeros(len(y)), of=of))


# By a secret


@dataclass(frozen=True, slots=True)
class Divisor:
    """A divisor as sign and magnitude: the sign is 0 for zero, whose magnitude is taken as 1."""

    magnitude: Vector = dataclasses.field(repr=False)
    sign: Vector = dataclasses.field(repr=False)
    below_zero: Vector = dataclasses.field(repr=False)
    scaled: Scaled


def normalised_divisor(party: Party, y: Vector, *, of: IntegerType) -> Protocol[Divisor]:
    """Sign, magnitude and normalisation of y.

    The length of a negative y is that of |y| - 1, which is one less at powers of two. The interval of normalised
    values includes 1, so that this does not matter. Zero is taken as 1.
    """
    field = party.field
    length = yield from length_of(party, y, bits=of.bits, signed=of.signed, inverted=of.signed)
    zero, absolute, sign = logical_not(party, length.nonzero), y, length.nonzero
    if of.signed:
        turned, hidden = yield from multiply_pairs(party, (length.sign, y), (length.sign, length.nonzero))
        # neither a bit of y nor its sign is set
        zero = field.combine([1, -1, 1], [zero, length.sign, hidden])
        absolute = field.combine([1, -2], [y, turned])
        sign = field.add_constant(field.combine([-2, -1], [length.sign, zero]), 1)
    value = yield from multiply(party, absolute, length.factor)
    # the factor of zero is 2^width
    scaled = Scaled(field.combine([1, 1 << length.width], [value, zero]), length.factor, length.width)
    return Divisor(field.add(absolute, zero), sign, length.sign, scaled)


def _divide(party: Party, x: Vector, y: Vector, *, of: IntegerType, rounding: Rounding) -> Protocol[Vector]:
    divisor, dividend = yield from _operands(party, x, y, of=of, rounding=rounding)
    near = yield from quotient(
        party, dividend, divisor.scaled, bits=of.bits + 1, shift=0, precision=divisor.scaled.width
    )
    raised = yield from _floor(party, near, bits=of.bits + 2)
    whole = yield from multiply(party, raised, divisor.magnitude)
    rest = party.field.sub(dividend, whole)
    too_large = yield from less_than_zero(party, rest, bits=of.bits + 1)
    return party.field.sub(raised, too_large)


def _operands(
    party: Party, x: Vector, y: Vector, *, of: IntegerType, rounding: Rounding
) -> Protocol[tuple[Divisor, Vector]]:
    """The divisor as a magnitude, and the dividend with its sign, raised when it is to be rounded up."""
    field = party.field
    if rounding is Rounding.FLOOR or not of.signed:
        divisor = yield from normalised_divisor(party, y, of=of)
        return divisor, (yield from multiply(party, x, divisor.sign))
    divisor, below_zero = yield from together(
        party, normalised_divisor(party, y, of=of), negative(party, x, of=of)
    )
    dividend, opposite = yield from together(
        party, multiply(party, x, divisor.sign), logical_xor(party, below_zero, divisor.below_zero)
    )
    # rounding a negative quotient up: floor((x + |y| - 1) / |y|)
    less_one = field.add_constant(divisor.magnitude, -1)
    return divisor, field.add(dividend, (yield from multiply(party, opposite, less_one)))


def _floor(party: Party, near: Vector, *, bits: int) -> Protocol[Vector]:
    """floor(near + 1/2), for an approximation with quotient_fraction_bits of a quotient of `bits` bits."""
    kept = quotient_fraction_bits(party)
    raised = party.field.add_constant(near, 1 << (kept - 1))
    return (yield from shift_right_by(party, raised, bits=bits + kept + 1, power=kept))


# By a public integer


def divide_by(
    party: Party, x: Vector, *, divisor: int, of: IntegerType, rounding: Rounding = Rounding.FLOOR
) -> Protocol[Vector]:
    """The exact quotient of x by a public integer; raises ZeroDivisionError for 0."""
    if divisor == 0:
        raise ZeroDivisionError("a secret is divided by a public zero")
    return (yield from piecewise(party, _divide_by, x, divisor=divisor, of=of, rounding=rounding))


def remainder_by(
    party: Party, x: Vector, *, divisor: int, of: IntegerType, rounding: Rounding = Rounding.FLOOR
) -> Protocol[Vector]:
    """The exact remainder of x by a public integer; raises ZeroDivisionError for 0."""
    result = yield from divide_by(party, x, divisor=divisor, of=of, rounding=rounding)
    return party.field.combine([1, -divisor], [x, result])


def _divide_by(party: Party, x: Vector, *, divisor: int, of: IntegerType, rounding: Rounding) -> Protocol[Vector]:
    magnitude = abs(divisor)
    dividend = x if divisor > 0 else party.field.neg(x)
    if rounding is Rounding.ZERO and (of.signed or divisor < 0) and magnitude > 1:
        below_zero = yield from less_than_zero(party, dividend, bits=of.bits + 1)
        dividend = party.field.combine([1, magnitude - 1], [dividend, below_zero])
    bits = max(of.bits, magnitude.bit_length()) + 1
    if magnitude & (magnitude - 1) == 0:
        power = magnitude.bit_length() - 1
        return (yield from shift_right_by(party, dividend, bits=bits, power=power))
    return (yield from _divide_by_constant(party, dividend, magnitude=magnitude, bits=bits))


def _divide_by_constant(party: Party, x: Vector, *, magnitude: int, bits: int) -> Protocol[Vector]:
    """floor(x / magnitude) for |x| < 2^(bits-1), of a magnitude that is no power of two."""
    field, kept = party.field, quotient_fraction_bits(party)
    places = bits + 4
    near = field.scale(x, (1 << places) // magnitude)
    near = yield from truncate_loosely(party, near, bits=bits + places, power=places - kept)
    raised = yield from _floor(party, near, bits=bits + slack_bits(party))
    rest = field.combine([1, -magnitude], [x, raised])
    too_large = yield from less_than_zero(party, rest, bits=magnitude.bit_length() + 1)
    return field.sub(raised, too_large)
