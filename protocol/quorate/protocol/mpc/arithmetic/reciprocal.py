"""Reciprocals of normalised secret numbers, and quotients made of them [Goldschmidt 1964].

For C in [1/2, 1], the line W = 48/17 - 32/17 C is near 1/C: the error E = 1 - C W is at most 1/17. Then
1/C = W (1 + E) (1 + E^2) (1 + E^4) ..., and after k factors the product lacks the relative error 17^-(2^k). The
two products of a step, the square of the error and the next factor, go in the same round, and so do their loose
truncations. Errors of truncation add up, and get a few more bits of fraction.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

from quorate.protocol.field import Vector
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.room import require_room
from quorate.protocol.mpc.rounds import together

from .integers import multiply_pairs
from .truncation import slack_bits, truncate_loosely

_LINE_BITS: Final = 16
"""The bits of fraction of the line's coefficients."""
_CONSTANT: Final = round(48 * (1 << _LINE_BITS) / 17)
_SLOPE: Final = round(32 * (1 << _LINE_BITS) / 17)


@dataclass(frozen=True, slots=True)
class Scaled:
    """A normalised divisor: `value` = divisor * factor in [2^(width-1), 2^width]."""

    value: Vector = dataclasses.field(repr=False)
    factor: Vector = dataclasses.field(repr=False)
    width: int


def steps_for(precision: int) -> int:
    """How many factors bring the relative error that is left below 0.4 * 2^-precision."""
    steps = 1
    # the rounded coefficients make the first error at most 1/16.99
    while 2 * 1699 ** (1 << steps) < 5 * (1 << precision) * 100 ** (1 << steps):
        steps += 1
    return steps


def reciprocal_fraction_bits(party: Party, precision: int) -> int:
    """The bits of fraction that keep all errors of truncation below 2^-5 * 2^-precision."""
    return precision + 5 + (2 * (steps_for(precision) + 3)).bit_length() + slack_bits(party)


def reciprocal(party: Party, value: Vector, *, width: int, precision: int) -> Protocol[Vector]:
    """2^F 2^width / value, for `value` in [2^(width-1), 2^width] and F = reciprocal_fraction_bits.

    The relative error is below (0.4 + 2^-5) 2^-precision; in all 3 + 2 steps_for(precision) rounds, or 1 more.
    """
    fraction, steps = reciprocal_fraction_bits(party, precision), steps_for(precision)
    number = yield from _with_fraction(party, value, width=width, fraction=fraction)
    square = yield from multiply(party, number, number)
    scale = 1 << (fraction + _LINE_BITS)
    line = party.field.add_constant(party.field.scale(number, -_SLOPE), _CONSTANT << fraction)
    wide = party.field.combine([_SLOPE, -_CONSTANT << fraction], [square, number])
    wide = party.field.add_constant(wide, scale << fraction)
    error = yield from truncate_loosely(party, wide, bits=2 * fraction + _LINE_BITS, power=fraction + _LINE_BITS)
    result, extra = line, _LINE_BITS
    for step in range(steps):
        factor = party.field.add_constant(error, 1 << fraction)
        pairs = [(result, factor)] + ([(error, error)] if step + 1 < steps else [])
        products = yield from multiply_pairs(party, *pairs)
        cuts = [truncate_loosely(party, products[0], bits=2 * fraction + extra + 3, power=fraction + extra)]
        if step + 1 < steps:
            cuts.append(truncate_loosely(party, products[1], bits=2 * fraction + 1, power=fraction))
        result, *errors = yield from together(party, *cuts)
        error, extra = (errors[0] if errors else error), 0
    return result


def _with_fraction(party: Party, value: Vector, *, width: int, fraction: int) -> Protocol[Vector]:
    if width <= fraction:
        return party.field.scale(value, 1 << (fraction - width))
    return (yield from truncate_loosely(party, value, bits=width + 2, power=width - fraction))


def quotient_fraction_bits(party: Party) -> int:
    """The bits of fraction of `quotient`."""
    return slack_bits(party) + 5


def quotient(
    party: Party, x: Vector, divisor: Scaled, *, bits: int, shift: int, precision: int
) -> Protocol[Vector]:
    """x 2^shift / divisor with quotient_fraction_bits of fraction, for |x| < 2^(bits-1).

    The error is below 0.4 + 1/8 while the quotient is below 2^precision. What is masked stays in its bounds for
    greater quotients, too: those are imprecise, and no leak. Raises ValueError when the field has too few bits.
    """
    guard, kept = slack_bits(party) + 6, quotient_fraction_bits(party)
    fraction = reciprocal_fraction_bits(party, precision)
    require_room(party, bits + shift + guard + fraction + 3)
    inverse, aligned = yield from together(
        party,
        reciprocal(party, divisor.value, width=divisor.width, precision=precision),
        _aligned(party, x, divisor, bits=bits, power=divisor.width - shift - guard),
    )
    product = yield from multiply(party, inverse, aligned)
    return (
        yield from truncate_loosely(
            party, product, bits=bits + shift + guard + fraction + 3, power=guard + fraction - kept
        )
    )


def _aligned(party: Party, x: Vector, divisor: Scaled, *, bits: int, power: int) -> Protocol[Vector]:
    """x times the divisor's factor, over 2^power."""
    product = yield from multiply(party, x, divisor.factor)
    if power <= 0:
        return party.field.scale(product, 1 << -power)
    return (yield from truncate_loosely(party, product, bits=bits + divisor.width, power=power))
