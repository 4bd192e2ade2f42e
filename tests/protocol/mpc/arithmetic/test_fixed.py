"""Fixed point: products, quotients, roots and conversions, against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.mpc import arithmetic as a
from quorate.protocol.mpc import schemes

LONG = a.FixedType(64, 32)
ODD = a.FixedType(24, 7)
TYPES = [a.FIX32, a.FIX64, LONG, ODD]


def names(kind):
    return getattr(kind, "name", None)


def values_of(kind, seed=7):
    """Powers of two and their neighbours, both signs, the ends, and some numbers in between."""
    values = {kind.integer.least, kind.integer.most, 0}
    for power in range(kind.bits - 1):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        values |= {(1 << power) + step for step in (-1, 0, 1)} | {(1 << power) + seed % (1 << power)}
    values |= {-value for value in values}
    return sorted(value for value in values if kind.integer.least <= value <= kind.integer.most)


def in_range(kind, exact):
    return kind.integer.least <= exact <= kind.integer.most


def worst(results, exact):
    return max(abs(result - wanted) for result, wanted in zip(results, exact, strict=True))


def pairs_with(kind, operation):
    """Pairs of values whose exact result, in units, is in the type; of a part of them."""
    values = values_of(kind)[::7]
    table = [(x, y) for x in values for y in values]
    kept = [(x, y) for x, y in table if (r := operation(x, y)) is not None and in_range(kind, r)]
    return [x for x, _ in kept], [y for _, y in kept], [operation(x, y) for x, y in kept]


@pytest.mark.parametrize("kind", TYPES, ids=names)
def test_products(three, kind):
    x, y, exact = pairs_with(kind, lambda x, y: x * y * kind.unit)
    assert worst(three.compute(a.fixed_multiply, x, y, of=kind), exact) < 1
    floor = three.compute(a.fixed_multiply, x, y, of=kind, truncation=a.Truncation.FLOOR)
    assert floor == [value.numerator // value.denominator for value in exact]
    nearest = three.compute(a.fixed_multiply, x, y, of=kind, truncation=a.Truncation.NEAREST)
    assert nearest == [(value + Fraction(1, 2)).__floor__() for value in exact]


def test_a_product_takes_one_round_more_than_a_multiplication(three):
    assert a.cost_of(three.first, a.fixed_multiply, 1, 1, of=a.FIX64).rounds == 2


@pytest.mark.parametrize("truncation", list(a.Truncation))
def test_public_factors(three, truncation):
    values = [value for value in values_of(a.FIX64) if abs(value) < 2**60]
    (factor,) = a.FIX64.encode([-2.75])
    results = three.compute(a.fixed_scale, values, factor=factor, of=a.FIX64, truncation=truncation)
    assert worst(results, [Fraction(-11, 4) * value for value in values]) < 1
    with pytest.raises(ValueError, match="outside int64"):
        three.compute(a.fixed_scale, values, factor=1 << 64, of=a.FIX64)


@pytest.mark.parametrize("truncation", list(a.Truncation))
def test_inner_and_matrix_products_are_truncated_once(three, truncation):
    x, y = a.FIX64.encode([0.1, -2.5, 1000.7, 0.3, 8.25, -0.9]), a.FIX64.encode([7.7, 0.01, -3.3, 55.5, 1.1, 0.2])
    results = three.compute(a.fixed_inner_products, x, y, length=3, of=a.FIX64, truncation=truncation)
    exact = [sum(x[i] * y[i] for i in range(start, start + 3)) * a.FIX64.unit for start in (0, 3)]
    assert worst(results, exact) < 1
    results = three.compute(a.fixed_matrix_product, x, y, inner=3, of=a.FIX64, truncation=truncation)
    exact = [
        sum(x[3 * row + k] * y[2 * k + column] for k in range(3)) * a.FIX64.unit
        for row in range(2)
        for column in range(2)
    ]
    assert worst(results, exact) < 1


@pytest.mark.parametrize("kind", TYPES, ids=names)
def test_quotients(three, kind):
    x, y, exact = pairs_with(kind, lambda x, y: Fraction(x, y) / kind.unit if y else None)
    assert worst(three.compute(a.fixed_divide, x, y, of=kind), exact) < Fraction(103, 100)


@pytest.mark.parametrize("kind", TYPES, ids=names)
def test_reciprocals(three, kind):
    values = [value for value in values_of(kind) if value and in_range(kind, 1 / kind.unit**2 / value)]
    results = three.compute(a.reciprocal_of, values, of=kind)
    assert worst(results, [1 / kind.unit**2 / value for value in values]) < Fraction(103, 100)


def test_division_by_zero_gives_zero(three):
    x = [a.FIX64.integer.least, -1, 0, 1, a.FIX64.integer.most]
    assert three.compute(a.fixed_divide, x, [0] * 5, of=a.FIX64) == [0] * 5
    assert three.compute(a.reciprocal_of, [0], of=a.FIX64) == [0]


FINE = 1 << 80


@pytest.mark.parametrize("kind", TYPES, ids=names)
def test_square_roots(three, kind):
    values = [value for value in values_of(kind) if value >= 0]
    # the root of x / unit, in units, with 80 more bits
    exact = [Fraction(isqrt(int(value / kind.unit) * FINE**2), FINE) for value in values]
    assert worst(three.compute(a.fixed_square_root, values, of=kind), exact) < Fraction(6, 10)


@pytest.mark.parametrize("kind", TYPES, ids=names)
def test_reciprocal_square_roots(three, kind):
    values = [value for value in values_of(kind) if value > 0]
    exact = [Fraction(isqrt(int(1 / kind.unit**3) * FINE**2 // value), FINE) for value in values]
    assert worst(three.compute(a.reciprocal_square_root, values, of=kind), exact) < Fraction(6, 10)


@pytest.mark.parametrize("operation", [a.fixed_square_root, a.reciprocal_square_root, a.logarithm])
def test_bits_in_the_prime_field_give_the_same(three, committee, operation):
    """The abort scheme does not compute on bytes; results are rounded from almost the same approximations."""
    values = [value for value in values_of(ODD)[::2] if value >= 0]
    group = committee(3, 1)
    for party in group.parties:
        party.scheme = schemes["abort"]
    assert not group.first.scheme.computes_on_bytes
    results = group.compute(operation, values, of=ODD)
    assert worst(results, three.compute(operation, values, of=ODD)) <= 1


def test_the_reciprocal_root_of_zero_is_that_of_the_smallest_number(three):
    assert three.compute(a.reciprocal_square_root, [0, 1], of=a.FIX64) == [2**24, 2**24]
    assert three.compute(a.fixed_square_root, [0], of=a.FIX64) == [0]


@pytest.mark.parametrize("kind", TYPES, ids=names)
def test_conversions(three, kind):
    values = values_of(kind)
    assert three.compute(a.fixed_floor, values, of=kind) == [int(x * kind.unit // 1) for x in values]
    half = Fraction(1, 2)
    assert three.compute(a.fixed_round, values, of=kind) == [(x * kind.unit + half).__floor__() for x in values]
    shares = three.share([-3, 0, 7])
    whole = [a.fixed_from_integer(party, own, of=kind) for party, own in zip(three.parties, shares, strict=True)]
    assert three.open(whole) == kind.encode([-3, 0, 7])


def test_from_one_type_to_another(three):
    values = a.FIX64.encode([1.5, -0.00001, 100.0, -1.0])
    assert three.compute(a.fixed_convert, values, of=a.FIX64, to=LONG) == [value << 16 for value in values]
    back = [value << 16 for value in values]
    assert three.compute(a.fixed_convert, [value + 32767 for value in back], of=LONG, to=a.FIX64) == values
    assert three.compute(a.fixed_convert, [value - 32768 for value in back], of=LONG, to=a.FIX64) == values


NUMBER = st.integers(0, 40).flatmap(lambda power: st.integers(-(1 << power), 1 << power))


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.lists(st.tuples(NUMBER, NUMBER.filter(bool)), min_size=1, max_size=20))
def test_any_quotient(committee, pairs):
    x, y = [u for u, _ in pairs], [v for _, v in pairs]
    exact = [Fraction(u, v) * 2**16 for u, v in pairs]
    assert worst(committee(3, 1).compute(a.fixed_divide, x, y, of=a.FIX64), exact) < Fraction(103, 100)
