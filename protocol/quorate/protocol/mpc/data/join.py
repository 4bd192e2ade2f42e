"""Joins: what another table holds at each row's key, with both keys secret.

The right table is sorted by key, and the differences of successive rows are merged among the left rows by one
more sort, each before the left rows with its key. Running sums, which are free, then carry to every row the last
right row whose key is not larger; it belongs to the row if their keys are equal. The left rows go back to where
they were, so what the caller holds beside them still fits. Neither table's keys, nor how many match, are opened.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import equal
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol

from .columns import check_columns, pack, unpack
from .permutation import apply, gather
from .prefix import prefix_sums
from .sort import SortMethod, rank, sort_rows


def left_join(
    party: Party,
    left_keys: Vector,
    right_keys: Vector,
    right_columns: Sequence[Vector],
    *,
    bits: int,
    method: SortMethod | None = None,
) -> Protocol[tuple[Vector, list[Vector]]]:
    """For each left row, whether a right row has its key, and that row's columns, or zeros.

    Keys are signed integers of `bits` bits. Right keys should be distinct: of equal ones the last row is taken.
    """
    field = party.field
    check_columns([right_keys, *right_columns])
    if not len(left_keys) or not len(right_keys):
        return field.zeros(len(left_keys)), [field.zeros(len(left_keys)) for _ in right_columns]
    right = yield from sort_rows(party, right_keys, right_columns, bits=bits, method=method)
    keys = np.concatenate([right[0], left_keys])
    nothing = field.zeros(len(left_keys))
    absent = 1 << (bits - 1)  # no key has this value: it stands before the first right row
    steps = [_steps(party, column, absent if place == 0 else 0) for place, column in enumerate(right)]
    places = yield from rank(party, keys, bits=bits, method=method)
    columns = [keys, *(np.concatenate([column, nothing]) for column in steps)]
    ordered, *merged = yield from apply(party, places, columns)
    latest, *carried = [prefix_sums(field, column) for column in merged]
    # the key that stands for "none" lies 2^bits from the smallest
    matched = yield from equal(party, field.add_constant(latest, absent), ordered, bits=bits + 1)
    back = yield from gather(party, places, [matched, *carried])
    matched, *values = [column[len(right_keys) :] for column in back]
    return matched, (yield from _where(party, matched, values))


def _steps(party: Party, x: Vector, start: int) -> Vector:
    """x_0 - start, x_1 - x_0, ..."""
    field = party.field
    return field.sub(x, np.concatenate([field.full(1, start), x[:-1]]))


def _where(party: Party, condition: Vector, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
    """The columns, and zero where the condition is 0."""
    if not columns:
        return []
    table = pack(columns)
    factors = np.repeat(condition, len(columns), axis=0)
    chosen = yield from multiply(party, factors, table.reshape(-1, party.field.limbs))
    return unpack(chosen.reshape(table.shape))
