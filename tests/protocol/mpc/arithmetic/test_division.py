"""Exact division and roots, against Python's integers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.mpc import arithmetic as a
from quorate.protocol.mpc.passive import Passive

TYPES = [a.INT16, a.UINT16, a.INT32, a.UINT32, a.INT64, a.UINT64]


def toward_zero(x, y):
    return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)


EXPECTED = {a.Rounding.FLOOR: lambda x, y: x // y, a.Rounding.ZERO: toward_zero}


def quotients(x, y, rounding):
    return [EXPECTED[rounding](u, v) if v else 0 for u, v in zip(x, y, strict=True)]


def edges(kind):
    values = {kind.least, kind.least + 1, kind.most - 1, kind.most, -10, -3, -1, 0, 1, 3, 7, 10, 1000}
    for power in (1, 2, kind.bits // 2, kind.bits - 2, kind.bits - 1):
        values |= {sign * (1 << power) + step for sign in (-1, 1) for step in (-1, 0, 1)}
    return sorted(value for value in values if kind.least <= value <= kind.most)


SLOW = [
    pytest.param(a.INT8, a.Rounding.ZERO, id="int8-zero", marks=pytest.mark.slow),
    pytest.param(a.UINT8, a.Rounding.FLOOR, id="uint8-floor", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("kind", "rounding"), [pytest.param(a.INT8, a.Rounding.FLOOR, id="int8-floor"), *SLOW])
def test_every_pair_of_bytes(three, kind, rounding):
    values = list(range(kind.least, kind.most + 1))
    x, y = [value for value in values for _ in values], values * len(values)
    assert three.compute(a.divide, x, y, of=kind, rounding=rounding) == quotients(x, y, rounding)


@pytest.mark.parametrize("kind", [a.INT8, a.UINT8], ids=lambda kind: kind.name)
def test_bytes_rounded_to_zero(three, kind):
    x, y = list(range(kind.least, kind.most + 1, 5)), list(range(kind.least, kind.most + 1, 3))
    x, y = [value for value in x for _ in y], y * len(x)
    assert three.compute(a.divide, x, y, of=kind, rounding=a.Rounding.ZERO) == quotients(x, y, a.Rounding.ZERO)


@pytest.mark.parametrize("rounding", list(a.Rounding))
@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_edges_of_every_type(three, kind, rounding):
    values = edges(kind)
    x, y = [x for x in values for _ in values], values * len(values)
    results = three.run(a.divide_with_remainder, three.share(x), three.share(y), of=kind, rounding=rounding)
    expected = quotients(x, y, rounding)
    assert three.open([quotient for quotient, _ in results]) == expected
    rests = [u - q * v for u, v, q in zip(x, y, expected, strict=True)]
    assert three.open([rest for _, rest in results]) == rests
    assert three.compute(a.remainder, x, y, of=kind, rounding=rounding) == rests


def test_exact_multiples_and_their_neighbours(three):
    """Quotients of full width, where an approximation is nearest to the wrong side."""
    x, y = [], []
    for divisor in (1, 2, 3, 5, 2**31 - 1, 2**31 + 1, 2**32 - 1, 6700417, 2**62 + 1):
        for multiple in (1, (2**63 - 1) // divisor, (2**63 - 1) // divisor // 2 + 1):
            for step in (-1, 0, 1):
                if divisor * multiple + step < 2**63:
                    x.append(divisor * multiple + step)
                    y.append(divisor)
    for sign in (-1, 1):
        turned = [sign * divisor for divisor in y]
        assert three.compute(a.divide, x, turned, of=a.INT64) == quotients(x, turned, a.Rounding.FLOOR)
    assert three.compute(a.divide, x, y, of=a.UINT64) == quotients(x, y, a.Rounding.FLOOR)


WIDE = st.integers(0, 63).flatmap(lambda power: st.integers(-(1 << power), (1 << power) - 1))


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.lists(st.tuples(WIDE, WIDE), min_size=1, max_size=20), st.sampled_from(list(a.Rounding)))
def test_any_division(committee, pairs, rounding):
    x, y = [u for u, _ in pairs], [v for _, v in pairs]
    assert committee(3, 1).compute(a.divide, x, y, of=a.INT64, rounding=rounding) == quotients(x, y, rounding)


@pytest.mark.parametrize("parties", [(5, 2), (7, 3)])
def test_larger_committees(committee, parties):
    values = edges(a.INT64)
    x, y = [x for x in values for _ in values], values * len(values)
    assert committee(*parties).compute(a.divide, x, y, of=a.INT64) == quotients(x, y, a.Rounding.FLOOR)


class WithoutBytes(Passive):
    """A scheme that does not compute on bytes, and so keeps all bits in the prime field."""

    @property
    def computes_on_bytes(self):
        return False


@pytest.mark.parametrize("kind", [a.INT8, a.INT64, a.UINT64, a.IntegerType(13, signed=True)], ids=lambda k: k.name)
def test_without_bytes(three, kind):
    for party in three.parties:
        party.scheme = WithoutBytes()
    values = edges(kind)[::2]
    x, y = [x for x in values for _ in values], values * len(values)
    assert three.compute(a.divide, x, y, of=kind) == quotients(x, y, a.Rounding.FLOOR)
    assert three.compute(a.bit_and, x, y, of=kind) == [u & v for u, v in zip(x, y, strict=True)]
    assert three.compute(a.bit_length, values, of=kind) == [value.bit_length() for value in values]
    roots = [value for value in values if value >= 0]
    assert three.compute(a.integer_square_root, roots, of=kind) == list(map(math.isqrt, roots))


def test_validity(three):
    for kind in (a.INT64, a.UINT64):
        assert three.compute(a.division_valid, edges(kind), of=kind) == [int(y != 0) for y in edges(kind)]


# By public integers


@pytest.mark.parametrize("rounding", list(a.Rounding))
@pytest.mark.parametrize("kind", [a.INT8, a.UINT8], ids=lambda kind: kind.name)
def test_every_byte_by_every_byte(three, kind, rounding):
    values = list(range(kind.least, kind.most + 1))
    for divisor in [d for d in range(-130, 300, 61) if d] + [1, 2, 3, -1, 127, 128, -128, 255, 256, 1000]:
        expected = [EXPECTED[rounding](x, divisor) for x in values]
        assert three.compute(a.divide_by, values, divisor=divisor, of=kind, rounding=rounding) == expected


@pytest.mark.parametrize("rounding", list(a.Rounding))
@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_edges_by_public_divisors(three, kind, rounding):
    values = edges(kind)
    for divisor in (1, -1, 3, -3, 10, 64, 1000003, kind.most, kind.most + 1, -(1 << 63), 1 << 70):
        expected = [EXPECTED[rounding](x, divisor) for x in values]
        assert three.compute(a.divide_by, values, divisor=divisor, of=kind, rounding=rounding) == expected
        rests = [x - divisor * q for x, q in zip(values, expected, strict=True)]
        assert three.compute(a.remainder_by, values, divisor=divisor, of=kind, rounding=rounding) == rests


def test_a_public_zero_is_refused(three):
    for operation in (a.divide_by, a.remainder_by):
        with pytest.raises(ZeroDivisionError):
            three.compute(operation, [1], divisor=0, of=a.INT8)


def test_a_public_divisor_is_far_cheaper(three):
    by_public = a.cost_of(three.first, a.divide_by, 1, divisor=10, of=a.INT64)
    by_secret = a.cost_of(three.first, a.divide, 1, 1, of=a.INT64)
    assert 5 * by_public.products < by_secret.products
    assert by_public.rounds < 10 < by_secret.rounds < 50


# Roots


@pytest.mark.parametrize("kind", [a.INT8, a.UINT8, *TYPES], ids=lambda kind: kind.name)
def test_integer_square_roots(three, kind):
    if kind.bits == 8:
        values = list(range(kind.most + 1))
    else:
        top = math.isqrt(kind.most)
        roots = {1, 2, 3, top, top - 1, top // 2, top // 3, 1 << (top.bit_length() - 1), 255 % top}
        values = sorted({root * root + step for root in roots for step in (-1, 0, 1)} | set(edges(kind)))
        values = [value for value in values if 0 <= value <= kind.most]
    assert three.compute(a.integer_square_root, values, of=kind) == [math.isqrt(value) for value in values]


def test_a_root_of_a_negative_number_is_that_of_its_low_bits(three):
    assert three.compute(a.integer_square_root, [-100, -128], of=a.INT8) == [math.isqrt(28), 0]


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 64).flatmap(lambda power: st.integers(0, (1 << power) - 1)), min_size=1, max_size=20)
)
def test_any_root(committee, values):
    assert committee(3, 1).compute(a.integer_square_root, values, of=a.UINT64) == list(map(math.isqrt, values))
