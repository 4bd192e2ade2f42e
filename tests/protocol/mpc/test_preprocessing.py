from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254
from quorate.protocol.mpc import (
    MAX_PLAN_ELEMENTS,
    Plan,
    batches,
    dealt_items,
    equal,
    less_than,
    preprocess,
    preprocessing,
    random_bits,
    random_integers,
    random_shares,
    reserve,
    set_up,
    together,
)
from quorate.protocol.mpc.pool import Stock


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (5, 1), (5, 2), (7, 3), (9, 4)])
def test_bits_are_bits_and_both_occur(committee, parties, threshold):
    group = committee(parties, threshold)
    values = group.open(group.run(random_bits, 400))
    assert set(values) == {0, 1}
    assert 130 < sum(values) < 270


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (5, 2), (9, 4)])
def test_integers_are_bounded(committee, parties, threshold):
    group = committee(parties, threshold)
    for width in (1, 8, 13, 105):
        values = group.open(group.run(random_integers, 60, bits=width))
        assert all(0 <= value < 2**width * (threshold + 1) for value in values)
        assert max(values).bit_length() <= preprocessing.sum_bits(width, threshold)
        assert max(values) >= 2**width // 2


def test_what_is_preprocessed_is_counted_and_taken_once(three):
    three.run(preprocess, Plan(bits=100, integers={8: 20}, shares=30))
    assert three.first.pool.stock == Plan(bits=100, integers={8: 20}, shares=30)
    before = three.first.statistics.rounds
    first, second = three.run(random_shares, 10), three.run(random_shares, 20)
    three.run(random_bits, 100)
    three.run(random_integers, 20, bits=8)
    assert three.first.statistics.rounds == before
    assert three.first.pool.stock == Plan()
    assert not set(three.open(first)) & set(three.open(second))


def test_a_shortage_is_made_up_in_one_batch(three):
    three.run(set_up)
    three.run(reserve, Plan(bits=5, integers={9: 3}, shares=2))
    assert three.first.statistics.rounds == 3
    stock = three.first.pool.stock
    assert stock.bits == preprocessing.DEMAND["bit"]
    assert stock.integers == {9: preprocessing.DEMAND["integer"]}
    assert stock.shares == preprocessing.DEMAND["share"]
    three.run(reserve, Plan(bits=600))
    assert three.first.pool.stock.bits == 2 * preprocessing.DEMAND["bit"]


@pytest.mark.parametrize("stock", [0, 1000])
def test_protocols_side_by_side_share_a_pool_that_is_short(three, stock):
    """Each of them finds the same stock at first, and what it does not use up is not kept for it."""
    three.run(preprocess, Plan(bits=stock))

    def several(party, x, y):
        return (
            yield from together(
                party,
                equal(party, x, y, bits=64),
                less_than(party, x, y, bits=64),
                equal(party, y, x, bits=64),
                less_than(party, y, x, bits=64),
                random_bits(party, 700),
            )
        )

    x, y = [5, -7, 9] * 7, [6, -7, 8] * 7
    rows = three.run(several, three.share(x), three.share(y))
    opened = [three.open([row[place] for row in rows]) for place in range(5)]
    assert opened[0] == opened[2] == [0, 1, 0] * 7
    assert opened[1] == [1, 0, 0] * 7
    assert opened[3] == [0, 0, 1] * 7
    assert set(opened[4]) == {0, 1}


def test_a_large_plan_goes_in_steps(three, monkeypatch):
    monkeypatch.setattr(batches, "MAX_ROUND_ELEMENTS", 64)
    monkeypatch.setattr(dealt_items, "MAX_ROUND_ELEMENTS", 64)
    three.run(preprocess, Plan(bits=150, integers={8: 20, 9: 100}, shares=500))
    assert three.first.pool.stock == Plan(bits=150, integers={8: 20, 9: 100}, shares=500)
    assert set(three.open(three.run(random_bits, 150))) == {0, 1}
    assert max(three.open(three.run(random_integers, 100, bits=9))) < 1024
    assert len(set(three.open(three.run(random_shares, 500)))) == 500


def test_a_plan_beyond_the_bound_is_refused(three):
    with pytest.raises(ValueError, match="at most"):
        three.run(preprocess, Plan(bits=MAX_PLAN_ELEMENTS + 1))


@pytest.mark.parametrize("plan", [{"bits": -1}, {"shares": -1}, {"integers": {4: -1}}, {"integers": {0: 1}}])
def test_impossible_plans_are_refused(plan):
    with pytest.raises(ValueError, match=r"negative|at least one bit"):
        Plan(**plan)


PLANS = st.builds(
    Plan,
    bits=st.integers(0, 99),
    integers=st.dictionaries(st.integers(1, 5), st.integers(0, 99)),
    shares=st.integers(0, 99),
)


@settings(derandomize=True)
@given(PLANS, PLANS, st.integers(0, 5))
def test_plans_add_up(one, two, factor):
    total = one + two
    assert one.missing_from(total).is_empty
    assert two.missing_from(total).is_empty
    assert total.missing_from(one).missing_from(two).is_empty
    repeated = Plan()
    for _ in range(factor):
        repeated += one
    assert one.times(factor).missing_from(repeated).is_empty
    assert repeated.missing_from(one.times(factor)).is_empty


@settings(max_examples=50)
@given(
    st.lists(
        st.one_of(st.tuples(st.just("put"), st.integers(0, 9)), st.tuples(st.just("take"), st.integers(0, 20)))
    )
)
def test_a_stock_is_a_queue_that_never_hands_out_twice(steps):
    stock, next_value, next_taken = Stock(), 0, 0
    for action, count in steps:
        if action == "put":
            stock.put(BN254.vector(range(next_value, next_value + count)))
            next_value += count
        elif not 1 <= count <= stock.count:
            with pytest.raises(IndexError, match="were asked"):
                stock.take(count)
        else:
            taken = BN254.integers(stock.take(count)[0])
            assert taken == list(range(next_taken, next_taken + count))
            next_taken += count
        assert stock.count == next_value - next_taken
