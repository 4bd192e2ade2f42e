"""Bits and shifts against Python's integers."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.mpc import arithmetic as a

TYPES = [a.INT8, a.UINT8, a.INT16, a.UINT16, a.INT32, a.UINT32, a.INT64, a.UINT64]


def samples(kind):
    values = [kind.least, kind.least + 1, -2, -1, 0, 1, 2, 3, kind.most // 3, kind.most - 1, kind.most]
    return [value for value in values if kind.least <= value <= kind.most]


def logical(kind, x, amount):
    return kind.wrap((x % (1 << kind.bits)) >> amount)


def test_and_of_every_byte_with_every_third(three):
    values, some = list(range(-128, 128)), list(range(-128, 128, 3))
    x, y = [x for x in values for _ in some], some * len(values)
    assert three.compute(a.bit_and, x, y, of=a.INT8) == list(map(operator.and_, x, y))


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_logic_at_the_edges(three, kind):
    values = samples(kind)
    x, y = [x for x in values for _ in values], values * len(values)
    assert three.compute(a.bit_and, x, y, of=kind) == list(map(operator.and_, x, y))
    assert three.compute(a.bit_or, x, y, of=kind) == list(map(operator.or_, x, y))
    assert three.compute(a.bit_xor, x, y, of=kind) == list(map(operator.xor, x, y))
    inverted = [a.bit_not(party, own, of=kind) for party, own in zip(three.parties, three.share(x), strict=True)]
    assert three.open(inverted) == [kind.wrap(~value) for value in x]
    for mask in values:
        assert three.compute(a.bit_and_mask, values, mask=mask, of=kind) == [value & mask for value in values]


def test_a_mask_outside_the_type_is_refused(three):
    with pytest.raises(ValueError, match="outside int8"):
        three.compute(a.bit_and_mask, [1], mask=255, of=a.INT8)


@pytest.mark.parametrize("kind", [a.INT8, a.UINT8], ids=lambda kind: kind.name)
def test_every_byte(three, kind):
    values = list(range(kind.least, kind.most + 1))
    assert three.compute(a.parity, values, of=kind) == [value & 1 for value in values]
    assert three.compute(a.bit_count, values, of=kind) == [(value % 256).bit_count() for value in values]
    assert three.compute(a.bit_length, values, of=kind) == [value.bit_length() for value in values]
    rows = three.run(a.bits_of, three.share(values), of=kind)
    for place in range(8):
        assert three.open([row[place] for row in rows]) == [value >> place & 1 for value in values]


@pytest.mark.parametrize("kind", TYPES[2:], ids=lambda kind: kind.name)
def test_counts_at_the_edges(three, kind):
    values = samples(kind) + [1 << place for place in range(kind.bits - 1)]
    assert three.compute(a.bit_count, values, of=kind) == [(v % (1 << kind.bits)).bit_count() for v in values]
    assert three.compute(a.bit_length, values, of=kind) == [value.bit_length() for value in values]


@pytest.mark.parametrize("kind", [a.INT8, a.UINT8], ids=lambda kind: kind.name)
def test_every_byte_shifted_by_every_amount(three, kind):
    values = list(range(kind.least, kind.most + 1))
    for amount in range(8):
        left = three.compute(a.shift_left, values, amount=amount, of=kind)
        assert left == [kind.wrap(value << amount) for value in values]
        assert three.compute(a.shift_right, values, amount=amount, of=kind) == [v >> amount for v in values]
        moved = three.compute(a.shift_right_logical, values, amount=amount, of=kind)
        assert moved == [logical(kind, value, amount) for value in values]
    check_secret_shifts(three, kind, [v for v in values for _ in range(8)], list(range(8)) * len(values))


def check_secret_shifts(group, kind, x, amounts):
    rows = list(zip(x, amounts, strict=True))
    left = group.compute(a.shift_left_by_secret, x, amounts, of=kind)
    assert left == [kind.wrap(value << amount) for value, amount in rows]
    right = group.compute(a.shift_right_by_secret, x, amounts, of=kind)
    assert right == [value >> amount for value, amount in rows]
    moved = group.compute(a.shift_right_logical_by_secret, x, amounts, of=kind)
    assert moved == [logical(kind, value, amount) for value, amount in rows]


@pytest.mark.parametrize("kind", [*TYPES[2:], a.IntegerType(11, signed=True)], ids=lambda kind: kind.name)
def test_edges_shifted_by_secret_amounts(three, kind):
    values, amounts = samples(kind), [0, 1, kind.bits // 2, kind.bits - 1]
    check_secret_shifts(three, kind, [v for v in values for _ in amounts], amounts * len(values))


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(0, 63)), min_size=1, max_size=6))
def test_any_shift(committee, rows):
    check_secret_shifts(committee(3, 1), a.INT64, [x for x, _ in rows], [amount for _, amount in rows])


@pytest.mark.parametrize("operation", [a.shift_left, a.shift_right, a.shift_right_logical])
@pytest.mark.parametrize("amount", [-1, 8])
def test_amounts_outside_the_type_are_refused(three, operation, amount):
    with pytest.raises(ValueError, match="shift by 0 to 7"):
        three.compute(operation, [1], amount=amount, of=a.INT8)
