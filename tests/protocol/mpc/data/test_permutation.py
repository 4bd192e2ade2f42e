from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from quorate.protocol.field import BN254
from quorate.protocol.mpc import data, reveal
from quorate.protocol.mpc.data import apply, compose, gather, invert, quicksort, radix, shuffle, sort
from quorate.protocol.mpc.data.dealt_shuffles import DEALT_SHUFFLES
from quorate.protocol.mpc.data.permutation import agree_on_shuffles
from quorate.protocol.mpc.data.resharing import MAX_STEPS, agree_on_common_seeds

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


def drawn(party, rows):
    """An order in the fastest way that the scheme allows."""
    return (yield from (yield from agree_on_shuffles(party)).draw(party, rows))


def there_and_back(party, x):
    shuffle = yield from drawn(party, len(x))
    moved = yield from shuffle.permute(party, [x])
    (back,) = yield from shuffle.permute_back(party, moved)
    return np.concatenate([moved[0], back])


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (5, 2), (11, 5)])
def test_permuting_back(committee, parties, threshold):
    opened = committee(parties, threshold).compute(there_and_back, range(30))
    assert sorted(opened[:30]) == list(range(30)) == opened[30:]
    assert opened[:30] != opened[30:]


def chi_square(counts, cells):
    total = sum(counts.values())
    return sum((counts[cell] - total / cells) ** 2 for cell in counts) * cells / total + (
        (cells - len(counts)) * total / cells
    )


def dealt(party, columns):
    return (yield from (yield from DEALT_SHUFFLES.draw(party, len(columns[0]))).permute(party, columns))


@pytest.mark.parametrize("way", ["resharing", "dealt", "network"])
def test_shuffles_are_uniform(three, elementary, way):
    """All orders of four rows come equally often."""
    group = elementary if way == "network" else three
    operation = dealt if way == "dealt" else shuffle
    counts: Counter[tuple[int, ...]] = Counter()
    for _ in range(144):
        counts[tuple(group.compute(first_column(operation), [0, 1, 2, 3]))] += 1
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
    shuffles = committee(5, 2).run(drawn, 50)
    for members in shuffles[0].orders:
        orders = [shuffles[member - 1].orders[members] for member in members]
        assert all(np.array_equal(orders[0], order) for order in orders)
    distinct = {tuple(order) for shuffled in shuffles for order in shuffled.orders.values() if order is not None}
    assert len(distinct) == 10


def test_reshared_rows_are_fresh(three):
    """After a step in which it knows the order, a party still cannot find its old shares among the new."""
    shares = three.share(range(64))

    for before, after in zip(shares, three.run(first_column(shuffle), shares), strict=True):
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
        result = yield from reveal(party, x)
        if party.identity == 1:
            seen.append(BN254.to_small(result))
        return result

    monkeypatch.setattr(module, "reveal", recorded)
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
    for seed in range(96):
        seen = opened_while_sorting(committee(3, 1, seed=seed), monkeypatch, quicksort, ORDERS[order], "quicksort")
        counts[int(seen[0].sum())] += 1
    assert set(counts) <= set(range(8))
    assert chi_square(counts, 8) < GENEROUS / 2


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_openings_of_a_radix_sort_tell_nothing_of_the_order(committee, monkeypatch, order):
    """Each opening is a permutation; where it sends the first row is uniform whatever the keys are."""
    counts: Counter[int] = Counter()
    for seed in range(96):
        (seen,) = opened_while_sorting(committee(3, 1, seed=seed), monkeypatch, radix, ORDERS[order], "radix")
        assert sorted(seen) == list(range(8))
        counts[int(seen[0])] += 1
    assert chi_square(counts, 8) < GENEROUS / 2


def test_without_the_shuffle_the_statistics_would_show_it(three, monkeypatch):
    seen: list[np.ndarray] = []

    def recorded(party, x):
        result = yield from reveal(party, x)
        seen.append(BN254.to_small(result))
        return result

    monkeypatch.setattr(quicksort, "reveal", recorded)
    three.run(quicksort.opened_order, three.share(list(range(8))), bits=6)
    assert seen[0].sum() == 0


def test_secrets_are_not_in_reprs(three):
    seeds = three.run(agree_on_common_seeds)[0]
    assert "Stream" not in repr(seeds)
    assert "array" not in repr(three.run(drawn, 5)[0])
    groups = three.run(data.group_sums, three.share([1, 2]), (), bits=4)[0]
    assert "array" not in repr(groups)
