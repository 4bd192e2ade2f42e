"""Public polynomials at secret points: all powers in logarithmic depth, then a sum with public weights.

A number with F bits of fraction is an integer in units of 2^-F; truncations are loose, and their errors add up
below (number of powers) slack times the sum of the coefficients, in those units.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from quorate.protocol.field import Vector
from quorate.protocol.mpc.batches import join
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol

from .approximation import Polynomial
from .truncation import truncate_loosely


def powers(party: Party, x: Vector, *, degree: int, fraction: int) -> Protocol[list[Vector]]:
    """x, x^2, ..., x^degree for |x| <= 1, all with `fraction` bits of fraction: 2 ceil(log2(degree)) rounds."""
    known, count = [x], len(x)
    while len(known) < degree:
        more = min(len(known), degree - len(known))
        top = join(party.field, [known[-1]] * more)
        products = yield from multiply(party, top, join(party.field, known[:more]))
        cut = yield from truncate_loosely(party, products, bits=2 * fraction + 2, power=fraction)
        known += [cut[part * count : (part + 1) * count] for part in range(more)]
    return known


def weighted_sum(
    party: Party, known: Sequence[Vector], coefficients: Sequence[Fraction], *, fraction: int
) -> Vector:
    """coefficients[0] + the sum of coefficients[k] x^k, with twice `fraction` bits of fraction."""
    weights = [round(coefficient * (1 << fraction)) for coefficient in coefficients]
    total = party.field.combine(weights[1:], known[: len(weights) - 1])
    return party.field.add_constant(total, weights[0] << fraction)


def evaluate(party: Party, polynomial: Polynomial, x: Vector, *, fraction: int) -> Protocol[Vector]:
    """polynomial(x) with twice `fraction` bits of fraction, for x with `fraction` of them in its interval.

    The interval is at most 2 wide, and the polynomial not constant.
    """
    centred = party.field.add_constant(x, -int(polynomial.centre * (1 << fraction)))
    known = yield from powers(party, centred, degree=polynomial.degree, fraction=fraction)
    return weighted_sum(party, known, polynomial.coefficients, fraction=fraction)
