"""Reading and writing arrays at secret places, public tables at secret places, and exchanging secretly.

The one-hot vectors h and l of the upper and the lower half of a place make an array of n entries a matrix A of
about sqrt(n) rows: the entry is h A l. Under the passive and the abort scheme, where an inner product costs one
multiplication, a read costs about 4 sqrt(n) of them, and a read of a public table, where A l is local, about
3 sqrt(n); writing costs 2n (see `places` for how a place becomes one-hot vectors). Rounds grow with log2 log2 n.
Everything runs under every scheme.

A place outside the array reads 0 or, from the next power of two on, the entry that its low bits name; a write
there changes nothing, or that entry. No access tells which place it touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.batches import join
from quorate.protocol.mpc.compare import equal, equal_plan
from quorate.protocol.mpc.operations import inner_products, matrix_product, multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import Plan
from quorate.protocol.mpc.rounds import together

from .columns import check_columns, pack, unpack
from .one_hot import halves, outer
from .places import halves_of_places, one_hot_halves, pieces_of_places
from .prefix import prefix_products

MAX_ONE_HOT: Final = 1 << 22
"""The most shares of one-hot vectors that are made at once."""


def one_hot_places(party: Party, places: Vector, *, entries: int) -> Protocol[Vector]:
    """Shape (entries, batch, limbs): at place v, whether the secret place is v.

    Raises ValueError for more than MAX_ONE_HOT shares in all.
    """
    if entries * len(places) > MAX_ONE_HOT:
        raise ValueError(f"{len(places)} places among {entries} have more than {MAX_ONE_HOT} shares")
    low, high = yield from one_hot_halves(party, places, entries=entries)
    return np.ascontiguousarray((yield from outer(party, high, low))[:entries])


def read(party: Party, array: Vector, places: Vector) -> Protocol[Vector]:
    """`array[place]` for each secret place 0..len(array)-1: one batch, or several of very many places."""
    parts = []
    for start, stop in pieces_of_places(len(places), len(array)):
        parts.append((yield from _read_piece(party, array, places[start:stop])))
    return join(party.field, parts)


def _read_piece(party: Party, array: Vector, places: Vector) -> Protocol[Vector]:
    field = party.field
    found = yield from halves_of_places(party, places, entries=len(array))
    low = found.low
    table = np.concatenate([array, field.zeros(len(low) * len(found.upper) - len(array))])
    # a row of the matrix is a value of the upper half, a column one of the lower
    high, selected = yield from together(
        party,
        found.high(party),
        matrix_product(party, table, low.reshape(-1, field.limbs), inner=len(low)),
    )
    return (yield from _choose_rows(party, high, selected.reshape(high.shape)))


def _choose_rows(party: Party, chosen: Vector, candidates: Vector) -> Protocol[Vector]:
    """For each entry of the batch the inner product along the first axis, shapes (values, batch, limbs)."""
    limbs = party.field.limbs
    left, right = (np.ascontiguousarray(table.transpose(1, 0, 2)) for table in (chosen, candidates))
    return (
        yield from inner_products(party, left.reshape(-1, limbs), right.reshape(-1, limbs), length=len(chosen))
    )


def lookup(party: Party, tables: Sequence[Sequence[int]], places: Vector) -> Protocol[list[Vector]]:
    """`table[place]` for each secret place and each of the public tables, which have one length.

    Raises ValueError for no tables, or for tables of unequal lengths.
    """
    if not tables or any(len(table) != len(tables[0]) for table in tables):
        raise ValueError("look up in one or more tables of one length")
    parts = []
    for start, stop in pieces_of_places(len(places) * len(tables), len(tables[0])):
        piece = places[start // len(tables) : stop // len(tables)]
        low, high = yield from one_hot_halves(party, piece, entries=len(tables[0]))
        parts.append((yield from _look_up(party, tables, low=low, high=high)))
    return [join(party.field, [part[index] for part in parts]) for index in range(len(tables))]


def lookup_bits(party: Party, tables: Sequence[Sequence[int]], bits: Sequence[Vector]) -> Protocol[list[Vector]]:
    """`lookup` at places whose bits are shared, lowest first; at least two bits.

    One inner product for each table and place, after the one-hot vectors of the halves of the places.
    """
    low, high = yield from halves(party, bits)
    return (yield from _look_up(party, tables, low=low, high=high))


def _look_up(
    party: Party, tables: Sequence[Sequence[int]], *, low: Vector, high: Vector
) -> Protocol[list[Vector]]:
    field, batch = party.field, low.shape[1]
    if max(len(table) for table in tables) > len(low) * len(high):
        raise ValueError(f"places below {len(low) * len(high)} do not reach all entries of the tables")
    candidates = [_public_rows(field, table, low=low, rows=len(high)) for table in tables]
    chosen = np.tile(high, (1, len(tables), 1))
    picked = yield from _choose_rows(party, chosen, np.concatenate(candidates, axis=1))
    return [picked[index * batch : (index + 1) * batch] for index in range(len(tables))]


def _public_rows(field: PrimeField, table: Sequence[int], *, low: Vector, rows: int) -> Vector:
    """For each value of the high bits, the entry that the low bits choose: linear in their one-hot vector."""
    padded = [*table, *[0] * (rows * len(low) - len(table))]
    lines = [padded[start : start + len(low)] for start in range(0, len(padded), len(low))]
    return np.stack(field.matrix(lines, list(low)))


def write(party: Party, array: Vector, place: Vector, value: Vector) -> Protocol[Vector]:
    """The array with `value` at the secret `place`; both are vectors of one element.

    Raises ValueError for another number of them: writes come one after another.
    """
    if len(place) != 1 or len(value) != 1:
        raise ValueError("write one value at one place; the order of several would matter")
    field = party.field
    chosen = yield from one_hot_places(party, place, entries=len(array))
    chosen = chosen.reshape(-1, field.limbs)
    difference = field.sub(np.repeat(value, len(array), axis=0), array)
    return field.add(array, (yield from multiply(party, chosen, difference)))


def swap(
    party: Party, condition: Vector, x: Sequence[Vector], y: Sequence[Vector]
) -> Protocol[tuple[list[Vector], list[Vector]]]:
    """The rows of tables x and y, exchanged where `condition` (shares of 0 or 1) is 1: one round."""
    if len(x) != len(y):
        raise ValueError(f"tables of {len(x)} and {len(y)} columns cannot be exchanged")
    check_columns([condition, *x, *y])
    field, columns = party.field, len(x)
    left, right = (pack(table).reshape(-1, field.limbs) for table in (x, y))
    moved = yield from multiply(party, np.repeat(condition, columns, axis=0), field.sub(right, left))
    shape = (len(condition), columns, field.limbs)
    return unpack(field.add(left, moved).reshape(shape)), unpack(field.sub(right, moved).reshape(shape))


def find(party: Party, array: Vector, value: Vector, *, bits: int) -> Protocol[tuple[Vector, Vector]]:
    """Whether `value` (one element) is in the array, and its first place, or len(array) when it is not there.

    Integers must differ by less than 2^bits, as for `equal`. Raises ValueError for another number of values.
    """
    if len(value) != 1:
        raise ValueError("find one value")
    field = party.field
    if not len(array):
        return field.zeros(1), field.zeros(1)
    same = yield from equal(party, array, np.repeat(value, len(array), axis=0), bits=bits)
    # the product of "different" up to a place is 1 until the value has come
    absent = yield from prefix_products(party, field.add_constant(field.neg(same), 1))
    return field.add_constant(field.neg(absent[-1:]), 1), field.sum(absent)


def find_plan(entries: int, *, bits: int, kappa: int) -> Plan:
    """What `find` in an array takes from the pool."""
    return equal_plan(entries, bits, kappa)
