"""Groups of rows with equal keys: their sums and sizes, distinct values, and the join of two tables.

Rows are sorted by key, and neighbours are compared: a row is the last of its group where the next key differs.
The running sum of a column, which is free, taken at the last rows of two successive groups differs by the sum of
the later group. Last rows are brought to the front by a stable sort on that one bit. How many groups there are
stays secret: the results have as many rows as the input, and `valid` says which of them are groups.

Everything runs under every scheme, by the sort that the scheme allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.compare import equal
from quorate.protocol.mpc.logic import logical_not
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol

from .columns import check_columns, pack, unpack
from .permutation import apply
from .prefix import prefix_sums
from .radix import digit_destinations
from .sort import SortMethod, sort_rows


@dataclass(frozen=True, slots=True)
class Groups:
    """One row for each group, in ascending order of the keys, then rows of zeros, as many as the input had.

    `valid` is 1 for a group and 0 for what fills up; `count`, one element, is the number of groups.
    """

    valid: Vector = field(repr=False)
    keys: Vector = field(repr=False)
    sizes: Vector = field(repr=False)
    sums: list[Vector] = field(repr=False)
    count: Vector = field(repr=False)


def group_sums(
    party: Party, keys: Vector, columns: Sequence[Vector], *, bits: int, method: SortMethod | None = None
) -> Protocol[Groups]:
    """The sums of every column over the rows with one key, for each key; keys are signed integers of `bits` bits."""
    rows = check_columns([keys, *columns])
    fields = party.field
    if not rows:
        empty = fields.zeros(0)
        return Groups(empty, empty, empty, [empty for _ in columns], fields.zeros(1))
    ordered = yield from sort_rows(party, keys, columns, bits=bits, method=method)
    last = yield from _last_of_group(party, ordered[0], bits=bits)
    running = [fields.vector(range(1, rows + 1)), *(prefix_sums(fields, column) for column in ordered[1:])]
    valid, *packed = yield from bring_forward(party, last, [last, ordered[0], *running])
    totals = [packed[0], *(_differences(fields, column) for column in packed[1:])]
    cleared = yield from _clear_rows(party, valid, totals)
    return Groups(valid, cleared[0], cleared[1], cleared[2:], fields.sum(last))


def count_distinct(party: Party, x: Vector, *, bits: int, method: SortMethod | None = None) -> Protocol[Vector]:
    """How many different values there are; one element."""
    if not len(x):
        return party.field.zeros(1)
    (ordered,) = yield from sort_rows(party, x, (), bits=bits, method=method)
    return party.field.sum((yield from _last_of_group(party, ordered, bits=bits)))


def distinct(
    party: Party, x: Vector, *, bits: int, method: SortMethod | None = None
) -> Protocol[tuple[Vector, Vector]]:
    """The different values in ascending order, then zeros; and which of them are values (1) and which fill (0)."""
    groups = yield from group_sums(party, x, (), bits=bits, method=method)
    return groups.keys, groups.valid


def bring_forward(party: Party, chosen: Vector, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
    """The columns with the rows where `chosen` (shares of 0 or 1) is 1 first; both parts keep their order."""
    destinations = yield from digit_destinations(party, [logical_not(party, chosen)])
    return (yield from apply(party, destinations, columns))


def _last_of_group(party: Party, ordered: Vector, *, bits: int) -> Protocol[Vector]:
    """Whether the next of the ordered keys differs; the last row always ends a group."""
    same = yield from equal(party, ordered[:-1], ordered[1:], bits=bits)
    return np.concatenate([logical_not(party, same), party.field.full(1, 1)])


def _differences(fields: PrimeField, x: Vector) -> Vector:
    """x_0, x_1 - x_0, x_2 - x_1, ..."""
    return np.concatenate([x[:1], fields.sub(x[1:], x[:-1])])


def _clear_rows(party: Party, valid: Vector, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
    """The columns times `valid`: zero in rows that are no group."""
    table = pack(columns)
    factors = np.repeat(valid, len(columns), axis=0)
    cleared = yield from multiply(party, factors, table.reshape(-1, party.field.limbs))
    return unpack(cleared.reshape(table.shape))
