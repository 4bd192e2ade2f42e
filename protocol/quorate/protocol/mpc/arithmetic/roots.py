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
from quorate.protocol.mpc.compare import less_than_zero, to_bits
from quorate.protocol.mpc.compare import shift_right as shift_right_by
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import together

from .approximation import Polynomial, interpolate
from .costs import piecewise
from .integers import multiply_pairs
from .normalisation import leading_weight, suffix_or
from .number_types import IntegerType
from .polynomials import powers, weighted_sum
from .truncation import slack_bits, truncate_loosely

_DEGREE: Final = 3
_KEPT_BITS: Final = 5


@dataclass(frozen=True, slots=True)
class Halved:
    """A number brought to [2^(2 pairs - 2), 2^(2 pairs)) by factor^2, and the reverse: factor * reverse = 2^pairs.

    For zero, `value` and `factor` are those of one, and `reverse` is 0.
    """

    value: Vector = dataclasses.field(repr=False)
    factor: Vector = dataclasses.field(repr=False)
    reverse: Vector = dataclasses.field(repr=False)
    pairs: int


def halved(party: Party, rows: list[Vector]) -> Protocol[Halved]:
    """Normalise the number with these bits, lowest first, by the square of a power of two."""
    if len(rows) % 2:
        rows = [*rows, party.field.zeros(len(rows[0]))]
    marks = (yield from suffix_or(party, rows))[::2]
    pairs = len(marks)
    factors = [1 << (pairs - 1 - place) for place in range(pairs)]
    squares = [factor * factor for factor in factors]
    number = party.field.combine([1 << place for place in range(len(rows))], rows)
    square = leading_weight(party, marks, squares, otherwise=squares[0])
    factor = leading_weight(party, marks, factors, otherwise=factors[0])
    reverse = leading_weight(party, marks, [2 << place for place in range(pairs)], otherwise=0)
    value = yield from multiply(party, number, square)
    # zero is treated as one
    zero = party.field.add_constant(party.field.neg(marks[0]), 1)
    return Halved(party.field.combine([1, squares[0]], [value, zero]), factor, reverse, pairs)


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
        # R = 1/2 - G H; the sums below need 2 + R at the same place
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
    rows = (yield from to_bits(party, x, bits=of.signed_bits))[: of.magnitude_bits]
    number = yield from halved(party, rows)
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
    whole = field.combine([1 << place for place in range(len(rows))], rows)
    too_large = yield from less_than_zero(party, field.sub(whole, square), bits=pairs + 4)
    return field.sub(raised, too_large)


def fixed_root(
    party: Party, rows: list[Vector], *, fraction_bits: int, inverse: bool
) -> Protocol[tuple[Vector, int, int]]:
    """sqrt(x) or 1 / sqrt(x) of the fixed-point number with these bits: a product to be truncated.

    Returns it with the bits that bound it and the power to truncate it by; its relative error is
    2^-(len(rows)/2 + fraction_bits/2 + 5), or 2^-(3/2 fraction_bits + 5) for the inverse.
    """
    if fraction_bits % 2:  # a half power of two: take 2 x
        rows, fraction_bits = [party.field.zeros(len(rows[0])), *rows], fraction_bits + 1
        scale = (3 * fraction_bits - 2) // 2 if inverse else (fraction_bits - 2) // 2
    else:
        scale = 3 * fraction_bits // 2 if inverse else fraction_bits // 2
    number = yield from halved(party, rows)
    precision = (scale if inverse else number.pairs + scale) + 5
    fraction = root_fraction_bits(party, precision)
    root = yield from roots(party, number, precision=precision, inverse=inverse)
    product = yield from multiply(party, root, number.factor if inverse else number.reverse)
    bits, power = number.pairs + fraction + 3, fraction + (number.pairs if inverse else 0) - scale
    if power < 0:
        return party.field.scale(product, 1 << -power), bits - power, 0
    return product, bits, power
