from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254
from quorate.protocol.mpc import Plan, preprocess, set_up
from quorate.protocol.mpc.data import (
    bring_forward,
    count_categories,
    count_distinct,
    distinct,
    group_sums,
    histogram,
    histogram_plan,
    left_join,
    places,
)

KEYS = [3, -1, 3, 7, -1, 3, 0]
AMOUNTS = [10, 20, 30, 40, 50, 60, 70]


def opened_groups(group, keys, *columns, bits=8):
    def whole(party, x, *others):
        found = yield from group_sums(party, x, others, bits=bits)
        return np.concatenate([found.valid, found.keys, found.sizes, *found.sums, found.count])

    opened = group.compute(whole, keys, *columns)
    rows = np.array(opened[:-1], dtype=object).reshape(3 + len(columns), len(keys)).tolist()
    return rows, opened[-1]


def expected_groups(keys, amounts):
    names = sorted(set(keys))
    fill = [0] * (len(keys) - len(names))
    sizes = Counter(keys)
    totals = {name: sum(a for key, a in zip(keys, amounts, strict=True) if key == name) for name in names}
    rows = [[1] * len(names), names, [sizes[name] for name in names], [totals[name] for name in names]]
    return [row + fill for row in rows], len(names)


def test_groups_under_every_scheme(under_scheme):
    assert opened_groups(under_scheme, KEYS, AMOUNTS) == expected_groups(KEYS, AMOUNTS)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(-8, 7), st.integers(-100, 100)), max_size=16))
def test_any_groups(committee, rows):
    keys, amounts = [row[0] for row in rows], [row[1] for row in rows]
    group = committee(3, 1, seed=len(rows))
    assert opened_groups(group, keys, amounts, bits=4) == expected_groups(keys, amounts)


@pytest.mark.parametrize("values", [[], [4], [4, 4], [1, 2, 1, 3, 2, 1]])
def test_distinct_values(three, values):
    names = sorted(set(values))
    fill = [0] * (len(values) - len(names))
    assert three.compute(count_distinct, values, bits=8) == [len(names)]

    def both(party, x):
        return np.concatenate((yield from distinct(party, x, bits=8)))

    assert three.compute(both, values) == names + fill + [1] * len(names) + fill


def test_chosen_rows_come_first(three):
    def moved(party, chosen, x):
        return (yield from bring_forward(party, chosen, [x]))[0]

    assert three.compute(moved, [0, 1, 1, 0, 1], [1, 2, 3, 4, 5]) == [2, 3, 5, 1, 4]


@pytest.mark.parametrize("categories", [1, 2, 3, 4, 7, 20])
def test_categories(three, categories):
    values = [place * place % categories for place in range(23)]
    assert three.compute(count_categories, values, categories=categories) == [
        values.count(category) for category in range(categories)
    ]
    assert three.compute(count_categories, [], categories=categories) == [0] * categories


def test_counts_in_pieces(three, monkeypatch):
    monkeypatch.setattr(places, "MAX_INNER", 4)
    values = [0, 1, 2, 2, 2, 1, 0, 2, 2]
    assert three.compute(count_categories, values, categories=3) == [2, 2, 5]


def test_histograms_under_every_scheme(under_scheme):
    values = [-5, -1, 0, 3, 3, 4, 7, 100]
    edges = [-4, 0, 4, 8]
    counts = np.histogram(values[:-1], edges)[0].tolist()
    assert under_scheme.compute(histogram, values, edges=edges, bits=8) == counts
    assert under_scheme.compute(count_categories, [0, 2, 2, 1], categories=3) == [1, 1, 2]


def test_a_histogram_of_nothing(three):
    assert three.compute(histogram, [], edges=[0, 1, 2], bits=8) == [0, 0]


def test_the_plan_of_a_histogram(three):
    three.run(preprocess, histogram_plan(5, 3, bits=8, kappa=three.first.kappa))
    three.run(set_up)
    three.compute(histogram, [1, 2, 3, 4, 5], edges=[0, 3, 9], bits=8)
    assert three.first.pool.stock == Plan()


@pytest.mark.parametrize("edges", [[], [1], [2, 1], [1, 1], [0, 128], [-129, 0], list(range(5000))])
def test_bad_edges(three, edges):
    with pytest.raises(ValueError, match="edges"):
        next(histogram(three.first, BN254.zeros(1), edges=edges, bits=8))


def test_too_many_comparisons(three):
    with pytest.raises(ValueError, match="comparisons"):
        next(histogram(three.first, BN254.zeros(1 << 17), edges=list(range(64)), bits=8))


def test_no_categories(three):
    with pytest.raises(ValueError, match="at least one category"):
        next(count_categories(three.first, BN254.zeros(1), categories=0))


def joined(group, left, right, column, bits=8):
    def whole(party, x, y, z):
        matched, columns = yield from left_join(party, x, y, [z], bits=bits)
        return np.concatenate([matched, columns[0]])

    opened = group.compute(whole, left, right, column)
    return opened[: len(left)], opened[len(left) :]


def expected_join(left, right, column):
    table = dict(zip(right, column, strict=True))
    return [int(key in table) for key in left], [table.get(key, 0) for key in left]


def test_joins_under_every_scheme(under_scheme):
    left, right, column = [5, 1, 0, 5, -128, 127], [1, 5, 9, -128], [11, 55, 99, -7]
    assert joined(under_scheme, left, right, column) == expected_join(left, right, column)


@pytest.mark.parametrize(("left", "right"), [([], [1]), ([1], []), ([0], [0]), ([0, 0], [1]), ([3], [3, 3])])
def test_small_joins(three, left, right):
    column = [10 + place for place in range(len(right))]
    assert joined(three, left, right, column) == expected_join(left, right, column)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.lists(st.integers(-8, 7), max_size=10), st.lists(st.integers(-8, 7), max_size=10, unique=True))
def test_any_join(committee, left, right):
    column = [place - 4 for place in range(len(right))]
    assert joined(committee(3, 1, seed=len(left)), left, right, column, bits=4) == expected_join(
        left, right, column
    )


def test_a_join_without_columns(three):
    def matches(party, x, y):
        return (yield from left_join(party, x, y, [], bits=8))[0]

    assert three.compute(matches, [1, 2, 3], [3, 1]) == [1, 0, 1]
