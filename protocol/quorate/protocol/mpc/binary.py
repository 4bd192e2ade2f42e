"""Computing on bytes: shares over GF(2^8), for bitwise circuits, and random bits shared in both fields.

A share is a byte: n arrays of shares are polynomials of degree t over GF(2^8) at the points 1..n (see `galois`).
Addition is `x ^ y` and costs nothing; nor does `scale` by a public element. A logical value is the element 0 or 1:
its exclusive or is addition, its conjunction a multiplication, at a byte where the committee's prime field takes
32. A random bit that is shared in both fields carries a bit from one to the other [Damgard, Thorbek, ePrint
2008/221; Escudero, Ghosh, Keller, Rachuri, Scholl, CRYPTO 2020].

The adversary is the scheme's; `Scheme.computes_on_bytes` says whether a scheme offers these operations at all.
"""

from __future__ import annotations

import numpy as np

from quorate.protocol.field import Vector

from .galois import Bytes, scale
from .logic import logical_not, logical_xor
from .operations import open_shares
from .party import Party, Protocol
from .pool import BYTE, BYTE_BIT, DUAL_BIT, Plan
from .preprocessing import reserve

__all__ = [
    "Bytes",
    "bits_to_bytes",
    "dual_bits",
    "multiply_bytes",
    "open_bytes",
    "random_byte_bits",
    "random_bytes",
    "scale",
    "to_byte_bits",
    "to_field_bits",
]


def multiply_bytes(party: Party, x: Bytes, y: Bytes) -> Protocol[Bytes]:
    """The element-wise product over GF(2^8): one round. Raises ValueError for unequal lengths."""
    if x.shape != y.shape:
        raise ValueError(f"arrays of {len(x)} and {len(y)} bytes: the lengths must be equal")
    return (yield from party.scheme.multiply_bytes(party, x, y)) if len(x) else x


def open_bytes(party: Party, x: Bytes) -> Protocol[Bytes]:
    """The values of `x`, to everybody: one round. For values that are masked, or whose owner is everybody."""
    return (yield from party.scheme.open_bytes(party, x)) if len(x) else x


def random_bytes(party: Party, count: int) -> Protocol[Bytes]:
    """Shares of `count` uniform elements of GF(2^8) that nobody knows."""
    return (yield from _taken(party, Plan({BYTE: count})))


def random_byte_bits(party: Party, count: int) -> Protocol[Bytes]:
    """Shares over GF(2^8) of `count` uniform bits that nobody knows."""
    return (yield from _taken(party, Plan({BYTE_BIT: count})))


def _taken(party: Party, plan: Plan) -> Protocol[Bytes]:
    yield from reserve(party, plan)
    for item, count in plan.items():
        (column,) = party.pool.take_columns(item, count)
        return column
    return np.zeros(0, dtype=np.uint8)


def dual_bits(party: Party, count: int) -> Protocol[tuple[Vector, Bytes]]:
    """Shares of `count` uniform bits, each in the committee's prime field and over GF(2^8)."""
    if not count:
        return party.field.zeros(0), np.zeros(0, dtype=np.uint8)
    yield from reserve(party, Plan({DUAL_BIT: count}))
    in_field, in_bytes = party.pool.take_columns(DUAL_BIT, count)
    return in_field, in_bytes


def to_field_bits(party: Party, x: Bytes) -> Protocol[Vector]:
    """Shares in the prime field of bits that are shared over GF(2^8): one round, and a dual bit each.

    What is opened is the exclusive or with a uniform bit, and tells nothing.
    """
    in_field, in_bytes = yield from dual_bits(party, len(x))
    opened = yield from open_bytes(party, x ^ in_bytes)
    inverted = logical_not(party, in_field)
    return np.where((opened & 1).astype(np.bool_)[:, np.newaxis], inverted, in_field)


def to_byte_bits(party: Party, x: Vector) -> Protocol[Bytes]:
    """Shares over GF(2^8) of bits that are shared in the prime field: two rounds, and a dual bit each."""
    in_field, in_bytes = yield from dual_bits(party, len(x))
    masked = yield from logical_xor(party, x, in_field)
    opened = yield from open_shares(party, masked)
    return in_bytes ^ (~party.field.is_zero(opened)).astype(np.uint8)


def bits_to_bytes(bits: Bytes) -> Bytes:
    """The elements of which `bits`, shape (8, count), holds the shared bits, bit 0 first: no communication."""
    total: Bytes = np.zeros(bits.shape[1], dtype=np.uint8)
    for position, row in enumerate(bits):
        total ^= scale(row, 1 << position)
    return total
