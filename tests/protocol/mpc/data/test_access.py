from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254
from quorate.protocol.mpc import Plan, preprocess, set_up, to_bits
from quorate.protocol.mpc.data import (
    MAX_ROWS,
    access_plan,
    find,
    find_plan,
    lookup,
    lookup_bits,
    one_hot,
    one_hot_places,
    place_bits,
    prefix_products,
    prefix_sums,
    read,
    swap,
    write,
)
from quorate.protocol.mpc.data import places as places_module


@pytest.mark.parametrize("entries", [1, 2, 3, 4, 5, 16, 33])
def test_reading_every_place(three, entries):
    array = [100 + 7 * place for place in range(entries)]
    assert three.compute(read, array, list(range(entries))) == array
    assert three.compute(lambda party, places: lookup_one(party, array, places), list(range(entries))) == array


def lookup_one(party, table, places):
    return (yield from lookup(party, [table], places))[0]


def test_access_under_every_scheme(under_scheme):
    array = [5, -1, 0, 9, 2**60, 7]
    assert under_scheme.compute(read, array, [4, 1, 1, 5]) == [2**60, -1, -1, 7]
    assert under_scheme.compute(write, array, [3], [8]) == [5, -1, 0, 8, 2**60, 7]
    assert under_scheme.compute(lambda party, places: lookup_one(party, array, places), [2, 4]) == [0, 2**60]


def test_places_outside_read_nothing(three):
    """Up to the next power of two a place outside reads 0; beyond, its low bits count."""
    assert three.compute(read, [1, 2, 3, 4, 5], [5, 6, 7, 8]) == [0, 0, 0, 1]
    assert three.compute(write, [1, 2, 3, 4, 5], [7], [9]) == [1, 2, 3, 4, 5]


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.data())
def test_reads_follow_writes(committee, data):
    entries = data.draw(st.integers(1, 20))
    array = data.draw(st.lists(st.integers(-9, 9), min_size=entries, max_size=entries))
    place = data.draw(st.integers(0, entries - 1))

    def both(party, x, position, value):
        changed = yield from write(party, x, position, value)
        return np.concatenate([changed, (yield from read(party, changed, position))])

    group = committee(3, 1, seed=entries)
    expected = [*array[:place], 77, *array[place + 1 :]]
    assert group.compute(both, array, [place], [77]) == [*expected, 77]


def test_accesses_in_pieces(three, monkeypatch):
    monkeypatch.setattr(places_module, "MAX_INNER", 4)
    array, places = [10, 20, 30, 40, 50], [4, 3, 2, 1, 0, 0, 4, 2, 2]
    assert three.compute(read, array, places) == [array[place] for place in places]
    tables = [array, [-entry for entry in array]]
    columns = zip(*three.run(lambda party, x: lookup(party, tables, x), three.share(places)), strict=True)
    assert [three.open(list(column)) for column in columns] == [
        [table[place] for place in places] for table in tables
    ]


def test_nothing_to_read(three):
    assert three.compute(read, [1, 2, 3], []) == []


def test_several_tables_at_once(three):
    tables = [[place * place for place in range(10)], [-place for place in range(10)]]
    columns = zip(
        *three.run(lambda party, places: lookup(party, tables, places), three.share([9, 0, 3])), strict=True
    )
    assert [three.open(list(column)) for column in columns] == [[81, 0, 9], [-9, 0, -3]]


@pytest.mark.parametrize("tables", [[], [[1, 2], [1]]])
def test_tables_must_have_one_length(three, tables):
    with pytest.raises(ValueError, match="tables of one length"):
        next(lookup(three.first, tables, BN254.zeros(1)))


def test_bits_must_reach_all_entries(three):
    with pytest.raises(ValueError, match="do not reach"):
        three.run(lambda party, x: lookup_bits(party, [[1] * 9], [x, x, x]), three.share([0]))


