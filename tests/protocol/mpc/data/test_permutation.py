from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from quorate.protocol.field import BN254
from quorate.protocol.mpc import data, open_shares
from quorate.protocol.mpc.data import apply, compose, gather, invert, quicksort, radix, shuffle, sort
from quorate.protocol.mpc.data.resharing import MAX_STEPS, agree_on_common_seeds, permute, permute_back

GENEROUS = 60.0
"""For up to 23 degrees of freedom, exceeded with probability below 10^-4; the seeds are fixed."""


def first_column(operation):
    """The operation on one column."""

    def run(party, *arguments):
        return (yield from operation(party, *arguments[:-1], [arguments[-1]]))[0]

    return run


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (7, 3)])
def test_a_shuffle_keeps_its_rows(committee, parties, threshold):
    group = committee(parties, threshold)
    names, squares = list(range(40)), [row * row for row in range(40)]
    columns = group.run(lambda party, x, y: shuffle(party, [x, y]), group.share(names), group.share(squares))
    one, other = (group.open([row[place] for row in columns]) for place in (0, 1))
    assert sorted(one) == names
    assert one != names
    assert other == [name * name for name in one]


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_small_tables(under_scheme, rows):
    values = list(range(rows))
    assert sorted(under_scheme.compute(first_column(shuffle), values)) == values
    assert under_scheme.compute(first_column(apply), values[::-1], values) == values[::-1]
    assert under_scheme.compute(first_column(gather), values[::-1], values) == values[::-1]
    assert under_scheme.compute(invert, values) == values


def test_moving_rows_by_a_secret_permutation(under_scheme):
    destinations = [3, 0, 4, 1, 2]
    values = [10, 11, 12, 13, 14]
    expected = [11, 13, 14, 10, 12]
    assert under_scheme.compute(first_column(apply), destinations, values) == expected
    assert under_scheme.compute(first_column(gather), destinations, expected) == values
    assert under_scheme.compute(invert, destinations) == [1, 3, 4, 0, 2]
    assert under_scheme.compute(compose, destinations, [4, 3, 2, 1, 0]) == [1, 4, 0, 3, 2]


def test_no_columns(three):
    for operation in (apply, gather):
        assert three.run(operation, three.share([1, 0]), ()) == [[], [], []]


@pytest.mark.parametrize("destinations", [[0, 0], [0, 2], [1, -1], [0, 2**80]])
def test_what_is_no_permutation_is_refused(three, destinations):
    with pytest.raises(ValueError, match="no permutation"):
        three.compute(first_column(apply), destinations, [1, 2])


def test_permuting_back(three):
    values = list(range(30))

    def there_and_back(party, x):
        seeds = yield from agree_on_common_seeds(party)
        drawn = seeds.draw(len(x))
        return (yield from permute_back(party, drawn, (yield from permute(party, drawn, [x]))))[0]

    assert three.compute(there_and_back, values) == values


def chi_square(counts, cells):
    total = sum(counts.values())
    return sum((counts[cell] - total / cells) ** 2 for cell in counts) * cells / total + (
        (cells - len(counts)) * total / cells
    )


@pytest.mark.parametrize("scheme", ["resharing", "network"])
def test_shuffles_are_uniform(committee, three, elementary, scheme):
    """All orders of four rows come equally often."""
    group = three if scheme == "resharing" else elementary
    counts: Counter[tuple[int, ...]] = Counter()
    for _ in range(240):
        counts[tuple(group.compute(first_column(shuffle), [0, 1, 2, 3]))] += 1
    assert set(counts) <= set(permutations(range(4)))
    assert chi_square(counts, 24) < GENEROUS


def test_no_party_knows_the_order(three):
    """Of the three steps a party knows two; with the third one's order it would know all."""
    seeds = three.run(agree_on_common_seeds)
    for party, own in zip(three.parties, seeds, strict=True):
        known = [members for members, stream in own.streams.items() if stream is not None]
        assert len(own.streams) == 3
        assert len(known) == 2
        assert all(party.identity in members for members in known)


def test_members_draw_the_same_orders(committee):
    group = committee(5, 2)
    drawn = [seeds.draw(50) for seeds in group.run(agree_on_common_seeds)]
    for members in drawn[0].orders:
        orders = [drawn[member - 1].orders[members] for member in members]
        assert all(np.array_equal(orders[0], order) for order in orders)
    distinct = {tuple(order) for shuffled in drawn for order in shuffled.orders.values() if order is not None}
    assert len(distinct) == 10


def test_reshared_rows_are_fresh(three):
    """After a step in which it knows the order, a party still cannot find its old shares among the new."""
    shares = three.share(range(64))

    def one(party, x):
        seeds = yield from agree_on_common_seeds(party)
        return (yield from permute(party, seeds.draw(len(x)), [x]))[0]

    for before, after in zip(shares, three.run(one, shares), strict=True):
        assert not {row.tobytes() for row in before} & {row.tobytes() for row in after}


def test_the_bound_on_steps(committee):
    group = committee(9, 4)
    assert MAX_STEPS == 64
    with pytest.raises(ValueError, match="126"):
        next(agree_on_common_seeds(group.first))


def opened_while_sorting(group, monkeypatch, module, values, method):
    """What the openings of a sort show, an array for each."""
    seen: list[np.ndarray] = []

    def recorded(party, x):
        result = yield from open_shares(party, x)
        if party.identity == 1:
            seen.append(BN254.to_small(result))
        return result

    monkeypatch.setattr(module, "open_shares", recorded)
    group.run(sort, group.share(values), bits=6, method=method)
    return seen


ORDERS = {
    "ascending": list(range(-4, 4)),
    "descending": list(range(3, -5, -1)),
    "equal": [1] * 8,
}


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_comparisons_of_a_quicksort_tell_nothing_of_the_order(committee, monkeypatch, order):
    """The place of the first pivot among eight rows, in uniform order, is uniform whatever the keys are."""
    counts: Counter[int] = Counter()
    for seed in range(160):
        seen = opened_while_sorting(committee(3, 1, seed=seed), monkeypatch, quicksort, ORDERS[order], "quicksort")
        counts[int(seen[0].sum())] += 1
    assert set(counts) <= set(range(8))
    assert chi_square(counts, 8) < GENEROUS / 2


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_openings_of_a_radix_sort_tell_nothing_of_the_order(committee, monkeypatch, order):
    """Each opening is a permutation; where it sends the first row is uniform whatever the keys are."""
    counts: Counter[int] = Counter()
    for seed in range(160):
        (seen,) = opened_while_sorting(committee(3, 1, seed=seed), monkeypatch, radix, ORDERS[order], "radix")
        assert sorted(seen) == list(range(8))
        counts[int(seen[0])] += 1
    assert chi_square(counts, 8) < GENEROUS / 2


def test_without_the_shuffle_the_statistics_would_show_it(three, monkeypatch):
    seen: list[np.ndarray] = []

    def recorded(party, x):
        result = yield from open_shares(party, x)
        seen.append(BN254.to_small(result))
        return result

    monkeypatch.setattr(quicksort, "open_shares", recorded)
    three.run(quicksort.opened_order, three.share(list(range(8))), bits=6)
    assert seen[0].sum() == 0


def test_secrets_are_not_in_reprs(three):
    seeds = three.run(agree_on_common_seeds)[0]
    assert "Stream" not in repr(seeds)
    assert "array" not in repr(seeds.draw(5))
    groups = three.run(data.group_sums, three.share([1, 2]), (), bits=4)[0]
    assert "array" not in repr(groups)
