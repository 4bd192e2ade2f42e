from __future__ import annotations

import operator
from math import ceil, log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import Vector
from quorate.protocol.mpc import (
    PASSIVE,
    Plan,
    batches,
    bits_to_integer,
    compare,
    dual_items,
    equal,
    equal_plan,
    less_than,
    less_than_plan,
    less_than_zero,
    less_than_zero_plan,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    modulo_power,
    preprocess,
    select,
    set_up,
    shift_right,
    to_bits,
    to_bits_plan,
)
from quorate.protocol.mpc.compare import MAX_COMPARED_BITS

LOW, HIGH = -(2**63), 2**63 - 1
EDGES = [LOW, LOW + 1, -(2**32), -2, -1, 0, 1, 2, 2**32 - 1, HIGH - 1, HIGH]
PAIRS = [(x, y) for x in EDGES for y in EDGES]
SIZES = [(1, 0), (3, 1), (4, 1), (5, 2), (7, 3)]
INT64 = st.one_of(st.sampled_from(EDGES), st.integers(LOW, HIGH))


@pytest.fixture(scope="module", params=[True, False], ids=["bytes", "field"], autouse=True)
def on_bytes(request):
    """Every test runs over GF(2^8), and in the prime field as under a scheme that does not compute on bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(PASSIVE), "computes_on_bytes", request.param)
        yield request.param


def columns(pairs):
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_int64_edges(committee, parties, threshold):
    group = committee(parties, threshold)
    x, y = columns(PAIRS)
    assert group.compute(less_than, x, y, bits=64) == [int(a < b) for a, b in PAIRS]
    assert group.compute(equal, x, y, bits=64) == [int(a == b) for a, b in PAIRS]


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.tuples(INT64, INT64), min_size=1, max_size=8), st.integers(0, 1000))
def test_any_int64(committee, pairs, seed):
    group = committee(3, 1, seed=seed)
    x, y = columns(pairs)
    assert group.compute(less_than, x, y, bits=64) == [int(a < b) for a, b in pairs]
    assert group.compute(equal, x, y, bits=64) == [int(a == b) for a, b in pairs]


@pytest.mark.parametrize("bits", range(1, 8))
def test_every_value_of_a_small_width(three, bits):
    values = list(range(-(2 ** (bits - 1)), 2 ** (bits - 1)))
    assert three.compute(less_than_zero, values, bits=bits) == [int(value < 0) for value in values]
    for power in range(bits):
        assert three.compute(modulo_power, values, bits=bits, power=power) == [v % 2**power for v in values]
        assert three.compute(shift_right, values, bits=bits, power=power) == [v >> power for v in values]
    assert three.compute(equal, values, [0] * len(values), bits=bits) == [int(value == 0) for value in values]
    rows = three.run(to_bits, three.share(values), bits=bits)
    again = [bits_to_integer(three.parties[i], row, signed=True) for i, row in enumerate(rows)]
    assert three.open(again) == values
    table = [three.open([row[place] for row in rows]) for place in range(bits)]
    assert {bit for line in table for bit in line} <= {0, 1}


def test_bits_of_int64(three):
    rows = three.run(to_bits, three.share(EDGES), bits=64)
    table = [three.open([row[place] for row in rows]) for place in range(64)]
    for index, value in enumerate(EDGES):
        assert [line[index] for line in table] == [value >> place & 1 for place in range(64)]


@pytest.mark.parametrize("bits", [66, 128, MAX_COMPARED_BITS])
def test_wide_integers(three, bits):
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    assert three.compute(less_than_zero, [low, high, 0, -1, 1], bits=bits) == [1, 0, 0, 1, 0]


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@pytest.mark.parametrize("power", [1, 2, 31, 63])
def test_remainders_of_int64(committee, parties, threshold, power):
    group = committee(parties, threshold)
    assert group.compute(modulo_power, EDGES, bits=64, power=power) == [value % 2**power for value in EDGES]
    assert group.compute(shift_right, EDGES, bits=64, power=power) == [value >> power for value in EDGES]


def test_unsigned_integers_can_be_equal(three):
    top = 2**64 - 1
    assert three.compute(equal, [top, top, 0], [top, 0, top], bits=64) == [1, 0, 0]


def rounds_of(group, operation, *inputs, plan: Plan, **options) -> int:
    shares = [group.share(values) for values in inputs]
    group.run(set_up)
    group.run(preprocess, plan)
    before = group.first.statistics.rounds
    group.run(operation, *shares, **options)
    assert group.first.pool.stock.is_empty
    return group.first.statistics.rounds - before


@pytest.mark.parametrize("batch", [1, 50])
@pytest.mark.parametrize("bits", [8, 32, 64])
def test_rounds_do_not_depend_on_the_batch_and_plans_are_exact(committee, on_bytes, bits, batch):
    x = [0] * batch
    taken = rounds_of(committee(3, 1), less_than_zero, x, plan=less_than_zero_plan(batch, bits, 40), bits=bits)
    assert taken == 1 + ceil(log2(ceil((bits - 1) / 2))) + on_bytes
    taken = rounds_of(committee(3, 1), less_than, x, x, plan=less_than_plan(batch, bits, 40), bits=bits)
    assert taken == ceil(log2(bits)) + on_bytes
    taken = rounds_of(committee(3, 1), equal, x, x, plan=equal_plan(batch, bits, 40), bits=bits)
    assert taken == ({8: 4, 32: 6, 64: 7} if on_bytes else {8: 1 + 3, 32: 2 + 3, 64: 2 + 3})[bits]
    taken = rounds_of(committee(3, 1), to_bits, x, plan=to_bits_plan(batch, bits, 40), bits=bits)
    assert taken == 2 + ceil(log2(bits - 1)) - on_bytes


def test_preprocessing_takes_two_rounds_for_three_parties(three):
    three.run(set_up)
    three.run(preprocess, Plan(bits=1000, integers={41: 10, 73: 5}, shares=20))
    assert three.first.statistics.rounds == 1 + 2


def test_a_batch_beyond_the_bound_is_cut(three, monkeypatch):
    monkeypatch.setattr(compare, "MAX_ROUND_ELEMENTS", 256)
    monkeypatch.setattr(batches, "MAX_ROUND_ELEMENTS", 256)
    monkeypatch.setattr(compare, "MAX_TABLE_BYTES", 256)
    monkeypatch.setattr(dual_items, "MAX_STEP_BYTES", 256)
    x, y = columns(PAIRS[:30])
    assert three.compute(less_than, x, y, bits=64) == list(map(int, map(operator.lt, x, y)))
    rows = three.run(to_bits, three.share(x), bits=64)
    assert three.open([bits_to_integer(three.parties[i], row, signed=True) for i, row in enumerate(rows)]) == x


def test_empty_batches(three):
    empty = three.share([])
    for operation in (less_than_zero, lambda party, x, bits: equal(party, x, x, bits=bits)):
        assert all(len(row) == 0 for row in three.run(operation, empty, bits=32))
    assert all([len(bit) for bit in row] == [0] * 8 for row in three.run(to_bits, empty, bits=8))


@pytest.mark.parametrize("bits", [0, MAX_COMPARED_BITS + 1, 250])
def test_widths_that_do_not_fit_are_refused(three, bits):
    x: list[Vector] = three.share([1])
    for operation in (less_than_zero, to_bits):
        with pytest.raises(ValueError, match="bits"):
            three.run(operation, x, bits=bits)


def test_a_high_kappa_leaves_less_room(three):
    for party in three.parties:
        party.kappa = 120
    assert three.compute(less_than_zero, [-5, 5], bits=120) == [1, 0]
    with pytest.raises(ValueError, match="kappa 120"):
        three.compute(less_than_zero, [-5, 5], bits=140)


def test_a_remainder_wider_than_the_integer_is_refused(three):
    with pytest.raises(ValueError, match="remainder"):
        three.run(modulo_power, three.share([1]), bits=8, power=8)


def test_logic(three):
    x, y = [0, 0, 1, 1], [0, 1, 0, 1]
    assert three.compute(logical_and, x, y) == [0, 0, 0, 1]
    assert three.compute(logical_or, x, y) == [0, 1, 1, 1]
    assert three.compute(logical_xor, x, y) == [0, 1, 1, 0]
    shares = three.share(x)
    assert three.open([logical_not(three.parties[i], row) for i, row in enumerate(shares)]) == [1, 1, 0, 0]
    assert three.compute(select, x, [10, 20, 30, 40], [-1, -2, -3, -4]) == [-1, -2, 30, 40]


def test_bits_to_integer_reads_both_kinds(three):
    rows = [three.share([1]), three.share([0]), three.share([1])]
    for signed, expected in ((False, 5), (True, -3)):
        joined = [
            bits_to_integer(party, [row[i] for row in rows], signed=signed)
            for i, party in enumerate(three.parties)
        ]
        assert three.open(joined) == [expected]
