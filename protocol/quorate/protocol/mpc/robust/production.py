"""Robust preprocessing: plans in segments of verified dealings, from which all kinds of items are made.

    share    one verified sharing                    double   one at degrees t and 2t
    zero     one of zero                             triple   two shares, a double, one opening of degree 2t
    bit      a share a and a zero of degree 2t: a^2 is opened, and with its even root r the bit is (a / r + 1) / 2
             [Damgard, Fitzi, Kiltz, Nielsen, Toft, TCC 2006, section 3]
    integer  of width w: w bits, so exactly uniform below 2^w

A segment whose check finds someone wrong is thrown away; the culprits are excluded, and it is made again without them.
What is in the pool is verified. See `dealing` and `products` for the adversary and the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from quorate.protocol.errors import ProtocolAbort
from quorate.protocol.field import Vector
from quorate.protocol.mpc.batches import join
from quorate.protocol.mpc.logic import bits_to_integer
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import BIT, DOUBLE, SHARE, TRIPLE, Item, Plan, integer

from .dealing import Dealings, deal_segment
from .layout import Family, Layout
from .opening import standing_of
from .products import Place, Products, open_products

ZERO: Final = Item("zero")
"""A fresh sharing of zero, of degree t."""
PRODUCED: Final = frozenset({"bit", "double", "integer", "share", "triple", "zero"})
MAX_SEGMENT: Final = 1 << 15
"""The most polynomials of degree t that a holder deals in one segment, in round numbers."""


@dataclass(frozen=True, slots=True)
class _Step:
    """How many items one segment makes."""

    shares: int
    doubles: int
    zeros: int
    triples: int
    bits: int


def produce(party: Party, plan: Plan) -> Protocol[None]:
    """Put everything in `plan` into the party's pool.

    Raises ValueError for items of other kinds, and ProtocolAbort when more parties are wrong or late than the
    committee withstands.
    """
    if unknown := [item.name for item in plan if item.name not in PRODUCED]:
        raise ValueError(f"the robust scheme makes no {', '.join(unknown)}")
    of_integers = sum(item.width * count for item, count in plan.items() if item.name == "integer")
    left = _Step(plan[SHARE], plan[DOUBLE], plan[ZERO], plan[TRIPLE], plan[BIT] + of_integers)
    bits: list[Vector] = []
    while any((left.shares, left.doubles, left.zeros, left.triples, left.bits)):
        step = _next_step(party, left)
        made = yield from _make(party, step)
        if made is None:
            continue
        bits.append(made)
        left = _Step(
            left.shares - step.shares,
            left.doubles - step.doubles,
            left.zeros - step.zeros,
            left.triples - step.triples,
            left.bits - step.bits,
        )
    _put_bits(party, plan, join(party.field, bits))


def _next_step(party: Party, left: _Step) -> _Step:
    """As much of what is left as fits in a segment."""
    room = MAX_SEGMENT * _yield_of(party)
    taken = []
    for count, cost in ((left.shares, 1), (left.doubles, 1), (left.zeros, 1), (left.triples, 3), (left.bits, 2)):
        taken.append(min(count, room // cost))
        room -= taken[-1] * cost
    return _Step(*taken)


def _yield_of(party: Party) -> int:
    """How many items one dealt by each holder give: n' - t'."""
    standing = standing_of(party)
    return len(standing.holders) - standing.most_wrong


def _make(party: Party, step: _Step) -> Protocol[Vector | None]:
    """Make the items of one segment, and put them into the pool but for the bits, which are returned; None if lost."""
    rows = _yield_of(party)

    def dealt(count: int) -> int:
        return -(-count // rows)

    standing = standing_of(party)
    a, roots = dealt(step.triples), dealt(step.bits)
    layout = Layout(
        party.threshold,
        standing.most_wrong,
        operands=2 * a + roots,
        shares=dealt(step.shares),
        zeros=dealt(step.zeros),
        doubles=dealt(step.doubles),
        products=a,
        masks=roots,
    )
    dealings = yield from deal_segment(party, layout)
    if dealings is None:
        return None
    extracted = [_extract(party, dealings, family, rows) for family in layout.families]
    parts = [_Part(a, x=0, y=a, mask=0), _Part(roots, x=2 * a, y=2 * a, mask=a)]
    opened = yield from _open_parts(party, parts, dealings, extracted)
    if opened is None:
        return None
    low, high = extracted[Family.LOW], extracted[Family.HIGH]
    if step.triples:
        hidden = _flat(low, layout.products_at, step.triples)
        product = party.field.add(opened[0][: step.triples], hidden)
        party.pool.put(
            TRIPLE, _flat(low, slice(0, a), step.triples), _flat(low, slice(a, 2 * a), step.triples), product
        )
    party.pool.put(SHARE, _flat(low, layout.shares_at, step.shares))
    party.pool.put(ZERO, _flat(low, layout.zeros_at, step.zeros))
    doubles = _flat(low, layout.doubles_at, step.doubles)
    party.pool.put(DOUBLE, doubles, _flat(high, slice(0, layout.doubles), step.doubles))
    return _bits(party, _flat(low, slice(2 * a, layout.operands), step.bits), opened[1][: step.bits])


@dataclass(frozen=True, slots=True)
class _Part:
    """Products of `count` operands each at x and y, with masks of WIDE: in every row of what was extracted."""

    count: int
    x: int
    y: int
    mask: int


def _open_parts(
    party: Party, parts: Sequence[_Part], dealings: Dealings, extracted: Sequence[list[Vector]]
) -> Protocol[list[Vector] | None]:
    """Open the products of all parts in one round; the values by part, in the order of `_flat`."""
    field = party.field
    operands, wide = extracted[dealings.layout.operand_family], extracted[Family.WIDE]
    shares, places = [field.zeros(0)], []
    for part in parts:
        for row, (values, masks) in enumerate(zip(operands, wide, strict=True)):
            x, y = (values[at : at + part.count] for at in (part.x, part.y))
            shares.append(field.sub(field.mul(x, y), masks[part.mask : part.mask + part.count]))
            places.append((row, part))
    whole = np.concatenate(shares)
    if not len(whole):
        return [whole for _ in parts]
    opened = yield from open_products(party, Products(whole, _Places(places)), dealings)
    if opened is None:
        return None
    values_of, start = [], 0
    for part in parts:
        stop = start + part.count * len(operands)
        values_of.append(opened[start:stop])
        start = stop
    return values_of


class _Places(Sequence[Place]):
    """Where each column comes from, computed when asked: runs of positions, by row and part."""

    def __init__(self, runs: list[tuple[int, _Part]]) -> None:
        self._runs = runs

    def __len__(self) -> int:
        return sum(part.count for _, part in self._runs)

    def __getitem__(self, column: int) -> Place:  # type: ignore[override]  # single places only, no slices
        for row, part in self._runs:
            if column < part.count:
                return Place(row, part.x + column, part.y + column, part.mask + column)
            column -= part.count
        raise IndexError(column)


def _extract(party: Party, dealings: Dealings, family: Family, rows: int) -> list[Vector]:
    """`rows` combinations of what the holders dealt; zeros at a party that holds no shares."""
    vectors = [parts[family] for parts in dealings.shares.values()]
    if not vectors:
        return [party.field.zeros(dealings.layout.counts[family]) for _ in range(rows)]
    matrix = [[point**exponent for point in range(1, len(vectors) + 1)] for exponent in range(rows)]
    return party.field.matrix(matrix, vectors)


def _flat(rows: Sequence[Vector], at: slice, count: int) -> Vector:
    """The first `count` of the items at `at` of every row, row after row."""
    return np.concatenate([row[at] for row in rows])[:count]


def _bits(party: Party, a: Vector, squares: Vector) -> Vector:
    """(a / r + 1) / 2 for the even root r of each square; 0 in the place of the rare a = 0."""
    field = party.field
    if not len(a):
        return a
    if party.identity not in standing_of(party).holders:
        return field.zeros(len(a))
    is_zero = field.is_zero(squares)
    try:
        roots = field.square_roots(squares)
    except ValueError:
        raise ProtocolAbort(
            "an opened square is none: more parties are wrong than the committee withstands"
        ) from None
    roots[is_zero] = field.full(1, 1)[0]
    halves = field.scale(field.mul(a, field.inverses(roots)), field.inverse(2))
    bits = field.add_constant(halves, field.inverse(2))
    bits[is_zero] = 0
    return bits


def _put_bits(party: Party, plan: Plan, bits: Vector) -> None:
    """The bits of the plan, and its integers, of `width` bits each."""
    if not len(bits):
        return
    party.pool.put(BIT, bits[: plan[BIT]])
    start = plan[BIT]
    for item, count in plan.items():
        if item.name == "integer":
            rows = [bits[start + place * count : start + (place + 1) * count] for place in range(item.width)]
            party.pool.put(integer(item.width), bits_to_integer(party, rows))
            start += item.width * count
