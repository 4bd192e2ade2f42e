"""Sine and cosine of secret fixed-point angles, by quarter turns.

y = 2 x / pi is split in quarter turns k and a rest u in [-1/8, 9/8]: a loose truncation to a few bits tells k, whose
last two bits tell the quarter, and near which it is enough to be. The sine of a quarter is u P(u^2) for a polynomial
P; where k is odd, it is taken at 1 - u, and where k is 2 or 3 mod 4 its sign changes. A cosine is one quarter ahead.

The constant 2 / pi has enough bits for the greatest angle of the type, so that the error does not grow with x.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import modulo_power, to_bits
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import together

from . import approximation
from .costs import piecewise
from .functions import inner_fraction_bits, polynomial_for
from .integers import multiply_pairs
from .number_types import FixedType
from .polynomials import evaluate
from .truncation import slack_bits, truncate_closely, truncate_loosely

_SQUARE_RANGE: Final = (Fraction(0), Fraction(3, 2))
"""u^2 for u in [-1/8, 9/8], and some room."""


def sine(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """sin x, x in radians; the error is below 0.6 units in the last place."""
    return (yield from piecewise(party, _turned, x, of=of, quarters=0))


def cosine(party: Party, x: Vector, *, of: FixedType) -> Protocol[Vector]:
    """cos x, x in radians; the error is below 0.6 units in the last place."""
    return (yield from piecewise(party, _turned, x, of=of, quarters=1))


def _turned(party: Party, x: Vector, *, of: FixedType, quarters: int) -> Protocol[Vector]:
    """The sine of x and some quarter turns more."""
    field, inner = party.field, inner_fraction_bits(party, of)
    rest, odd, opposite = yield from _quarters(party, x, of=of, quarters=quarters)
    # 1 - u where k is odd
    mirrored = field.combine([-2], [rest])
    mirrored = yield from multiply(party, odd, field.add_constant(mirrored, 1 << inner))
    angle = field.add(rest, mirrored)
    square, negated = yield from multiply_pairs(party, (angle, angle), (opposite, angle))
    signed = field.combine([1, -2], [angle, negated])
    square = yield from truncate_loosely(party, square, bits=2 * inner + 2, power=inner)
    polynomial = polynomial_for(approximation.quarter_sine, *_SQUARE_RANGE, inner)
    total = yield from evaluate(party, polynomial, square, fraction=inner)
    slope = yield from truncate_loosely(party, total, bits=2 * inner + 3, power=inner)
    product = yield from multiply(party, slope, signed)
    return (yield from truncate_closely(party, product, bits=2 * inner + 3, power=2 * inner - of.fraction_bits))


def _quarters(party: Party, x: Vector, *, of: FixedType, quarters: int) -> Protocol[tuple[Vector, Vector, Vector]]:
    """The rest of x in quarter turns, with the inner bits of fraction, and the last two bits of their number."""
    field, inner, kept = party.field, inner_fraction_bits(party, of), slack_bits(party) + 3
    places = of.bits - of.fraction_bits + inner
    fraction, bits = of.fraction_bits + places, of.bits + places
    turns = field.scale(x, round((1 << places) * 2 / approximation.pi()))
    turns = field.add_constant(turns, quarters << fraction)
    near, fine = yield from together(
        party,
        truncate_loosely(party, turns, bits=bits + 1, power=fraction - kept),
        truncate_loosely(party, turns, bits=bits + 1, power=fraction - inner),
    )
    last = yield from modulo_power(party, near, bits=bits + 2 - fraction + kept, power=kept + 2)
    rows = yield from to_bits(party, last, bits=kept + 3)
    below = field.combine([1 << place for place in range(kept)], rows[:kept])
    whole = field.scale(field.sub(near, below), field.inverse(1 << kept))
    return field.combine([1, -1 << inner], [fine, whole]), rows[kept], rows[kept + 1]
