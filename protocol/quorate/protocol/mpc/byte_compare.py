"""Sign, zero and remainder over GF(2^8): a masked opening in the prime field, then a circuit at a byte a product.

[Catrina, de Hoogh, SCN 2010, for the masked opening; Escudero, Ghosh, Keller, Rachuri, Scholl, CRYPTO 2020, for masks
in two fields.] To x of w bits a mask r = 2^w r'' + r' is added, where r'' is kappa bits wide and the bits of r'
modulo 2^w are shared over GF(2^8); the sum is opened and hides x up to 2^-kappa. The sign of x is the highest bit of
the difference of w public bits and w shared ones, for which a tree compares the lower ones; x is zero where all bits
are equal. The first level of the tree takes products of shared bits only, which go beside the opening. A last
opening brings the result back by a random bit that is shared in both fields.

Rounds: 2 + ceil(log2(m)), for the m = ceil((w - 1) / 2) pairs of lower bits, or the ceil(w / 2) pairs of all. Bits
are rows: arrays of shape (w, batch), bit 0 first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorate.protocol.field import Vector

from .binary import multiply_bytes, open_bytes
from .galois import Bytes
from .logic import logical_not
from .operations import open_shares
from .party import Party, Protocol
from .pool import DUAL_BIT, dual_integer, exact_integer, integer
from .rounds import together


@dataclass(frozen=True, slots=True, repr=False)
class _Mask:
    """The mask in the prime field, its low bits over GF(2^8), and bits in both fields for the results."""

    whole: Vector
    bits: Bytes
    result_field: Vector
    result_byte: Bytes


def _draw_mask(party: Party, count: int, width: int) -> _Mask:
    low, bits = party.pool.take_columns(dual_integer(width), count)
    high = party.pool.take(integer(party.kappa), count)
    result_field, result_byte = party.pool.take_columns(DUAL_BIT, count)
    whole = party.field.combine([1 << width, 1], [high, low])
    return _Mask(whole, np.ascontiguousarray(bits.T), result_field, result_byte)


def sign_bits(party: Party, x: Vector, *, bits: int) -> Protocol[Vector]:
    """[x < 0] for -2^(bits-1) <= x < 2^(bits-1), bits >= 2; the pool holds a `sign_test` for each."""
    mask = _draw_mask(party, len(x), bits)
    unset, products = yield from _open_masked(party, x, mask, offset=1 << (bits - 1), paired=bits - 1)
    less, same = _first_level(unset[:-1], mask.bits[:-1], products)
    borrow = yield from _join_less(party, less, same)
    # x + 2^(bits-1) has its highest bit where x is not negative
    return (yield from _to_field(party, unset[-1] ^ mask.bits[-1] ^ borrow, mask))


def zero_bits(party: Party, x: Vector, *, bits: int) -> Protocol[Vector]:
    """[x = 0] for |x| < 2^bits; the pool holds a `zero_test` for each."""
    mask = _draw_mask(party, len(x), bits)
    unset, products = yield from _open_masked(party, x, mask, offset=1 << bits, paired=bits)
    _, rows = _first_level(unset, mask.bits, products)
    while len(rows) > 1:
        half = len(rows) // 2
        joined = yield from multiply_bytes(party, rows[:half].reshape(-1), rows[half : 2 * half].reshape(-1))
        rows = np.concatenate([joined.reshape(half, -1), rows[2 * half :]])
    return (yield from _to_field(party, rows[0], mask))


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
    result_field, result_byte = pool.take_columns(DUAL_BIT, count * (1 + carried))
    mask = _Mask(field.combine([1 << power, 1], [high, low]), rows[:power], result_field, result_byte)
    unset, products = yield from _open_masked(party, x, mask, offset=1 << (bits - 1), paired=power)
    borrow = yield from _join_less(party, *_first_level(unset, mask.bits, products))
    brought = yield from _to_field(party, np.concatenate([borrow, *rows[power:]]), mask)
    parts = [brought[place * count : (place + 1) * count] for place in range(1 + carried)]
    weights = [1 << power, *(1 << (power + place) for place in range(carried))]
    return field.combine([1, -1, *weights], [field.from_bits((1 - unset).view(np.bool_)), low, *parts])


def _open_masked(
    party: Party, x: Vector, mask: _Mask, *, offset: int, paired: int
) -> Protocol[tuple[Bytes, Bytes]]:
    """x + offset + mask as public bits, inverted; and the products of neighbours among the first `paired` bits."""
    field = party.field
    masked = field.add_constant(field.add(x, mask.whole), offset)
    high, low = mask.bits[1:paired:2], mask.bits[0 : paired - paired % 2 : 2]
    opened, products = yield from together(
        party, open_shares(party, masked), multiply_bytes(party, high.reshape(-1), low.reshape(-1))
    )
    return (~field.bits(opened, len(mask.bits))).astype(np.uint8), products.reshape(high.shape)


def _first_level(unset: Bytes, bits: Bytes, products: Bytes) -> tuple[Bytes, Bytes]:
    """Nodes over two bits each: whether the public bits are less than the shared ones there, and the same.

    `unset` is 1 where a public bit is 0; its negative has all bits of the byte set there.
    """
    paired = 2 * len(products)
    high, low = bits[1:paired:2], bits[0:paired:2]
    high_unset, low_unset = unset[1:paired:2], unset[0:paired:2]
    high_mask, low_mask = -high_unset, -low_unset
    less = (high & high_mask) ^ ((products ^ (low & high_mask)) & low_mask)
    same = products ^ (high & low_mask) ^ (low & high_mask) ^ (high_unset & low_unset)
    if paired < len(bits):
        less = np.concatenate([less, bits[-1:] & -unset[-1:]])
        same = np.concatenate([same, bits[-1:] ^ unset[-1:]])
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


def _to_field(party: Party, x: Bytes, mask: _Mask) -> Protocol[Vector]:
    opened = yield from open_bytes(party, x ^ mask.result_byte)
    inverted = logical_not(party, mask.result_field)
    return np.where((opened & 1).astype(np.bool_)[:, np.newaxis], inverted, mask.result_field)
