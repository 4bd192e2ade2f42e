"""Comparisons, extremes and signs against Python's integers."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.mpc import arithmetic as a

OPERATIONS = [
    (a.less, operator.lt),
    (a.less_or_equal, operator.le),
    (a.greater, operator.gt),
    (a.greater_or_equal, operator.ge),
    (a.equals, operator.eq),
    (a.differs, operator.ne),
    (a.minimum, min),
    (a.maximum, max),
]
TYPES = [a.INT16, a.INT32, a.INT64, a.UINT16, a.UINT32, a.UINT64]


def edges(kind):
    values = {kind.least, kind.least + 1, kind.most - 1, kind.most, -1, 0, 1, 2}
    for power in range(kind.bits):
        values |= {sign * (1 << power) + step for sign in (-1, 1) for step in (-1, 0, 1)}
    return sorted(value for value in values if kind.least <= value <= kind.most)


def pairs(kind):
    values = [*edges(kind)[:: 1 if kind.bits <= 8 else 5], kind.least, kind.most, 0]
    return [x for x in values for _ in values], values * len(values)


def test_every_pair_of_bytes(three):
    kind, values = a.INT8, list(range(-128, 128))
    x, y = [value for value in values for _ in values], values * len(values)
    for operation, expected in (OPERATIONS[0], OPERATIONS[4], OPERATIONS[7]):
        assert three.compute(operation, x, y, of=kind) == [int(expected(*pair)) for pair in zip(x, y, strict=True)]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_edges_of_every_type(three, kind):
    x, y = pairs(kind)
    for operation, expected in OPERATIONS:
        assert three.compute(operation, x, y, of=kind) == [int(expected(*pair)) for pair in zip(x, y, strict=True)]


@pytest.mark.parametrize("kind", [a.INT8, a.UINT8, *TYPES], ids=lambda kind: kind.name)
def test_signs_and_clamps(three, kind):
    values = edges(kind)
    assert three.compute(a.sign, values, of=kind) == [(x > 0) - (x < 0) for x in values]
    assert three.compute(a.absolute, values, of=kind) == [abs(x) for x in values]
    assert three.compute(a.negative, values, of=kind) == [int(x < 0) for x in values]
    for least, most in ((kind.least, kind.most), (3, 3), (kind.least + 1, 100)):
        expected = [max(least, min(x, most)) for x in values]
        assert three.compute(a.clamp, values, least=least, most=most, of=kind) == expected


def test_a_clamp_to_nothing_is_refused(three):
    with pytest.raises(ValueError, match="between 3 and 2"):
        three.compute(a.clamp, [1], least=3, most=2, of=a.INT8)


def test_fixed_point_numbers_compare_as_integers(three):
    x, y = a.FIX64.encode([1.5, -0.25, 3.0]), a.FIX64.encode([1.25, 0.0, 3.0])
    assert three.compute(a.less, x, y, of=a.FIX64) == [0, 1, 0]
    assert three.compute(a.maximum, x, y, of=a.FIX64) == a.FIX64.encode([1.5, 0.0, 3.0])


ROWS = st.integers(1, 9).flatmap(
    lambda length: st.lists(st.lists(st.integers(-4, 3), min_size=length, max_size=length), min_size=1, max_size=4)
)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(ROWS)
def test_extremes_of_rows_and_their_first_places(committee, rows):
    group, length = committee(3, 1), len(rows[0])
    flat = [value for row in rows for value in row]
    for operation, best in ((a.least_of_rows, min), (a.greatest_of_rows, max)):
        results = group.run(operation, group.share(flat), length=length, of=a.INT8)
        assert group.open([value for value, _ in results]) == [best(row) for row in rows]
        assert group.open([place for _, place in results]) == [row.index(best(row)) for row in rows]


def test_rows_that_do_not_fit_are_refused(three):
    for operation in (a.least_of_rows, a.greatest_of_rows):
        with pytest.raises(ValueError, match="no rows of 2"):
            three.run(operation, three.share([1, 2, 3]), length=2, of=a.INT8)
    with pytest.raises(ValueError, match="no rows of 0"):
        a.row_sums(three.first, three.share([1])[0], length=0)
