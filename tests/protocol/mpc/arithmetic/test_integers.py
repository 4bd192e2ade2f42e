"""Wrapping, powers, and what types take."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254
from quorate.protocol.mpc import arithmetic as a

TYPES = [a.INT8, a.INT16, a.INT32, a.INT64, a.UINT8, a.UINT16, a.UINT32, a.UINT64, a.BOOL]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_wrap_is_reduction_into_the_type(three, kind):
    top = 1 << (2 * kind.bits)
    values = [0, 1, -1, kind.least, kind.most, kind.least - 1, kind.most + 1, top, -top, top - 1, 3 * kind.most]
    wrapped = three.compute(a.wrap, values, of=kind, bits=2 * kind.bits + 2)
    assert wrapped == [kind.wrap(value) for value in values]
    for value, result in zip(values, wrapped, strict=True):
        assert kind.least <= result <= kind.most
        assert (value - result) % (1 << kind.bits) == 0
    inside = [int(kind.least <= value <= kind.most) for value in values]
    assert three.compute(a.fits, values, of=kind, bits=2 * kind.bits + 2) == inside


def test_a_product_wraps_as_machine_integers_do(three):
    x, y = [2**63 - 1, -(2**63), 3037000500], [2**63 - 1, -(2**63), 3037000500]

    def product(party, x, y):
        (value,) = yield from a.multiply_pairs(party, (x, y))
        return (yield from a.wrap(party, value, of=a.INT64, bits=129))

    assert three.compute(product, x, y) == [1, 0, 3037000500**2 - 2**64]


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 7, 8, 15])
def test_public_powers(three, exponent):
    values = [0, 1, -1, 2, -3, 1000]
    assert three.compute(a.power, values, exponent=exponent) == [value**exponent for value in values]


def test_a_power_takes_few_rounds(three):
    cost = a.cost_of(three.first, a.power, 1, exponent=1000)
    assert cost.rounds == 10
    assert cost.plan.is_empty


def test_secret_powers(three):
    kind = a.IntegerType(4, signed=False)
    x = [x for x in (0, 1, -1, 2, -3, 255) for _ in range(16)]
    y = list(range(16)) * 6
    assert three.compute(a.power_by_secret, x, y, of=kind) == [u**v for u, v in zip(x, y, strict=True)]


def test_exponents_that_may_be_negative_are_refused(three):
    with pytest.raises(ValueError, match="negative"):
        three.compute(a.power, [2], exponent=-1)
    with pytest.raises(ValueError, match="unsigned"):
        three.compute(a.power_by_secret, [2], [1], of=a.INT8)


def test_sums_of_rows(three):
    shares = three.share([1, 2, 3, 4, 5, 6])
    sums = [a.row_sums(party, own, length=3) for party, own in zip(three.parties, shares, strict=True)]
    assert three.open(sums) == [6, 15]


# Types


@pytest.mark.parametrize(("bits", "signed"), [(0, False), (1, True), (129, True), (-8, False)])
def test_widths_that_are_no_type(bits, signed):
    with pytest.raises(ValueError, match="integer type has"):
        a.IntegerType(bits, signed)


@pytest.mark.parametrize(("bits", "fraction"), [(3, 1), (32, 0), (32, 31), (129, 8)])
def test_widths_that_are_no_fixed_type(bits, fraction):
    with pytest.raises(ValueError, match="fixed-point type has"):
        a.FixedType(bits, fraction)


def test_ranges():
    assert (a.INT8.least, a.INT8.most, a.UINT8.least, a.UINT8.most) == (-128, 127, 0, 255)
    assert (a.BOOL.least, a.BOOL.most) == (0, 1)
    assert (a.INT64.name, a.UINT8.name, a.FIX64.name) == ("int64", "uint8", "fix64.16")
    assert (a.FIX32.least, a.FIX32.most) == (-32768, 32768 - Fraction(1, 65536))
    assert a.INT8.check([-128, 127]) == [-128, 127]
    with pytest.raises(ValueError, match="value number 1 is outside int8"):
        a.INT8.check([0, 128])


def test_numbers_become_integers_and_back():
    assert a.FIX64.encode([1.5, -0.25, Fraction(1, 3), 0]) == [98304, -16384, 21845, 0]
    half = Fraction(1, 2**17)
    assert a.FIX64.encode([half, 3 * half, -half]) == [0, 2, 0]
    assert a.FIX64.decode([98304, -1]) == [Fraction(3, 2), Fraction(-1, 65536)]
    assert a.FIX64.decode_floats([98304]) == [1.5]


@pytest.mark.parametrize("value", [32768.0, -32768.1, 1e300, float("inf"), float("nan")])
def test_numbers_outside_a_type_are_refused(value):
    with pytest.raises(ValueError, match="value number 1"):
        a.FIX32.encode([0.0, value])


def test_integers_outside_a_fixed_type_are_refused():
    with pytest.raises(ValueError, match="outside int32"):
        a.FIX32.decode([2**31])


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(-(2**63), 2**63 - 1))
def test_decoding_undoes_encoding(value):
    assert a.FIX64.encode(a.FIX64.decode([value])) == [value]


# Truncations


def test_loose_truncation_is_too_large_by_less_than_the_slack(committee):
    for parties, threshold in ((3, 1), (5, 2), (1, 0)):
        group = committee(parties, threshold)
        values = list(range(-300, 300)) * 3
        results = group.compute(a.truncate_loosely, values, bits=20, power=4)
        errors = {result - value // 16 for value, result in zip(values, results, strict=True)}
        assert errors <= set(range(a.slack(group.first) + 1))
        assert len(errors) > 1


def test_probabilistic_truncation_is_one_of_two_neighbours_and_right_on_the_average(three):
    values = [5] * 4000 + list(range(-500, 500))
    results = three.compute(a.truncate, values, bits=12, power=4)
    assert all(result - value // 16 in (0, 1) for value, result in zip(values, results, strict=True))
    assert all(result == value // 16 for value, result in zip(values, results, strict=True) if value % 16 == 0)
    # 5/16 of 4000, give or take six standard deviations
    assert 1250 - 180 < sum(results[:4000]) < 1250 + 180


def test_nearest_and_close_truncation(committee):
    group = committee(5, 2)
    values = list(range(-70000, 70000, 11))
    nearest = group.compute(a.truncate_nearest, values, bits=20, power=9)
    assert nearest == [(value + 256) >> 9 for value in values]
    close = group.compute(a.truncate_closely, values, bits=20, power=9)
    assert all(abs(c - Fraction(value, 512)) <= Fraction(9, 16) for c, value in zip(close, values, strict=True))


@pytest.mark.parametrize("operation", [a.truncate, a.truncate_loosely, a.truncate_nearest, a.truncate_closely])
def test_truncations_that_cannot_be(three, operation):
    assert three.compute(operation, [5, -5], bits=8, power=0) == [5, -5]
    for power in (-1, 8):
        with pytest.raises(ValueError, match=f"truncation of {power} bits"):
            three.compute(operation, [5], bits=8, power=power)
    with pytest.raises(ValueError, match="take a narrower type"):
        three.compute(operation, [5], bits=BN254.modulus.bit_length() - 40, power=3)
