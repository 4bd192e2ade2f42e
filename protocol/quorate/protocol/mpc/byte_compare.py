"""Sign, zero and remainder over GF(2^8): a masked opening in the prime field, then a circuit at a byte a product.

The sign of x is the highest bit of the difference of w public bits and w shared ones (`byte_masks`), for which a tree
compares the lower ones; x is zero where all bits are equal. A last opening brings the result back to the prime field.

Rounds: 2 + ceil(log2(m)), for the m = ceil((w - 1) / 2) pairs of lower bits, or the ceil(w / 2) pairs of all. Bits
are rows: arrays of shape (w, batch), bit 0 first.
"""

from __future__ import annotations

import numpy as np

from quorate.protocol.field import Vector

from .binary import multiply_bytes
from .byte_masks import (
    ByteMask,
    compare_pairs,
    compare_places,
    draw_mask,
    draw_results,
    open_masked,
    to_field,
)
from .galois import Bytes
from .party import Party, Protocol
from .pool import exact_integer, integer


def sign_bits(party: Party, x: Vector, *, bits: int) -> Protocol[Vector]:
    """[x < 0] for -2^(bits-1) <= x < 2^(bits-1), bits >= 2; the pool holds a `sign_test` for each."""
    mask = draw_mask(party, len(x), bits, results=1)
    unset, products = yield from open_masked(party, x, mask, offset=1 << (bits - 1), paired=bits - 1)
    less, same = _first_level(unset[:-1], mask.bits[:-1], products)
    borrow = yield from _join_less(party, less, same)
    # x + 2^(bits-1) has its highest bit where x is not negative
    return (yield from to_field(party, unset[-1] ^ mask.bits[-1] ^ borrow, mask))


def zero_bits(party: Party, x: Vector, *, bits: int) -> Protocol[Vector]:
    """[x = 0] for |x| < 2^bits; the pool holds a `zero_test` for each."""
    mask = draw_mask(party, len(x), bits, results=1)
    unset, products = yield from open_masked(party, x, mask, offset=1 << bits, paired=bits)
    _, rows = _first_level(unset, mask.bits, products)
    while len(rows) > 1:
        half = len(rows) // 2
        joined = yield from multiply_bytes(party, rows[:half].reshape(-1), rows[half : 2 * half].reshape(-1))
        rows = np.concatenate([joined.reshape(half, -1), rows[2 * half :]])
    return (yield from to_field(party, rows[0], mask))


def remainders(party: Party, x: Vector, *, bits: int, power: int) -> Protocol[Vector]:
    """x mod 2^power for -2^(bits-1) <= x < 2^(bits-1), 1 <= power < bits; the pool holds a `remainder_plan` for each.

    The remainder is that of the opened sum, less that of the mask, and 2^power more where that is below zero. The
    mask's is known in the prime field up to its bits from 2^power on, which are brought back with the borrow.
    """
    field, pool, count = party.field, party.pool, len(x)
    carried = party.threshold.bit_length()
    low, table = pool.take_columns(exact_integer(power + carried), count)
    high = pool.take(integer(bits - power + party.kappa), count)
    rows = np.ascontiguousarray(table.T)
    whole = field.combine([1 << power, 1], [high, low])
    mask = ByteMask(whole, rows[:power], *draw_results(party, count * (1 + carried)))
    unset, products = yield from open_masked(party, x, mask, offset=1 << (bits - 1), paired=power)
    borrow = yield from _join_less(party, *_first_level(unset, mask.bits, products))
    brought = yield from to_field(party, np.concatenate([borrow, *rows[power:]]), mask)
    parts = [brought[place * count : (place + 1) * count] for place in range(1 + carried)]
    weights = [1 << power, *(1 << (power + place) for place in range(carried))]
    return field.combine([1, -1, *weights], [field.from_bits((1 - unset).view(np.bool_)), low, *parts])


def _first_level(unset: Bytes, bits: Bytes, products: Bytes) -> tuple[Bytes, Bytes]:
    """Nodes over two bits each, and one over the last bit of an odd number: less, and the same."""
    less, same = compare_pairs(unset, bits, products)
    if len(bits) % 2:
        last_less, last_same = compare_places(unset[-1:], bits[-1:])
        less, same = np.concatenate([less, last_less]), np.concatenate([same, last_same])
    return less, same


def _join_less(party: Party, less: Bytes, same: Bytes) -> Protocol[Bytes]:
    """Whether the public number is less, from nodes, lowest first: log2 rounds.

    A node above another is less where it is less, or is the same and the lower one is less.
    """
    while len(less) > 1:
        pairs = len(less) // 2
        upper, lower = same[1 : 2 * pairs : 2], same[0 : 2 * pairs : 2]
        left = np.concatenate([upper, upper[1:]])
        right = np.concatenate([less[0 : 2 * pairs : 2], lower[1:]])  # the lowest "same" is never used
        products = (yield from multiply_bytes(party, left.reshape(-1), right.reshape(-1))).reshape(left.shape)
        joined = less[1 : 2 * pairs : 2] ^ products[:pairs]
        less = np.concatenate([joined, less[2 * pairs :]])
        same = np.concatenate([same[:1], products[pairs:], same[2 * pairs :]])
    borrow: Bytes = less[0]
    return borrow
