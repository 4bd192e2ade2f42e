"""Bits of secret integers over GF(2^8), for schemes that compute there: a product of bits is one byte.

As in `byte_compare` of the package above, an integer of w bits is opened under a mask whose low w bits are shared over
GF(2^8). The bits of the integer are those of the difference of public and shared bits; the borrows of all places are
a prefix computation of logarithmic depth [Sklansky 1960]. Bits are rows: arrays of shape (w, batch), bit 0 first.
"""

from __future__ import annotations

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.binary import multiply_bytes, to_field_bits
from quorate.protocol.mpc.compare import to_bits
from quorate.protocol.mpc.galois import Bytes
from quorate.protocol.mpc.operations import open_shares
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import Plan, dual_integer, integer
from quorate.protocol.mpc.preprocessing import reserve

from .truncation import require_room


def byte_bits(party: Party, x: Vector, *, bits: int) -> Protocol[Bytes]:
    """The two's complement bits of x, shape (bits, batch), for -2^(bits-1) <= x < 2^(bits-1), bits >= 2.

    1 + ceil(log2(bits - 1)) rounds.
    """
    require_room(party, bits)
    field, count = party.field, len(x)
    if not count:
        return np.zeros((bits, 0), dtype=np.uint8)
    yield from reserve(party, Plan({dual_integer(bits): count, integer(party.kappa): count}))
    low, columns = party.pool.take_columns(dual_integer(bits), count)
    high = party.pool.take(integer(party.kappa), count)
    mask = np.ascontiguousarray(columns.T)
    # 2^bits keeps the sum positive, and is 0 in two's complement
    masked = field.add_constant(field.combine([1, 1, 1 << bits], [x, low, high]), 1 << bits)
    public = field.bits((yield from open_shares(party, masked)), bits).astype(np.uint8)
    result: Bytes = public ^ mask
    # a place borrows where the public number is less than the mask in all places below
    unset = 1 - public[:-1]
    result[1:] ^= yield from _prefixes(party, mask[:-1] & -unset, mask[:-1] ^ unset)
    return result


def bit_rows(party: Party, x: Vector, *, bits: int) -> Protocol[list[Vector]]:
    """The two's complement bits of x in the prime field, found over GF(2^8) where the scheme computes there.

    For -2^(bits-1) <= x < 2^(bits-1), bits >= 2.
    """
    if not party.scheme.computes_on_bytes:
        return (yield from to_bits(party, x, bits=bits))
    return (yield from rows_to_field(party, (yield from byte_bits(party, x, bits=bits))))


def _prefixes(party: Party, less: Bytes, same: Bytes) -> Protocol[Bytes]:
    """Whether the places up to each are less, from what each is by itself."""
    places = len(less)
    less, same = less.copy(), same.copy()
    span = 1
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
