from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254
from quorate.protocol.mpc import ABORT, PASSIVE, Plan, less_than_plan, preprocess, set_up
from quorate.protocol.mpc.data import (
    MAX_ROWS,
    argsort,
    median,
    network_sort,
    quantile,
    rank,
    sort,
    sort_plan,
    sort_rows,
    top,
)
from quorate.protocol.mpc.data.network import comparators, layers

METHODS = ["radix", "quicksort", "network"]
LOW, HIGH = -(2**15), 2**15 - 1
CASES = [
    [],
    [7],
    [2, 1],
    [1, 2],
    [5, 5],
    [HIGH, LOW, 0],
    [3, 1, 2, 1, 3, 3, -1],
    [4] * 9,
    list(range(-8, 9)),
    list(range(8, -9, -1)),
    [LOW, HIGH, LOW, HIGH, -1, 0, 1],
]


def expected_order(values, descending):
    return sorted(range(len(values)), key=lambda row: -values[row] if descending else values[row])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("descending", [False, True])
def test_every_method_sorts_stably(three, method, descending):
    for values in CASES:
        options = {"bits": 16, "descending": descending, "method": method}
        order = expected_order(values, descending)
        assert three.compute(sort, values, **options) == [values[row] for row in order]
        assert three.compute(argsort, values, **options) == order
        places = three.compute(rank, values, **options)
        assert [order[place] for place in places] == list(range(len(values)))


@pytest.mark.parametrize("method", METHODS)
def test_rows_follow_their_keys(three, method):
    keys = [3, -1, 3, 0, -1, 2**40, 3]
    names = [10, 11, 12, 13, 14, 15, 16]
    shares = [three.share(column) for column in (keys, names, [-name for name in names])]

    def moved(party, key, one, other):
        return sort_rows(party, key, [one, other], bits=42, method=method)

    columns = zip(*three.run(moved, *shares), strict=True)
    order = expected_order(keys, False)
    opened = [three.open(list(column)) for column in columns]
    assert opened == [[table[row] for row in order] for table in (keys, names, [-name for name in names])]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.lists(st.integers(-16, 15), max_size=24), st.sampled_from(METHODS), st.booleans())
def test_any_list(committee, values, method, descending):
    group = committee(3, 1, seed=len(values))
    assert group.compute(argsort, values, bits=5, method=method, descending=descending) == expected_order(
        values, descending
    )


@pytest.mark.parametrize("method", METHODS)
def test_five_parties(committee, method):
    values = [int(value) for value in np.random.default_rng(5).integers(-99, 100, 30)]
    assert committee(5, 2).compute(sort, values, bits=8, method=method) == sorted(values)


def test_one_party(committee):
    assert committee(1, 0).compute(sort, [3, 1, 2], bits=4) == [1, 2, 3]


def test_every_scheme_sorts(under_scheme):
    values = [3, -4, 3, 0, 7, -8, 1]
    assert under_scheme.compute(sort, values, bits=4) == sorted(values)
    assert under_scheme.compute(argsort, values, bits=4, descending=True) == expected_order(values, True)


@pytest.mark.parametrize("method", ["radix", "quicksort"])
def test_methods_that_shuffle_refuse_schemes_without_a_fast_shuffle(elementary, method):
    with pytest.raises(ValueError, match="elementary scheme has no fast shuffle"):
        elementary.compute(sort, [2, 1], bits=4, method=method)


@pytest.mark.parametrize("method", METHODS)
def test_malicious_security_with_abort(committee, method):
    group = committee(3, 1)
    for party in group.parties:
        party.scheme = ABORT
    values = [3, -4, 3, 0, 7, -8, 1, 5, 5]
    assert group.compute(argsort, values, bits=4, method=method) == expected_order(values, False)


def test_a_committee_of_many_sets(committee):
    group = committee(11, 5)
    assert group.compute(sort, [2, 1, 0, 1], bits=4) == [0, 1, 1, 2]


