"""Comparison of bounded signed integers: masked opening, then a bitwise comparison with public bits.

[Catrina, de Hoogh, Improved Primitives for Secure Multiparty Integer Computation, SCN 2010, sections 3-5; the
bitwise comparison here is a tree of logarithmic depth.]

For |x| < 2^(bits-1), a mask r = 2^m r'' + r' with m known bits r' and a wide r'' is added to 2^(bits-1) + x and
the sum is opened. It hides x up to 2^-kappa, as r'' is kappa bits wider than x; it does not wrap, because the
field is large enough (checked: ValueError otherwise). What is opened gives x mod 2^m up to a borrow, which is the
comparison of m public bits with the m shared bits of r'.

Vectors are batches: the rounds do not depend on their length until a step would exceed MAX_ROUND_ELEMENTS; then
the batch is cut into pieces that go one after another. Bits are rows: the shares of m bits of a batch of n values
are one vector of m n elements, bit 0 of all values first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import Vector

from .batches import MAX_ROUND_ELEMENTS, join
from .byte_bits import field_bits
from .byte_compare import remainders, sign_bits, zero_bits
from .logic import logical_not
from .masks import COUNTED_FROM_BITS, decomposition, expand, remainder_plan, sign_test, zero_test
from .operations import multiply, open_shares
from .party import Party, Protocol
from .pool import BIT, DUAL_BIT, Plan, integer
from .preprocessing import reserve
from .room import require_room
from .rounds import together

MAX_COMPARED_BITS: Final = 192
"""The widest integer that can be compared; the field may allow less."""

MAX_TABLE_BYTES: Final = 1 << 20
"""The most bytes in a table of bits over GF(2^8); longer batches go in pieces."""

PublicBits = NDArray[np.bool_]
"""Shape (bits, batch)."""


def less_than_zero_plan(count: int, bits: int, kappa: int) -> Plan:
    """What `count` calls of `less_than_zero` at `bits` take from the pool, whatever the scheme; see `masks`."""
    del kappa  # `masks.expand` brings it in
    return Plan({sign_test(bits): count if bits > 1 else 0})


def less_than_plan(count: int, bits: int, kappa: int) -> Plan:
    """What `count` calls of `less_than` at `bits` take from the pool."""
    return less_than_zero_plan(count, bits + 1, kappa)


def equal_plan(count: int, bits: int, kappa: int) -> Plan:
    """What `count` calls of `equal` at `bits` take from the pool, whatever the scheme; see `masks`."""
    del kappa
    return Plan({zero_test(bits): count})


def to_bits_plan(count: int, bits: int, kappa: int) -> Plan:
    """What `count` calls of `to_bits` at `bits` take from the pool, whatever the scheme; see `masks`."""
    del kappa
    return Plan({decomposition(bits): count if bits > 1 else 0})


def less_than(party: Party, x: Vector, y: Vector, *, bits: int) -> Protocol[Vector]:
    """[x < y] for integers of `bits` bits, signed: -2^(bits-1) <= x, y < 2^(bits-1).

    As `less_than_zero` at bits + 1.
    """
    return (yield from less_than_zero(party, party.field.sub(x, y), bits=bits + 1))


def less_than_zero(party: Party, x: Vector, *, bits: int) -> Protocol[Vector]:
    """[x < 0] for -2^(bits-1) <= x < 2^(bits-1).

    `ceil(log2(bits))` rounds in the prime field; one more, of short messages, where the scheme computes on bytes.
    """
    _check_width(party, bits)

    def batch(part: Vector) -> Protocol[Vector]:
        if party.scheme.computes_on_bytes:
            return (yield from sign_bits(party, part, bits=bits))
        remainder = yield from _remainder(party, part, bits=bits, power=bits - 1)
        # x - (x mod 2^(bits-1)) is -2^(bits-1) for a negative x, and 0 otherwise
        return _divide_by_power(party, party.field.sub(remainder, part), bits - 1)

    if bits == 1:  # x is -1 or 0
        return party.field.neg(x)
    return (yield from _in_batches(party, x, less_than_zero_plan(1, bits, party.kappa), batch))


def modulo_power(party: Party, x: Vector, *, bits: int, power: int) -> Protocol[Vector]:
    """x mod 2^power in 0..2^power - 1, for -2^(bits-1) <= x < 2^(bits-1) and 0 <= power < bits."""
    _check_width(party, bits)
    if not 0 <= power < bits:
        raise ValueError(f"a remainder of {power} bits of an integer of {bits}")

    on_bytes = party.scheme.computes_on_bytes

    def batch(part: Vector) -> Protocol[Vector]:
        operation = remainders if on_bytes else _remainder
        return (yield from operation(party, part, bits=bits, power=power))

    if power == 0:
        return party.field.zeros(len(x))
    each = remainder_plan(bits, power, kappa=party.kappa, threshold=party.threshold, on_bytes=on_bytes)
    return (yield from _in_batches(party, x, each, batch))


def shift_right(party: Party, x: Vector, *, bits: int, power: int) -> Protocol[Vector]:
    """floor(x / 2^power), for -2^(bits-1) <= x < 2^(bits-1) and 0 <= power < bits."""
    remainder = yield from modulo_power(party, x, bits=bits, power=power)
    return _divide_by_power(party, party.field.sub(x, remainder), power)


def equal(party: Party, x: Vector, y: Vector, *, bits: int) -> Protocol[Vector]:
    """[x = y] for integers of `bits` bits, signed or not: they must differ by less than 2^bits.

    The masked difference is opened, and the bits in which it differs from the mask are counted, which is linear;
    whether the count is zero is the same question over about log2(bits) bits.
    """
    _check_width(party, bits + 1)

    def batch(part: Vector) -> Protocol[Vector]:
        if party.scheme.computes_on_bytes:
            return (yield from zero_bits(party, part, bits=bits))
        return (yield from _is_zero(party, part, bits, _draw_zero_masks(party, len(part), bits)))

    plan = equal_plan(1, bits, party.kappa)
    return (yield from _in_batches(party, party.field.sub(x, y), plan, batch))


def to_bits(party: Party, x: Vector, *, bits: int) -> Protocol[list[Vector]]:
    """The `bits` two's complement bits of each x, -2^(bits-1) <= x < 2^(bits-1); bit i of all is at index i.

    `2 + ceil(log2(bits - 1))` rounds in the prime field; one less where the scheme computes on bytes.
    """
    limbs = party.field.limbs
    _check_width(party, bits)
    if bits == 1:  # x is -1 or 0
        return [party.field.neg(x)]

    def batch(part: Vector) -> Protocol[Vector]:
        operation = field_bits if party.scheme.computes_on_bytes else _bits_of_batch
        rows = (yield from operation(party, part, bits=bits)).reshape(bits, len(part), limbs)
        return np.ascontiguousarray(rows.transpose(1, 0, 2)).reshape(-1, limbs)

    rows = yield from _in_batches(party, x, to_bits_plan(1, bits, party.kappa), batch)
    table = rows.reshape(-1, bits, limbs)
    return [np.ascontiguousarray(table[:, position]) for position in range(bits)]


# Masked opening


@dataclass(frozen=True, slots=True)
class _Mask:
    """r = 2^power r'' + r': the bits of r' as rows, r' itself, and r."""

    bits: Vector
    low: Vector
    whole: Vector


