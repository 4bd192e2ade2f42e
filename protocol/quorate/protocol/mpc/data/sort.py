"""Sorting rows by secret keys, and what follows from it: ranks, the largest, the median.

| method | opens | rounds for n rows and keys of b bits | needs |
|---|---|---|---|
| radix | a uniform permutation a digit | about (2 s + 4) b / 4, s those of a shuffle | a fast shuffle |
| quicksort | comparisons of shuffled rows | about 1.5 log2(n) (2 + log2(b + log2(n))) | a fast shuffle |
| network | nothing | about log2(n)^2 / 2 (2 + log2(b + log2(n))) | any scheme |

Every method is stable: equal keys keep their order. Without a method the fastest is taken that the scheme and the
committee allow: radix or network. Asking for one that they do not allow raises ValueError.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import less_than_plan, to_bits, to_bits_plan
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import Plan

from .columns import check_columns, row_numbers
from .network import network_plan, network_sort
from .permutation import agree_on_shuffles, apply_by, can_shuffle, invert, shuffle_plan
from .quicksort import opened_order
from .radix import DIGIT_BITS, radix_destinations, unsigned_bits

SortMethod: TypeAlias = Literal["radix", "quicksort", "network"]


def default_method(party: Party) -> SortMethod:
    """The fastest method that the party's scheme and committee allow."""
    return "radix" if can_shuffle(party) else "network"


def sort_plan(party: Party, rows: int, *, bits: int, method: SortMethod | None = None) -> Plan:
    """What sorting `rows` keys of `bits` bits takes from the pool; for quicksort, what it takes on average."""
    chosen = method or default_method(party)
    width = bits + _index_bits(rows)
    if chosen == "radix":
        return to_bits_plan(rows, bits, party.kappa) + shuffle_plan(party, rows).times(-(-bits // DIGIT_BITS))
    if chosen == "network":
        return network_plan(rows, bits=width, kappa=party.kappa)
    harmonic = sum(1 / number for number in range(1, rows + 1))
    comparisons = round(max(0.0, 2 * (rows + 1) * harmonic - 4 * rows))
    return less_than_plan(comparisons, width, party.kappa) + shuffle_plan(party, rows)


def sort(
    party: Party, keys: Vector, *, bits: int, descending: bool = False, method: SortMethod | None = None
) -> Protocol[Vector]:
    """The keys, signed integers of `bits` bits, in ascending order."""
    rows = yield from sort_rows(party, keys, (), bits=bits, descending=descending, method=method)
    return rows[0]


def sort_rows(
    party: Party,
    keys: Vector,
    columns: Sequence[Vector],
    *,
    bits: int,
    descending: bool = False,
    method: SortMethod | None = None,
) -> Protocol[list[Vector]]:
    """The keys in ascending order, then every column in the order of its keys; equal keys keep their order.

    Keys are signed integers of `bits` bits. Raises ValueError for columns of other lengths, for more than
    MAX_ROWS rows or MAX_COLUMNS columns, and for a method that the scheme does not allow.
    """
    rows = check_columns([keys, *columns])
    chosen = method or default_method(party)
    if rows < 2:
        return [keys, *columns]
    if chosen == "radix":
        return (yield from _radix(party, keys, [keys, *columns], bits=bits, descending=descending))
    distinct, width = _distinct_keys(party, keys, bits=bits, descending=descending)
    if chosen == "network":
        return (yield from network_sort(party, distinct, [keys, *columns], bits=width))[1:]
    if chosen == "quicksort":
        drawn = yield from (yield from agree_on_shuffles(party)).draw(party, rows)
        shuffled = yield from drawn.permute(party, [distinct, keys, *columns])
        order = yield from opened_order(party, shuffled[0], bits=width)
        return [column[order] for column in shuffled[1:]]
    raise ValueError(f"there is no sort by {chosen}: radix, quicksort or network")


def argsort(
    party: Party, keys: Vector, *, bits: int, descending: bool = False, method: SortMethod | None = None
) -> Protocol[Vector]:
    """The row numbers in the order of their keys: at place i, which row is i-th."""
    numbers = row_numbers(party.field, len(keys))
    ordered = yield from sort_rows(party, keys, [numbers], bits=bits, descending=descending, method=method)
    return ordered[1]


def rank(
    party: Party, keys: Vector, *, bits: int, descending: bool = False, method: SortMethod | None = None
) -> Protocol[Vector]:
    """The place of every row in the order of the keys, 0 for the first: the inverse of `argsort`."""
    chosen = method or default_method(party)
    if chosen == "radix" and len(keys) > 1:
        shuffles = yield from agree_on_shuffles(party)
        rows = unsigned_bits(party, (yield from to_bits(party, keys, bits=bits)), descending=descending)
        return (yield from radix_destinations(party, shuffles, rows))
    order = yield from argsort(party, keys, bits=bits, descending=descending, method=method)
    return (yield from invert(party, order))


def top(
    party: Party,
    keys: Vector,
    columns: Sequence[Vector] = (),
    *,
    count: int,
    bits: int,
    method: SortMethod | None = None,
) -> Protocol[list[Vector]]:
    """The `count` largest keys, the largest first, and the columns of their rows; of equal keys the earlier first.

    Raises ValueError for a count that is not 0..rows.
    """
    if not 0 <= count <= len(keys):
        raise ValueError(f"the {count} largest of {len(keys)} rows")
    ordered = yield from sort_rows(party, keys, columns, bits=bits, descending=True, method=method)
    return [column[:count] for column in ordered]


def quantile(
    party: Party, x: Vector, *, numerator: int, denominator: int, bits: int, method: SortMethod | None = None
) -> Protocol[Vector]:
    """The smallest element of `x` such that at least numerator/denominator of all are at most as large.

    One element: the nearest rank, no interpolation; the fraction 0 gives the minimum. Raises ValueError for an
    empty `x`, and for a fraction outside 0..1.
    """
    if not len(x) or denominator < 1 or not 0 <= numerator <= denominator:
        raise ValueError(f"the quantile {numerator}/{denominator} of {len(x)} values")
    place = max(0, -(-numerator * len(x) // denominator) - 1)
    ordered = yield from sort(party, x, bits=bits, method=method)
    return ordered[place : place + 1]


def median(party: Party, x: Vector, *, bits: int, method: SortMethod | None = None) -> Protocol[Vector]:
    """The median, and of an even number of values the lower one of the two in the middle; one element."""
    return (yield from quantile(party, x, numerator=1, denominator=2, bits=bits, method=method))


def _radix(
    party: Party, keys: Vector, columns: Sequence[Vector], *, bits: int, descending: bool
) -> Protocol[list[Vector]]:
    shuffles = yield from agree_on_shuffles(party)
    rows = unsigned_bits(party, (yield from to_bits(party, keys, bits=bits)), descending=descending)
    destinations = yield from radix_destinations(party, shuffles, rows)
    return (yield from apply_by(party, shuffles, destinations, columns))


def _index_bits(rows: int) -> int:
    return max(0, rows - 1).bit_length()


def _distinct_keys(party: Party, keys: Vector, *, bits: int, descending: bool) -> tuple[Vector, int]:
    """Keys with the row number below them, in ascending order, and their width."""
    field = party.field
    shift = _index_bits(len(keys))
    if descending:  # -1 - x has the width of x
        keys = field.add_constant(field.neg(keys), -1)
    return field.combine([1 << shift, 1], [keys, row_numbers(field, len(keys))]), bits + shift
