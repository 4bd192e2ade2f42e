"""Order of secret numbers: comparisons, sign, extremes and their places.

All of it works on integers and fixed-point numbers alike: `of` is the type of the operands, and the differences of
two values of a type, signed or not, take one bit more than the type. Results of comparisons are shares of 0 and 1.
"""

from __future__ import annotations

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc import compare
from quorate.protocol.mpc.batches import join
from quorate.protocol.mpc.logic import logical_not, select
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import together

from .costs import piecewise
from .number_types import NumberType


def less(party: Party, x: Vector, y: Vector, *, of: NumberType) -> Protocol[Vector]:
    """[x < y]."""
    return (yield from compare.less_than(party, x, y, bits=of.bits))


def less_or_equal(party: Party, x: Vector, y: Vector, *, of: NumberType) -> Protocol[Vector]:
    """[x <= y]."""
    return logical_not(party, (yield from less(party, y, x, of=of)))


def greater(party: Party, x: Vector, y: Vector, *, of: NumberType) -> Protocol[Vector]:
    """[x > y]."""
    return (yield from less(party, y, x, of=of))


def greater_or_equal(party: Party, x: Vector, y: Vector, *, of: NumberType) -> Protocol[Vector]:
    """[x >= y]."""
    return logical_not(party, (yield from less(party, x, y, of=of)))


def equals(party: Party, x: Vector, y: Vector, *, of: NumberType) -> Protocol[Vector]:
    """[x == y]."""
    return (yield from compare.equal(party, x, y, bits=of.bits))


def differs(party: Party, x: Vector, y: Vector, *, of: NumberType) -> Protocol[Vector]:
    """[x != y]."""
    return logical_not(party, (yield from equals(party, x, y, of=of)))


def negative(party: Party, x: Vector, *, of: NumberType) -> Protocol[Vector]:
    """[x < 0]."""
    return (yield from compare.less_than_zero(party, x, bits=of.signed_bits))


def sign(party: Party, x: Vector, *, of: NumberType) -> Protocol[Vector]:
    """-1, 0 or 1, as an integer: [x > 0] - [x < 0], both in the same rounds."""
    both = join(party.field, [x, party.field.neg(x)])
    below = yield from compare.less_than_zero(party, both, bits=of.signed_bits + 1)
    return party.field.sub(below[len(x) :], below[: len(x)])


def absolute(party: Party, x: Vector, *, of: NumberType) -> Protocol[Vector]:
    """|x|; of the smallest value of a signed type it is one more than the largest."""
    below = yield from negative(party, x, of=of)
    return party.field.combine([1, -2], [x, (yield from multiply(party, below, x))])


def minimum(party: Party, x: Vector, y: Vector, *, of: NumberType) -> Protocol[Vector]:
    """The smaller of x and y, element-wise."""
    return (yield from select(party, (yield from less(party, x, y, of=of)), x, y))


def maximum(party: Party, x: Vector, y: Vector, *, of: NumberType) -> Protocol[Vector]:
    """The larger of x and y, element-wise."""
    return (yield from select(party, (yield from less(party, x, y, of=of)), y, x))


def clamp(party: Party, x: Vector, *, least: int, most: int, of: NumberType) -> Protocol[Vector]:
    """x, but no less than `least` and no more than `most`; both are in units of the last place, and in the type.

    The two comparisons go in the same rounds. Raises ValueError when least > most.
    """
    if least > most:
        raise ValueError(f"nothing is between {least} and {most}")
    return (yield from piecewise(party, _clamp, x, least=least, most=most, of=of))


def _clamp(party: Party, x: Vector, *, least: int, most: int, of: NumberType) -> Protocol[Vector]:
    field = party.field
    above, below = field.add_constant(field.neg(x), most), field.add_constant(x, -least)
    outside = yield from compare.less_than_zero(party, join(field, [above, below]), bits=of.bits + 1)
    # the way back to the bound is most - x or least - x
    ways = join(field, [above, field.neg(below)])
    back = yield from multiply(party, outside, ways)
    return field.combine([1, 1, 1], [x, back[: len(x)], back[len(x) :]])


def least_of_rows(party: Party, x: Vector, *, length: int, of: NumberType) -> Protocol[tuple[Vector, Vector]]:
    """The smallest element of each row of `length` elements, and its place (0..length-1), of equals the first.

    ceil(log2(length)) comparisons deep. Raises ValueError when x is no matrix of such rows.
    """
    return (yield from _extremes(party, x, length=length, of=of, factor=1))


def greatest_of_rows(party: Party, x: Vector, *, length: int, of: NumberType) -> Protocol[tuple[Vector, Vector]]:
    """The largest element of each row of `length` elements, and its place (0..length-1), of equals the first."""
    return (yield from _extremes(party, x, length=length, of=of, factor=-1))


def _extremes(
    party: Party, x: Vector, *, length: int, of: NumberType, factor: int
) -> Protocol[tuple[Vector, Vector]]:
    """A tree of matches: the right one of two wins only if it is strictly better (less, after times `factor`)."""
    field = party.field
    if length < 1 or len(x) % length:
        raise ValueError(f"a vector of {len(x)} elements has no rows of {length}")
    rows = len(x) // length
    values = x.reshape(rows, length, field.limbs)
    one_row = field.vector(range(length))
    places = np.ascontiguousarray(np.broadcast_to(one_row, (rows, length, field.limbs)))
    while values.shape[1] > 1:
        pairs = values.shape[1] // 2
        values, places = yield from _match(party, values, places, pairs=pairs, of=of, factor=factor)
    return np.ascontiguousarray(values[:, 0]), np.ascontiguousarray(places[:, 0])


def _match(
    party: Party, values: Vector, places: Vector, *, pairs: int, of: NumberType, factor: int
) -> Protocol[tuple[Vector, Vector]]:
    """One level of the tree, on tables of shape (rows, columns, limbs); an odd column at the end is let through."""
    field = party.field
    halves = [_columns(table, start, 2 * pairs) for table in (values, places) for start in (0, 1)]
    left, right, left_place, right_place = halves
    better = yield from less(party, *((right, left) if factor == 1 else (left, right)), of=of)
    ways = join(field, [field.sub(right, left), field.sub(right_place, left_place)])
    moved = yield from multiply(party, join(field, [better, better]), ways)
    won = field.add(join(field, [left, left_place]), moved)
    shape = (len(values), pairs, field.limbs)
    rest = slice(2 * pairs, None)
    return (
        np.concatenate([won[: len(left)].reshape(shape), values[:, rest]], axis=1),
        np.concatenate([won[len(left) :].reshape(shape), places[:, rest]], axis=1),
    )


def _columns(table: Vector, start: int, stop: int) -> Vector:
    """Every other column from `start` on, row after row."""
    return np.ascontiguousarray(table[:, start:stop:2]).reshape(-1, table.shape[2])


def within(party: Party, x: Vector, *, least: int, most: int, bits: int) -> Protocol[Vector]:
    """[least <= x <= most] for -2^(bits-1) <= x < 2^(bits-1) and such bounds; both tests in the same rounds."""
    field = party.field
    above, below = field.add_constant(field.neg(x), most), field.add_constant(x, -least)
    outside_above, outside_below = yield from together(
        party,
        compare.less_than_zero(party, above, bits=bits + 1),
        compare.less_than_zero(party, below, bits=bits + 1),
    )
    return logical_not(party, field.add(outside_above, outside_below))