def test_top_and_quantiles(three):
    values = [4, 9, -3, 9, 0, 7]
    assert three.open([row[0] for row in three.run(top, three.share(values), count=3, bits=6)]) == [9, 9, 7]

    def names(party, keys, column):
        return (yield from top(party, keys, [column], count=2, bits=6))[1]

    assert three.compute(names, values, [0, 1, 2, 3, 4, 5]) == [1, 3]
    assert three.compute(median, values, bits=6) == [4]
    assert three.compute(median, [5], bits=6) == [5]
    for numerator in range(5):
        place = max(0, -(-numerator * len(values) // 4) - 1)
        assert three.compute(quantile, values, numerator=numerator, denominator=4, bits=6) == [
            sorted(values)[place]
        ]


@pytest.mark.parametrize(
    ("operation", "values", "options"),
    [
        (top, [1, 2], {"count": 3}),
        (top, [1, 2], {"count": -1}),
        (median, [], {}),
        (quantile, [1], {"numerator": 2, "denominator": 1}),
        (quantile, [1], {"numerator": 0, "denominator": 0}),
        (sort, [1, 2], {"method": "bogo"}),
    ],
)
def test_what_cannot_be_asked(three, operation, values, options):
    with pytest.raises(ValueError, match=r"largest|quantile|no sort"):
        three.run(operation, three.share(values), bits=4, **options)


def test_tables_are_checked(three):
    with pytest.raises(ValueError, match="one length"):
        next(sort_rows(three.first, BN254.zeros(3), [BN254.zeros(2)], bits=4))
    with pytest.raises(ValueError, match="rows"):
        next(sort(three.first, BN254.zeros(MAX_ROWS + 1), bits=4))


@pytest.mark.parametrize("rows", range(18))
def test_the_network_sorts_every_sequence_of_zeros_and_ones(rows):
    """The zero-one principle: a network that sorts these sorts everything."""
    cases = np.array([[number >> row & 1 for row in range(rows)] for number in range(1 << min(rows, 12))])
    if rows > 12:
        cases = np.random.default_rng(rows).integers(0, 2, (4096, rows))
    for lower, upper in layers(rows):
        assert len({*lower.tolist(), *upper.tolist()}) == 2 * len(lower)
        low, high = cases[:, lower].copy(), cases[:, upper].copy()
        cases[:, lower], cases[:, upper] = np.minimum(low, high), np.maximum(low, high)
    assert (np.diff(cases, axis=1) >= 0).all()


def test_the_size_of_the_network():
    assert [comparators(rows) for rows in (0, 1, 2, 3, 4, 8, 16)] == [0, 0, 1, 3, 5, 19, 63]


@pytest.mark.parametrize(("method", "scheme"), [("radix", PASSIVE), ("network", PASSIVE), ("radix", ABORT)])
def test_a_plan_is_what_sorting_takes(three, method, scheme):
    for party in three.parties:
        party.scheme = scheme
    plan = sort_plan(three.first, 13, bits=8, method=method)
    three.run(set_up)
    three.run(preprocess, plan)
    three.run(sort, three.share(range(13)), bits=8, method=method)
    assert all(party.pool.stock == Plan() for party in three.parties)


def test_the_plan_of_a_quicksort_is_an_average(three):
    plan = sort_plan(three.first, 64, bits=8, method="quicksort")
    assert (
        less_than_plan(200, 14, three.first.kappa).total
        < plan.total
        < less_than_plan(700, 14, three.first.kappa).total
    )


def test_the_rounds_of_a_radix_sort_do_not_depend_on_the_rows(committee):
    rounds = set()
    for rows in (2, 9, 200):
        group = committee(3, 1)
        group.run(preprocess, sort_plan(group.first, rows, bits=13))
        before = group.first.statistics.rounds
        group.compute(sort, list(range(rows)), bits=13)
        rounds.add(group.first.statistics.rounds - before)
    assert len(rounds) == 1


def test_the_keys_of_a_network_are_its_first_column(three):
    def both(party, keys, column):
        return (yield from network_sort(party, keys, [column], bits=5))[0]

    assert three.compute(both, [3, -2, 9], [1, 1, 1]) == [-2, 3, 9]
