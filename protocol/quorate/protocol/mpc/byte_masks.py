"""Masked opening of integers whose bits are then computed with over GF(2^8), at a byte a product.

[Catrina, de Hoogh, SCN 2010, for the masked opening; Escudero, Ghosh, Keller, Rachuri, Scholl, CRYPTO 2020, for masks
in two fields.] To x of w bits a mask r = 2^w r'' + r' is added, where r'' is kappa bits wide and the bits of r'
modulo 2^w are shared over GF(2^8); the sum is opened and hides x up to 2^-kappa. What follows is a circuit on w public
bits and w shared ones. Its first level takes products of shared bits only, which go beside the opening. Results come
back to the prime field by random bits that are shared in both, in one more opening.

Bits are rows: arrays of shape (w, batch), bit 0 first.
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
from .pool import DUAL_BIT, dual_integer, integer
from .rounds import together


@dataclass(frozen=True, slots=True, repr=False)
class ByteMask:
    """The mask in the prime field, its low bits over GF(2^8), and bits in both fields for the results."""

    whole: Vector
    bits: Bytes
    result_field: Vector
    result_byte: Bytes


def draw_mask(party: Party, count: int, width: int, *, results: int) -> ByteMask:
    """Masks for `count` >= 1 integers of `width` bits, with `results` bits each; the pool holds them."""
    low, bits = party.pool.take_columns(dual_integer(width), count)
    high = party.pool.take(integer(party.kappa), count)
    whole = party.field.combine([1 << width, 1], [high, low])
    return ByteMask(whole, np.ascontiguousarray(bits.T), *draw_results(party, count * results))


def draw_results(party: Party, count: int) -> tuple[Vector, Bytes]:
    """Random bits in both fields, for `count` results; the pool holds them."""
    if not count:
        return party.field.zeros(0), np.zeros(0, dtype=np.uint8)
    in_field, in_bytes = party.pool.take_columns(DUAL_BIT, count)
    return in_field, in_bytes


def open_masked(
    party: Party, x: Vector, mask: ByteMask, *, offset: int, paired: int
) -> Protocol[tuple[Bytes, Bytes]]:
    """x + offset + mask as public bits, inverted; and the products of neighbours among the first `paired` bits."""
    field = party.field
    masked = field.add_constant(field.add(x, mask.whole), offset)
    high, low = mask.bits[1:paired:2], mask.bits[0 : paired - paired % 2 : 2]
    opened, products = yield from together(
        party, open_shares(party, masked), multiply_bytes(party, high.reshape(-1), low.reshape(-1))
    )
    return (~field.bits(opened, len(mask.bits))).astype(np.uint8), products.reshape(high.shape)


def compare_places(unset: Bytes, bits: Bytes) -> tuple[Bytes, Bytes]:
    """Whether the public bit is less than the shared one at each place, and whether they are the same.

    `unset` is 1 where a public bit is 0; its negative has all bits of the byte set there.
    """
    return bits & -unset, bits ^ unset


def compare_pairs(unset: Bytes, bits: Bytes, products: Bytes) -> tuple[Bytes, Bytes]:
    """The same for each pair of neighbours, as numbers of two bits, whose shared bits have these products."""
    paired = 2 * len(products)
    high, low = bits[1:paired:2], bits[0:paired:2]
    high_unset, low_unset = unset[1:paired:2], unset[0:paired:2]
    high_mask, low_mask = -high_unset, -low_unset
    less = (high & high_mask) ^ ((products ^ (low & high_mask)) & low_mask)
    same = products ^ (high & low_mask) ^ (low & high_mask) ^ (high_unset & low_unset)
    return less, same


def to_field(party: Party, x: Bytes, mask: ByteMask) -> Protocol[Vector]:
    """Shares in the prime field of the bits of results, one for each that the mask was drawn for: one round."""
    opened = yield from open_bytes(party, x ^ mask.result_byte)
    inverted = logical_not(party, mask.result_field)
    return np.where((opened & 1).astype(np.bool_)[:, np.newaxis], inverted, mask.result_field)
