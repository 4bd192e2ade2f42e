"""Square roots of secret numbers: the exact floor for integers, and the core of the fixed-point functions.

x is brought to C = x V^2 / 2^(2 M) in [1/4, 1) by a secret power of two V (see `normalisation`; bits in pairs, so
that the root of the factor is a power of two). A polynomial of degree 3 gives Y near 1 / sqrt(C), and one degree
more gives G = C Y near sqrt(C). Then, with H = Y / 2 [Goldschmidt 1964; Markstein 2004],
  R = 1/2 - G H,  G <- G + G R,  H <- H + H R
squares the error E = 1 - C Y^2 in each step: E' = E^2 (3 + E) / 4. sqrt(x) is G 2^M / V.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import less_than_zero
from quorate.protocol.mpc.compare import shift_right as shift_right_by
from quorate.protocol.mpc.logic import logical_not
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import together

from .approximation import Polynomial, interpolate
from .costs import piecewise
from .integers import multiply_pairs
from .normalisation import length_of
from .number_types import FixedType, IntegerType
from .polynomials import powers, weighted_sum
from .truncation import slack_bits, truncate_loosely

_DEGREE: Final = 3
_KEPT_BITS: Final = 5


@dataclass(frozen=True, slots=True)
class Halved:
    """A number, and `value` = number * factor^2 in [2^(2 pairs - 2), 2^(2 pairs)); factor * reverse = 2^pairs.

    For zero, `value` and `factor` are those of one, and `reverse` is 0.
    """

    number: Vector = dataclasses.field(repr=False)
    value: Vector = dataclasses.field(repr=False)
    factor: Vector = dataclasses.field(repr=False)
    reverse: Vector = dataclasses.field(repr=False)
    pairs: int


def halved(party: Party, x: Vector, *, bits: int, signed: bool, odd: bool = False) -> Protocol[Halved]:
    """Normalise x, or 2 x if `odd`, by the square of a power of two; without the sign bit of a signed type."""
    field = party.field
    length = yield from length_of(party, x, bits=bits, signed=signed, pairs=True, odd=odd)
    zero = logical_not(party, length.nonzero)
    number = field.combine([1, 1 << (bits - 1)], [x, length.sign]) if signed else x
    factor = field.combine([1, -1 << (length.width - 1)], [length.factor, zero])
    square = yield from multiply(party, factor, factor)
    value = yield from multiply(party, field.scale(field.add(number, zero), 2 if odd else 1), square)
    return Halved(number, value, factor, field.sub(length.reverse, zero), length.width)


@lru_cache(maxsize=1)
def _first_guess() -> Polynomial:
    return interpolate(lambda value: 1 / value.sqrt(), Fraction(1, 4), Fraction(1), degree=_DEGREE)


@lru_cache(maxsize=64)
def root_steps(precision: int) -> int:
    """How many steps bring the relative error of the root that is left below 2^-(precision + 1)."""
    guess = _first_guess()
    error = max(abs(1 - point * guess.at(point) ** 2) for point in guess.points(257)) * Fraction(33, 32)
    steps = 0
    # the root's relative error is half the error of its square
    while error >= Fraction(1, 1 << precision):
        error, steps = error * error * (3 + error) / 4, steps + 1
    return steps


def root_fraction_bits(party: Party, precision: int) -> int:
    """The bits of fraction that keep all errors of truncation below 2^-(precision + 1)."""
    return precision + 1 + (8 * (root_steps(precision) + 4)).bit_length() + slack_bits(party)


def roots(party: Party, number: Halved, *, precision: int, inverse: bool) -> Protocol[Vector]:
    """sqrt(C), or 1 / sqrt(C) if `inverse`, with root_fraction_bits of fraction; relative error 2^-precision."""
    fraction = root_fraction_bits(party, precision)
    value = yield from _with_fraction(party, number.value, width=2 * number.pairs, fraction=fraction)
    root, half = yield from _guesses(party, value, fraction)
    for step in range(steps := root_steps(precision)):
        product = yield from multiply(party, root, half)
        # 1 + R = 3/2 - G H
        near = yield from truncate_loosely(party, product, bits=2 * fraction + 2, power=fraction)
        factor = party.field.add_constant(party.field.neg(near), 3 << (fraction - 1))
        wanted = [root, half] if step + 1 < steps else [half if inverse else root]
        products = yield from multiply_pairs(party, *((factor, entry) for entry in wanted))
        cut = yield from together(
            party, *(truncate_loosely(party, entry, bits=2 * fraction + 3, power=fraction) for entry in products)
        )
        root, half = cut if len(cut) == 2 else (cut[0], cut[0])
    return party.field.scale(half, 2) if inverse else root


def _with_fraction(party: Party, value: Vector, *, width: int, fraction: int) -> Protocol[Vector]:
    if width <= fraction:
        return party.field.scale(value, 1 << (fraction - width))
    return (yield from truncate_loosely(party, value, bits=width + 1, power=width - fraction))


def _guesses(party: Party, value: Vector, fraction: int) -> Protocol[tuple[Vector, Vector]]:
    """G and H: the polynomial times C, and its half."""
    guess = _first_guess()
    centred = party.field.add_constant(value, -int(guess.centre * (1 << fraction)))
    known = yield from powers(party, centred, degree=_DEGREE + 1, fraction=fraction)
    inverse_root = [coefficient / 2 for coefficient in guess.coefficients]
    # (centre + T) P(T)
    root = [
        guess.centre * low + high
        for low, high in zip([*guess.coefficients, Fraction(0)], [Fraction(0), *guess.coefficients], strict=True)
    ]
    sums = [weighted_sum(party, known, part, fraction=fraction) for part in (root, inverse_root)]
    root_sum, half_sum = yield from together(
        party, *(truncate_loosely(party, entry, bits=2 * fraction + 3, power=fraction) for entry in sums)
    )
    return root_sum, half_sum


def integer_square_root(party: Party, x: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """floor(sqrt(x)), exactly; of a negative x it is meaningless, so test the sign where it may be.

    (Meaningless is: the root of x + 2^(bits-1). Nothing leaks.)
    """
    return (yield from piecewise(party, _integer_square_root, x, of=of))


def _integer_square_root(party: Party, x: Vector, *, of: IntegerType) -> Protocol[Vector]:
    field = party.field
    number = yield from halved(party, x, bits=of.bits, signed=of.signed)
    pairs, kept = number.pairs, slack_bits(party) + _KEPT_BITS
    precision = pairs + 3
    fraction = root_fraction_bits(party, precision)
    root = yield from roots(party, number, precision=precision, inverse=False)
    product = yield from multiply(party, root, number.reverse)
    near = yield from truncate_loosely(party, product, bits=pairs + fraction + 2, power=fraction - kept)
    # the error is below 1/2, so that this is the root or one more
    raised = yield from shift_right_by(
        party, field.add_constant(near, 1 << (kept - 1)), bits=pairs + kept + 3, power=kept
    )
    square = yield from multiply(party, raised, raised)
    too_large = yield from less_than_zero(party, field.sub(number.number, square), bits=pairs + 4)
    return field.sub(raised, too_large)


def fixed_root(party: Party, x: Vector, *, of: FixedType, inverse: bool) -> Protocol[tuple[Vector, int, int]]:
    """sqrt(x) or 1 / sqrt(x) in units of the type: a product to be truncated.

    Returns it with the bits that bound it and the power to truncate it by; the error is at most 2^-5 units.
    """
    odd = of.fraction_bits % 2 == 1  # a half power of two is left: take 2 x
    # sqrt(x / u) is sqrt(2^odd x) 2^scale, and sqrt(1 / (x u^3)) is 2^scale / sqrt(2^odd x), for the unit u
    scale = ((3 * of.fraction_bits + odd) if inverse else (of.fraction_bits - odd)) // 2
    number = yield from halved(party, x, bits=of.bits, signed=True, odd=odd)
    precision = (scale if inverse else number.pairs + scale) + 5
    fraction = root_fraction_bits(party, precision)
    root = yield from roots(party, number, precision=precision, inverse=inverse)
    product = yield from multiply(party, root, number.factor if inverse else number.reverse)
    bits, power = number.pairs + fraction + 3, fraction + (number.pairs if inverse else 0) - scale
    if power < 0:
        return party.field.scale(product, 1 << -power), bits - power, 0
    return product, bits, power
