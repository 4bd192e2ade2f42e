"""Bits of secret integers over GF(2^8), for schemes that compute there: a product of bits is one byte.

An integer of w bits is opened under a mask whose low w bits are shared over GF(2^8) (`byte_masks`). Its bits are those
of the difference of public and shared bits: at each place the exclusive or of both and of a borrow, which is whether
the public number is less in all places below. The borrows of all places are a prefix computation of logarithmic depth
[Sklansky 1960], of which the first level goes beside the opening. Bits are rows: arrays of shape (w, batch), bit 0
first.
"""

from __future__ import annotations

import numpy as np

from quorate.protocol.field import Vector

from .binary import multiply_bytes, to_field_bits
from .byte_masks import ByteMask, compare_pairs, compare_places, draw_mask, open_masked, to_field
from .galois import Bytes
from .party import Party, Protocol
from .pool import Plan, dual_integer, integer
from .preprocessing import reserve
from .room import require_room


def byte_bits(party: Party, x: Vector, *, bits: int) -> Protocol[Bytes]:
    """The two's complement bits of x over GF(2^8), for -2^(bits-1) <= x < 2^(bits-1), bits >= 2: rows.

    max(1, ceil(log2(bits - 1))) rounds. Raises ValueError where the field has no room.
    """
    require_room(party, bits)
    count = len(x)
    if not count:
        return np.zeros((bits, 0), dtype=np.uint8)
    yield from reserve(party, Plan({dual_integer(bits): count, integer(party.kappa): count}))
    return (yield from _difference(party, x, draw_mask(party, count, bits, results=0)))


def field_bits(party: Party, x: Vector, *, bits: int) -> Protocol[Vector]:
    """The same bits as shares in the prime field, bit 0 of all first; one round more.

    For len(x) >= 1; the pool holds a `decomposition` for each.
    """
    mask = draw_mask(party, len(x), bits, results=bits)
    rows = yield from _difference(party, x, mask)
    return (yield from to_field(party, rows.reshape(-1), mask))


def _difference(party: Party, x: Vector, mask: ByteMask) -> Protocol[Bytes]:
    """The bits of x: those of the opened sum less those of the mask."""
    bits = len(mask.bits)
    # 2^bits keeps the sum positive, and is 0 in two's complement
    unset, products = yield from open_masked(party, x, mask, offset=1 << bits, paired=bits - 1)
    result: Bytes = mask.bits ^ (1 - unset)
    less, same = compare_places(unset[:-1], mask.bits[:-1])
    paired = 2 * len(products)
    less[1:paired:2], same[1:paired:2] = compare_pairs(unset, mask.bits, products)
    result[1:] ^= yield from _prefixes(party, less, same)
    return result


def _prefixes(party: Party, less: Bytes, same: Bytes) -> Protocol[Bytes]:
    """Whether the places up to each are less; at first odd places tell it of themselves and the one below."""
    places, span = len(less), 2
    while span < places:
        # every place in the upper half of a block of 2 span joins the last place of the lower half
        upper = np.array([place for place in range(places) if place & span], dtype=np.intp)
        lower = (upper | (span - 1)) - span
        inner = upper >= 2 * span  # what starts at bit 0 needs no "same"
        left = np.concatenate([same[upper], same[upper[inner]]])
        right = np.concatenate([less[lower], same[lower[inner]]])
        products = (yield from multiply_bytes(party, left.reshape(-1), right.reshape(-1))).reshape(left.shape)
        less[upper] ^= products[: len(upper)]
        same[upper[inner]] = products[len(upper) :]
        span *= 2
    return less


def byte_suffix_or(party: Party, rows: Bytes) -> Protocol[Bytes]:
    """The or of each row and all after it: ceil(log2(rows)) rounds."""
    places = len(rows)
    table: Bytes = rows[::-1].copy()  # from the highest bit down, so that suffixes are prefixes
    span = 1
    while span < places:
        upper = np.array([place for place in range(places) if place & span], dtype=np.intp)
        lower = (upper | (span - 1)) - span
        left, right = table[upper], table[lower]
        both = yield from multiply_bytes(party, left.reshape(-1), right.reshape(-1))
        table[upper] = left ^ right ^ both.reshape(left.shape)
        span *= 2
    result: Bytes = table[::-1]
    return result


def rows_to_field(party: Party, rows: Bytes) -> Protocol[list[Vector]]:
    """Shares in the prime field of the bits in rows: one round, and a bit shared in both fields for each."""
    count = rows.shape[1]
    bits = yield from to_field_bits(party, np.ascontiguousarray(rows).reshape(-1))
    return [bits[place * count : (place + 1) * count] for place in range(len(rows))]
