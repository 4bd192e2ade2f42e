"""Bits of integers over GF(2^8): every value of small widths, edges of wide ones, rounds, plans, room."""

from __future__ import annotations

from math import ceil, log2

import numpy as np
import pytest

from quorate.protocol.mpc import (
    ABORT,
    PASSIVE,
    Plan,
    decomposition,
    dual_integer,
    expand,
    integer,
    open_bytes,
    preprocess,
    run_local,
    set_up,
    to_bits,
    to_bits_plan,
)
from quorate.protocol.mpc.byte_bits import byte_bits, byte_suffix_or, rows_to_field
from quorate.protocol.mpc.pool import BIT, DUAL_BIT

SIZES = [(1, 0), (3, 1), (5, 2), (7, 3)]


def opened(group, tables):
    rows = run_local(
        [open_bytes(party, table.reshape(-1)) for party, table in zip(group.parties, tables, strict=True)]
    )
    return rows[0].reshape(tables[0].shape)


def bits_of(values, bits):
    return np.array([[value >> place & 1 for value in values] for place in range(bits)])


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@pytest.mark.parametrize("bits", [2, 3, 4, 5, 8])
def test_every_value_of_a_small_width(committee, parties, threshold, bits):
    group = committee(parties, threshold)
    values = list(range(-(2 ** (bits - 1)), 2 ** (bits - 1)))
    tables = group.run(byte_bits, group.share(values), bits=bits)
    assert opened(group, tables).tolist() == bits_of(values, bits).tolist()


@pytest.mark.parametrize("bits", [33, 64, 192, 200])
def test_the_edges_of_wide_integers(three, bits):
    values = [-(2 ** (bits - 1)), -1, 0, 1, 2 ** (bits - 1) - 1]
    tables = three.run(byte_bits, three.share(values), bits=bits)
    assert opened(three, tables).tolist() == bits_of(values, bits).tolist()


@pytest.mark.parametrize("bits", [2, 3, 4, 33, 64])
def test_the_first_products_go_beside_the_opening(three, bits):
    three.run(set_up)
    three.run(preprocess, Plan({dual_integer(bits): 5, integer(three.first.kappa): 5}))
    before = three.first.statistics.rounds
    three.run(byte_bits, three.share([0] * 5), bits=bits)
    assert three.first.pool.stock.is_empty
    assert three.first.statistics.rounds - before == max(1, ceil(log2(bits - 1)))


def test_no_values(three):
    tables = three.run(byte_bits, three.share([]), bits=7)
    assert [table.shape for table in tables] == [(7, 0)] * 3


def test_a_field_without_room_is_refused(three):
    with pytest.raises(ValueError, match="take a narrower type"):
        three.run(byte_bits, three.share([1]), bits=220)


@pytest.mark.parametrize("places", [1, 2, 3, 8, 13])
def test_suffixes_and_the_way_back_to_the_field(three, places):
    values = list(range(0, 2**places, max(1, 2**places // 64)))
    bits = places + 1

    def marks(party, x):
        rows = yield from byte_bits(party, x, bits=bits)
        return (yield from rows_to_field(party, (yield from byte_suffix_or(party, rows[:places]))))

    results = three.run(marks, three.share(values))
    table = [three.open([rows[place] for rows in results]) for place in range(places)]
    assert table == [[int(value >> place > 0) for value in values] for place in range(places)]


def test_a_plan_names_decompositions_and_a_scheme_makes_them_concrete(three):
    plan = to_bits_plan(3, 32, 40)
    assert plan == Plan({decomposition(32): 3})
    on_bytes = expand(plan, kappa=40, on_bytes=PASSIVE.computes_on_bytes)
    assert on_bytes == Plan({dual_integer(32): 3, integer(40): 3, DUAL_BIT: 96})
    assert expand(plan, kappa=40, on_bytes=ABORT.computes_on_bytes) == Plan({BIT: 96, integer(40): 3})


def test_an_integer_of_one_bit_is_its_own_bit(three):
    assert to_bits_plan(9, 1, 40).is_empty
    rows = three.run(to_bits, three.share([-1, 0, -1]), bits=1)
    assert three.first.statistics.rounds == 0
    assert three.open([row[0] for row in rows]) == [1, 0, 1]