def _check_width(party: Party, bits: int) -> None:
    if not 1 <= bits <= MAX_COMPARED_BITS:
        raise ValueError(f"integers of {bits} bits: 1 to {MAX_COMPARED_BITS} bits can be compared")
    require_room(party, bits)


def _draw_mask(party: Party, count: int, *, bits: int, power: int) -> _Mask:
    field, pool = party.field, party.pool
    high = pool.take(integer(bits - power + party.kappa), count)
    rows = pool.take(BIT, count * power)
    split = [rows[position * count : (position + 1) * count] for position in range(power)]
    low = field.combine([1 << position for position in range(power)], split)
    return _Mask(rows, low, field.combine([1 << power, 1], [high, low]))


def _low_bits(party: Party, opened: Vector, count: int) -> tuple[PublicBits, Vector]:
    """Public values mod 2^count: as bits, shape (count, batch), and as field elements."""
    bits = party.field.bits(opened, count)
    return bits, party.field.from_bits(bits)


def _remainder(party: Party, x: Vector, *, bits: int, power: int) -> Protocol[Vector]:
    """x mod 2^power, for 1 <= power < bits; the first level of the comparison runs beside the opening."""
    field = party.field
    mask = _draw_mask(party, len(x), bits=bits, power=power)
    masked = field.add_constant(field.add(x, mask.whole), 1 << (bits - 1))
    opened, pairs = yield from together(party, open_shares(party, masked), _pair_products(party, mask.bits, power))
    public, low = _low_bits(party, opened, power)
    borrow = yield from _less_than_tree(party, *_first_level(party, public, mask.bits, pairs))
    # (2^(bits-1) + x + r) mod 2^power - r', plus 2^power where that is below zero
    return field.combine([1, -1, 1 << power], [low, mask.low, borrow])