@pytest.mark.parametrize("bits", range(1, 8))
def test_one_hot_vectors(three, bits):
    values = list(range(2**bits))

    def chosen(party, x):
        rows = yield from to_bits(party, x, bits=bits + 1)
        return (yield from one_hot(party, rows[:bits])).reshape(-1, BN254.limbs)

    assert three.compute(chosen, values) == np.eye(2**bits, dtype=int).reshape(-1).tolist()


def test_a_one_hot_vector_costs_few_products(three):
    shares = three.share([1])
    three.run(set_up)
    before = three.first.statistics.multiplications
    three.run(lambda party, x: one_hot(party, [x] * 4), shares)
    assert three.first.statistics.multiplications - before == 1 + 1 + 9


def test_one_hot_places(three):
    rows = three.run(one_hot_places, three.share([2, 0]), entries=3)
    assert rows[0].shape == (3, 2, BN254.limbs)
    assert three.open([row.reshape(-1, BN254.limbs) for row in rows]) == [0, 1, 0, 0, 1, 0]
    with pytest.raises(ValueError, match="more than"):
        next(one_hot_places(three.first, BN254.zeros(100), entries=MAX_ROWS))
    with pytest.raises(ValueError, match="1 to 20 bits"):
        next(one_hot(three.first, []))


def test_an_oblivious_read_costs_about_three_square_roots(three):
    three.run(preprocess, access_plan(1, 1024, three.first.kappa))
    three.run(set_up)
    shares, place = three.share(range(1024)), three.share([700])
    before = three.first.statistics.multiplications
    three.run(read, shares, place)
    assert three.first.statistics.multiplications - before < 3 * 32 + 10 * 8
    assert three.first.pool.stock == Plan()


@pytest.mark.parametrize(("entries", "bits"), [(0, 2), (4, 2), (5, 3), (1024, 10), (1025, 11)])
def test_bits_of_places(entries, bits):
    assert place_bits(entries) == bits


def test_bounds(three):
    with pytest.raises(ValueError, match="at most"):
        place_bits(MAX_ROWS + 1)
    for place, value in ((2, 1), (1, 2)):
        with pytest.raises(ValueError, match="one value at one place"):
            next(write(three.first, BN254.zeros(4), BN254.zeros(place), BN254.zeros(value)))
    with pytest.raises(ValueError, match="find one value"):
        next(find(three.first, BN254.zeros(4), BN254.zeros(2), bits=8))
    with pytest.raises(ValueError, match="cannot be exchanged"):
        next(swap(three.first, BN254.zeros(1), [BN254.zeros(1)], []))


def test_swapping(three):
    def exchanged(party, condition, x, y):
        (left,), (right,) = yield from swap(party, condition, [x], [y])
        return np.concatenate([left, right])

    assert three.compute(exchanged, [1, 0], [10, 11], [20, 21]) == [20, 11, 10, 21]


@pytest.mark.parametrize(
    ("array", "value", "expected"),
    [([], 3, [0, 0]), ([3], 3, [1, 0]), ([4], 3, [0, 1]), ([1, 3, 5, 3, 3], 3, [1, 1]), ([0] * 7, 1, [0, 7])],
)
def test_finding(three, array, value, expected):
    def both(party, x, wanted):
        return np.concatenate((yield from find(party, x, wanted, bits=16)))

    three.run(preprocess, find_plan(len(array), bits=16, kappa=three.first.kappa))
    three.run(set_up)
    assert three.compute(both, array, [value]) == expected
    assert three.first.pool.stock == Plan()


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 18, 100, 300])
def test_prefix_sums(count):
    values = [7 * place - 50 for place in range(count)]
    sums = BN254.to_small(prefix_sums(BN254, BN254.vector(values)))
    assert sums.tolist() == np.cumsum(values).astype(int).tolist()


@pytest.mark.parametrize("values", [[], [3], [2, -1], [1, 2, 3, 4, 5, 6, 7], [1] * 9])
def test_prefix_products(three, values):
    assert three.compute(prefix_products, values) == np.cumprod(values).astype(int).tolist()
