"""Sorting networks: the comparisons do not depend on the data, and none is opened.

Batcher's merge exchange [Knuth, The Art of Computer Programming 3, section 5.2.2, algorithm M], for any number of
rows: about log2(n)^2 / 2 layers of comparators, n/4 log2(n)^2 of them. A layer is one batch: a comparison and one
product for each column. It runs under every scheme, with the guarantees of the scheme.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import less_than, less_than_plan
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import Plan

from .columns import Places, check_columns, pack, unpack


@lru_cache(maxsize=64)
def layers(rows: int) -> tuple[tuple[Places, Places], ...]:
    """The comparators of merge exchange: in each layer, the lower and the upper places that are compared."""
    found = []
    step = top = 1 << max(0, (rows - 1).bit_length() - 1)
    while step and rows > 1:
        span, remainder, distance = top, 0, step
        while True:
            lower = np.arange(rows - distance, dtype=np.intp)
            lower = lower[(lower & step) == remainder]
            found.append((lower, lower + distance))
            if span == step:
                break
            distance, span, remainder = span - step, span // 2, step
        step //= 2
    return tuple(found)


def comparators(rows: int) -> int:
    """How many comparators sort `rows` rows."""
    return sum(len(lower) for lower, _ in layers(rows))


def network_plan(rows: int, *, bits: int, kappa: int) -> Plan:
    """What `network_sort` of `rows` keys of `bits` bits takes from the pool."""
    return less_than_plan(comparators(rows), bits, kappa)


def network_sort(party: Party, keys: Vector, columns: Sequence[Vector], *, bits: int) -> Protocol[list[Vector]]:
    """The keys in ascending order, and the columns in the order of their keys; the keys are the first column.

    Keys are signed integers of `bits` bits; rows with equal keys are in no particular order.
    """
    rows = check_columns([keys, *columns])
    table = pack([keys, *columns])
    for lower, upper in layers(rows):
        swap = yield from less_than(party, table[upper, 0], table[lower, 0], bits=bits)
        yield from exchange_rows(party, table, swap, lower=lower, upper=upper)
    return unpack(table)


def exchange_rows(party: Party, table: Vector, swap: Vector, *, lower: Places, upper: Places) -> Protocol[None]:
    """Exchange rows `lower` and `upper` of the table in place, where `swap` is 1: one product for each column."""
    field, columns = party.field, table.shape[1]
    low, high = (table[places].reshape(-1, field.limbs) for places in (lower, upper))
    moved = yield from multiply(party, np.repeat(swap, columns, axis=0), field.sub(high, low))
    table[lower] = field.add(low, moved).reshape(-1, columns, field.limbs)
    table[upper] = field.sub(high, moved).reshape(-1, columns, field.limbs)