def _divide_by_power(party: Party, x: Vector, power: int) -> Vector:
    return party.field.scale(x, party.field.inverse(1 << power))


# Comparison of public bits with shared bits: a < b. A node covers consecutive bits and holds "less" and "equal".


def _pair_products(party: Party, rows: Vector, power: int) -> Protocol[Vector]:
    """The products of bits 2i + 1 and 2i, as rows."""
    limbs = party.field.limbs
    pairs = power // 2
    table = rows.reshape(power, -1, limbs)
    if not pairs:
        return party.field.zeros(0)
    high = np.ascontiguousarray(table[1::2]).reshape(-1, limbs)
    low = np.ascontiguousarray(table[0 : 2 * pairs : 2]).reshape(-1, limbs)
    return (yield from multiply(party, high, low))


def _first_level(party: Party, public: PublicBits, rows: Vector, products: Vector) -> tuple[Vector, Vector]:
    """Nodes over two bits each, shapes (nodes, batch, 4): public bits choose among b1, b0 and b1 b0."""
    limbs = party.field.limbs
    field = party.field
    power, count = public.shape
    pairs = power // 2
    table = rows.reshape(power, count, limbs)
    high, low = (np.ascontiguousarray(table[start : 2 * pairs : 2]).reshape(-1, limbs) for start in (1, 0))
    high_set, low_set = (public[start : 2 * pairs : 2].reshape(-1, 1) for start in (1, 0))
    either = field.combine([1, 1, -1], [high, low, products])
    nothing = field.zeros(1)
    less = np.where(high_set, np.where(low_set, nothing, products), np.where(low_set, high, either))
    same_high = np.where(low_set, products, field.sub(high, products))
    same_low = np.where(low_set, field.sub(low, products), logical_not(party, either))
    same = np.where(high_set, same_high, same_low)
    less, same = less.reshape(pairs, count, limbs), same.reshape(pairs, count, limbs)
    if power % 2:
        top, top_set = table[-1], public[-1][:, np.newaxis]
        less = np.concatenate([less, np.where(top_set, nothing, top)[np.newaxis]])
        same = np.concatenate([same, np.where(top_set, top, logical_not(party, top))[np.newaxis]])
    return less, same


def _less_than_tree(party: Party, less: Vector, same: Vector) -> Protocol[Vector]:
    """[a < b] from nodes of shape (nodes, batch, 4), lowest first: log2 rounds.

    A node above another is less where it is less, or is equal and the lower one is less. The lowest node never
    needs its own "equal".
    """
    limbs = party.field.limbs
    count = less.shape[1]
    while len(less) > 1:
        pairs = len(less) // 2
        upper_same, lower_less = same[1::2], less[0 : 2 * pairs : 2]
        left = np.concatenate([upper_same, upper_same[1:]]).reshape(-1, limbs)
        right = np.concatenate([lower_less, same[2 : 2 * pairs : 2]]).reshape(-1, limbs)
        products = (yield from multiply(party, left, right)).reshape(-1, count, limbs)
        upper_less = np.ascontiguousarray(less[1::2]).reshape(-1, limbs)
        joined = party.field.add(upper_less, products[:pairs].reshape(-1, limbs)).reshape(
            pairs, count, party.field.limbs
        )
        # the place of the lowest "equal" is kept, and never read
        equals = np.concatenate([same[:1], products[pairs:]])
        less = np.concatenate([joined, less[2 * pairs :]])
        same = np.concatenate([equals, same[2 * pairs :]])
    return np.ascontiguousarray(less[0])


# Zero test and bit decomposition


def _draw_zero_masks(party: Party, count: int, bits: int) -> list[_Mask]:
    """The masks of a test for zero and of the tests of counts that follow, all drawn at its start."""
    masks = [_draw_mask(party, count, bits=bits + 1, power=bits)]
    if bits >= COUNTED_FROM_BITS:
        masks += _draw_zero_masks(party, count, bits.bit_length())
    return masks


