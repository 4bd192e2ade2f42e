"""Bits as 0 and 1 in the prime field: every operation is a product, and runs under every scheme.

Words are added as integers, which is free, and the sum is split into bits; a field too small for that takes the
circuit of `adders`. A table of public contents is looked
up by an inner product for each bit of an entry, after the one-hot vectors of the halves of the place: so the S-box
of AES costs 30 multiplications in 3 rounds where inner products cost one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import MAX_COMPARED_BITS, to_bits, to_bits_plan
from quorate.protocol.mpc.data.access import lookup_bits
from quorate.protocol.mpc.logic import bits_to_integer, logical_not, logical_xor, select
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import Plan
from quorate.protocol.mpc.room import has_room

from .adders import carry_save_sum
from .layer import BitLayer, Bits, PublicBits, check_terms
from .s_box import S_BOX


class PrimeBits(BitLayer):
    """Bits as elements of the prime field, shape (..., limbs); see the module."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its name, prime."""
        return "prime"

    def enter(self, party: Party, x: Vector) -> Protocol[Bits]:
        """As they are."""
        del party
        yield from ()
        return x

    def leave(self, party: Party, x: Bits) -> Protocol[Vector]:
        """As they are."""
        yield from ()
        return _flat(party, x)

    def public(self, party: Party, bits: PublicBits) -> Bits:
        """The elements 0 and 1."""
        return party.field.from_small(bits.reshape(-1)).reshape(*bits.shape, party.field.limbs)

    def flip(self, party: Party, x: Bits, where: PublicBits) -> Bits:
        """1 - x there."""
        chosen = np.broadcast_to(where, x.shape[:-1])[..., np.newaxis]
        return np.where(chosen, logical_not(party, _flat(party, x)).reshape(x.shape), x)

    def exclusive_or(self, party: Party, *operands: Bits) -> Protocol[Bits]:
        """A product for each operand but the first, in log2 rounds."""
        rows = list(operands)
        while len(rows) > 1:
            half = len(rows) // 2
            left, right = np.stack(rows[:half]), np.stack(rows[half : 2 * half])
            joined = yield from logical_xor(party, _flat(party, left), _flat(party, right))
            rows = [*joined.reshape(left.shape), *rows[2 * half :]]
        return rows[0]

    def both(self, party: Party, x: Bits, y: Bits) -> Protocol[Bits]:
        """A product each."""
        return (yield from multiply(party, _flat(party, x), _flat(party, y))).reshape(x.shape)

    def choose(self, party: Party, condition: Bits, x: Bits, y: Bits) -> Protocol[Bits]:
        """A product each."""
        flat = (_flat(party, operand) for operand in (condition, x, y))
        return (yield from select(party, *flat)).reshape(x.shape)

    def majority(self, party: Party, x: Bits, y: Bits, z: Bits) -> Protocol[Bits]:
        """Two products each, in two rounds: x y, and z where exactly one of x and y is set."""
        field = party.field
        first, second, third = (_flat(party, operand) for operand in (x, y, z))
        common = yield from multiply(party, first, second)
        one_of_two = field.combine([1, 1, -2], [first, second, common])
        return field.add(common, (yield from multiply(party, one_of_two, third))).reshape(x.shape)

    def disjoint_or(self, party: Party, x: Bits, y: Bits) -> Bits:
        """The sum."""
        return party.field.add(_flat(party, x), _flat(party, y)).reshape(x.shape)

    def add(self, party: Party, terms: Sequence[Bits]) -> Protocol[Bits]:
        """The sum in the field, and its bits (`to_bits`). By a circuit where the field is too small."""
        check_terms(len(terms))
        field, shape = party.field, terms[0].shape
        width = shape[0]
        if not _fits(party, width, len(terms)):
            return (yield from carry_save_sum(party, self, terms))
        numbers = [
            bits_to_integer(party, [_flat(party, row) for row in np.ascontiguousarray(term)]) for term in terms
        ]
        total = field.combine([1] * len(numbers), numbers)
        rows = yield from to_bits(party, total, bits=_sum_bits(width, len(terms)))
        return np.stack(rows[:width]).reshape(shape)

    def substitute_bytes(self, party: Party, x: Bits) -> Protocol[Bits]:
        """Three rounds, and under passive and abort 30 multiplications a byte."""
        rows = yield from lookup_bits(party, _TABLES, [_flat(party, row) for row in x])
        return np.stack(rows).reshape(x.shape)

    def addition_plan(self, party: Party, words: int, *, width: int, terms: int) -> Plan:
        """The masks of the sums, or nothing where the field is too small for them."""
        if not _fits(party, width, terms):
            return Plan()
        return to_bits_plan(words, _sum_bits(width, terms), party.kappa)

    def substitution_plan(self, count: int) -> Plan:
        """Nothing."""
        del count
        return Plan()


PRIME_BITS: Final = PrimeBits()
"""The layer that every scheme offers."""

_TABLES: Final = tuple(tuple(value >> place & 1 for value in S_BOX) for place in range(8))


def _flat(party: Party, x: Bits) -> Vector:
    return np.ascontiguousarray(x).reshape(prod(x.shape[:-1]), party.field.limbs)


def _sum_bits(width: int, terms: int) -> int:
    """The bits of a signed integer that holds the sum."""
    return width + (terms - 1).bit_length() + 1


def _fits(party: Party, width: int, terms: int) -> bool:
    """Whether sums can be split into bits in the party's field."""
    bits = _sum_bits(width, terms)
    return bits <= MAX_COMPARED_BITS and has_room(party, bits)
