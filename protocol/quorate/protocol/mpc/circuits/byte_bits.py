"""Bits as the elements 0 and 1 of GF(2^8): an exclusive or is free, and a product is a byte.

Inversion in GF(2^8), the heart of AES, is x^254. Over a field of characteristic two the squares of x are linear in
its bits, so the seven powers x^2, x^4, ..., x^128 are free, and six multiplications in three rounds give their
product. Its bits come from opening it under a byte of which the bits are shared [Damgard, Keller, Secure
Multiparty AES, FC 2010, sections 3 and 4].

Words are added by a circuit (`adders`).

It runs under a scheme that computes on bytes; its adversary is that scheme's. Under any other scheme the first
operation raises ValueError.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.binary import (
    bits_to_bytes,
    multiply_bytes,
    open_bytes,
    random_byte_bits,
    to_byte_bits,
    to_field_bits,
)
from quorate.protocol.mpc.galois import Bytes, product, scale
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import BYTE_BIT, Plan

from .adders import carry_save_sum
from .layer import BitLayer, Bits, PublicBits, check_terms
from .s_box import AFFINE_CONSTANT, AFFINE_TURNS


class ByteBits(BitLayer):
    """Bits as elements of GF(2^8), arrays of bytes; see the module."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its name, bytes."""
        return "bytes"

    def enter(self, party: Party, x: Vector) -> Protocol[Bits]:
        """By bits that are shared in both fields: two rounds."""
        return (yield from to_byte_bits(party, x))

    def leave(self, party: Party, x: Bits) -> Protocol[Vector]:
        """By bits that are shared in both fields: one round."""
        return (yield from to_field_bits(party, np.ascontiguousarray(x).reshape(-1)))

    def public(self, party: Party, bits: PublicBits) -> Bits:
        """The elements 0 and 1."""
        del party
        return bits.astype(np.uint8)

    def flip(self, party: Party, x: Bits, where: PublicBits) -> Bits:
        """Plus 1 there."""
        del party
        return x ^ where.astype(np.uint8)

    def exclusive_or(self, party: Party, *operands: Bits) -> Protocol[Bits]:
        """Free."""
        del party
        yield from ()
        total = operands[0].copy()
        for operand in operands[1:]:
            total ^= operand
        return total

    def both(self, party: Party, x: Bits, y: Bits) -> Protocol[Bits]:
        """A product each."""
        products = yield from multiply_bytes(party, _flat(x), _flat(y))
        return products.reshape(x.shape)

    def choose(self, party: Party, condition: Bits, x: Bits, y: Bits) -> Protocol[Bits]:
        """A product each."""
        return y ^ (yield from self.both(party, condition, x ^ y))

    def majority(self, party: Party, x: Bits, y: Bits, z: Bits) -> Protocol[Bits]:
        """A product each: x, unless both others differ from it."""
        return x ^ (yield from self.both(party, x ^ y, x ^ z))

    def disjoint_or(self, party: Party, x: Bits, y: Bits) -> Bits:
        """The sum."""
        del party
        return x ^ y

    def add(self, party: Party, terms: Sequence[Bits]) -> Protocol[Bits]:
        """A round for each carry-save level, and 1 + log2(width)."""
        check_terms(len(terms))
        return (yield from carry_save_sum(party, self, terms))

    def substitute_bytes(self, party: Party, x: Bits) -> Protocol[Bits]:
        """Four rounds, and for each byte 6 products, 8 random bits and an opened byte."""
        shape = x.shape
        powers = [_square_power(x.reshape(8, -1), exponent) for exponent in range(1, 8)]
        while len(powers) > 1:
            half = len(powers) // 2
            left, right = np.concatenate(powers[:half]), np.concatenate(powers[half : 2 * half])
            joined = yield from multiply_bytes(party, left, right)
            powers = [*joined.reshape(half, -1), *powers[2 * half :]]
        inverted = yield from self._bits_of_bytes(party, powers[0])
        turned = np.zeros_like(inverted)
        for turn in AFFINE_TURNS:
            turned ^= np.roll(inverted, -turn, axis=0)
        constant = np.array([AFFINE_CONSTANT >> place & 1 for place in range(8)], dtype=np.bool_)
        return self.flip(party, turned, constant[:, np.newaxis]).reshape(shape)

    def _bits_of_bytes(self, party: Party, x: Bytes) -> Protocol[Bits]:
        """The bits of shared bytes, shape (8, n): one round."""
        mask = (yield from random_byte_bits(party, 8 * len(x))).reshape(8, -1)
        opened = yield from open_bytes(party, x ^ bits_to_bytes(mask))
        return mask ^ np.unpackbits(opened[np.newaxis], axis=0, bitorder="little")

    def addition_plan(self, party: Party, words: int, *, width: int, terms: int) -> Plan:
        """Nothing."""
        del party, words, width, terms
        return Plan()

    def substitution_plan(self, count: int) -> Plan:
        """Eight bits each."""
        return Plan({BYTE_BIT: 8 * count})


BYTE_BITS: Final = ByteBits()
"""The layer for schemes that compute on bytes."""


def _flat(x: Bits) -> Bytes:
    return np.ascontiguousarray(x).reshape(-1)


def _square_power(bits: Bits, exponent: int) -> Bytes:
    """x^(2^exponent) of bytes by their bits, shape (8, n): linear, as squaring is over characteristic two."""
    total: Bytes = np.zeros(bits.shape[1], dtype=np.uint8)
    for place, row in enumerate(bits):
        total ^= scale(row, _power_of_basis(place, exponent))
    return total


@lru_cache(maxsize=64)
def _power_of_basis(place: int, exponent: int) -> int:
    value = 1 << place
    for _ in range(exponent):
        value = product(value, value)
    return value