def _is_zero(party: Party, x: Vector, bits: int, masks: Sequence[_Mask]) -> Protocol[Vector]:
    """[x = 0] for |x| < 2^bits."""
    field = party.field
    count, mask = len(x), masks[0]
    masked = field.add_constant(field.add(x, mask.whole), 1 << bits)
    opened = yield from open_shares(party, masked)
    public, _ = _low_bits(party, opened, bits)
    differing = np.where(public.reshape(-1, 1), logical_not(party, mask.bits), mask.bits)
    rows = [differing[position * count : (position + 1) * count] for position in range(bits)]
    if bits >= COUNTED_FROM_BITS:
        return (yield from _is_zero(party, field.combine([1] * bits, rows), bits.bit_length(), masks[1:]))
    rows = [logical_not(party, row) for row in rows]
    while len(rows) > 1:
        half = len(rows) // 2
        products = yield from multiply(
            party, join(party.field, rows[:half]), join(party.field, rows[half : 2 * half])
        )
        rows = [products[index * count : (index + 1) * count] for index in range(half)] + rows[2 * half :]
    return rows[0]


def _bits_of_batch(party: Party, x: Vector, *, bits: int) -> Protocol[Vector]:
    """The bits as rows: two's complement, the public sum less the mask's shared bits."""
    limbs = party.field.limbs
    field = party.field
    count = len(x)
    mask = _draw_mask(party, count, bits=bits, power=bits)
    # 2^bits keeps the sum positive, and is 0 in two's complement
    opened = yield from open_shares(party, field.add_constant(field.add(x, mask.whole), 1 << bits))
    public, _ = _low_bits(party, opened, bits)
    table = mask.bits.reshape(bits, count, limbs)
    chosen = public[:, :, np.newaxis]
    inverted = logical_not(party, mask.bits).reshape(bits, count, limbs)
    less = np.where(chosen, field.zeros(1), table)
    same = np.where(chosen, table, inverted)
    differing = np.ascontiguousarray(np.where(chosen, inverted, table)).reshape(-1, limbs)
    borrows = yield from _prefixes(party, less, same)
    borrowed = np.concatenate([np.zeros((1, count, limbs), dtype=np.uint64), borrows[:-1]]).reshape(
        -1, party.field.limbs
    )
    product = yield from multiply(party, differing[count:], borrowed[count:])
    higher = field.combine([1, 1, -2], [differing[count:], borrowed[count:], product])
    return np.concatenate([differing[:count], higher])


def _prefixes(party: Party, less: Vector, same: Vector) -> Protocol[Vector]:
    """The comparison of the lowest i + 1 bits at place i, shape (bits, batch, 4): log2 rounds [Sklansky 1960]."""
    limbs = party.field.limbs
    bits, count = less.shape[:2]
    less, same = less.copy(), same.copy()
    span = 1
    while span < bits - 1:
        # every place in the upper half of a block of 2 span joins the last place of the lower half
        upper = np.array([place for place in range(bits - 1) if place & span], dtype=np.intp)
        lower = (upper | (span - 1)) - span
        inner = upper >= 2 * span  # a prefix that starts at bit 0 needs no "equal"
        left = np.concatenate([same[upper], same[upper[inner]]]).reshape(-1, limbs)
        right = np.concatenate([less[lower], same[lower[inner]]]).reshape(-1, limbs)
        products = (yield from multiply(party, left, right)).reshape(-1, count, limbs)
        joined = party.field.add(less[upper].reshape(-1, limbs), products[: len(upper)].reshape(-1, limbs))
        less[upper] = joined.reshape(-1, count, limbs)
        same[upper[inner]] = products[len(upper) :]
        span *= 2
    return less


# Batches


def _in_batches(
    party: Party, x: Vector, each: Plan, operation: Callable[[Vector], Protocol[Vector]]
) -> Protocol[Vector]:
    """Apply `operation` to pieces of x that keep tables of bits in bounds; `each` is one value's plan."""
    each = expand(each, kappa=party.kappa, on_bytes=party.scheme.computes_on_bytes)
    in_bytes = each[DUAL_BIT] + sum(item.width for item in each if item.name in {"dual_integer", "exact_integer"})
    size = max(1, min(MAX_ROUND_ELEMENTS // max(1, each.bits), MAX_TABLE_BYTES // max(1, in_bytes)))
    results = []
    for start in range(0, len(x), size):
        part = x[start : start + size]
        yield from reserve(party, each.times(len(part)))
        results.append((yield from operation(part)))
    return join(party.field, results)
