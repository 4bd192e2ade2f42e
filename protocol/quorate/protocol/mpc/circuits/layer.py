"""Bits on shares: what a Boolean circuit is written on, over the prime field or over GF(2^8).

An array of shared bits has any shape, and its operations are element-wise; what a circuit calls "axis 0" is where
it keeps the places of a word, lowest bit first. A layer is one way of sharing the bits:

| layer | schemes | exclusive or | and | addition mod 2^w |
|---|---|---|---|---|
| `PRIME_BITS` | every one | a product of field elements | the same | the bits of a sum in the field |
| `BYTE_BITS` | those that compute on bytes | free | a product of bytes | carry-save and a prefix adder |

A circuit has the adversary and the guarantees of the party's scheme.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import Vector
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import Plan

Bits: TypeAlias = NDArray[Any]
"""Shares of bits: uint8 of any shape in the byte layer; a shape and the field's limbs in the prime layer."""
PublicBits: TypeAlias = NDArray[np.bool_]


class BitLayer(ABC):
    """One way of computing on shared bits; stateless."""

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """What reports and errors call it."""

    @abstractmethod
    def enter(self, party: Party, x: Vector) -> Protocol[Bits]:
        """The bits, shape (n,), of shares of 0 and 1 in the prime field."""

    @abstractmethod
    def leave(self, party: Party, x: Bits) -> Protocol[Vector]:
        """Shares in the prime field of bits of any shape, flattened."""

    @abstractmethod
    def public(self, party: Party, bits: PublicBits) -> Bits:
        """The shares of public bits, in their shape."""

    @abstractmethod
    def flip(self, party: Party, x: Bits, where: PublicBits) -> Bits:
        """x with the bits inverted where the public `where`, which is broadcast to the shape of x, is set."""

    @abstractmethod
    def exclusive_or(self, party: Party, *operands: Bits) -> Protocol[Bits]:
        """The exclusive or of one or more arrays of one shape."""

    @abstractmethod
    def both(self, party: Party, x: Bits, y: Bits) -> Protocol[Bits]:
        """x and y, arrays of one shape: one round."""

    @abstractmethod
    def choose(self, party: Party, condition: Bits, x: Bits, y: Bits) -> Protocol[Bits]:
        """x where the condition is 1, y where it is 0: one round."""

    @abstractmethod
    def disjoint_or(self, party: Party, x: Bits, y: Bits) -> Bits:
        """x or y, of bits that are never both 1: no communication."""

    @abstractmethod
    def majority(self, party: Party, x: Bits, y: Bits, z: Bits) -> Protocol[Bits]:
        """What at least two of three say."""

    @abstractmethod
    def add(self, party: Party, terms: Sequence[Bits]) -> Protocol[Bits]:
        """The sum of one to MAX_TERMS words modulo 2^(their length), with the bits on axis 0."""

    @abstractmethod
    def substitute_bytes(self, party: Party, x: Bits) -> Protocol[Bits]:
        """The S-box of AES of bytes, with their bits on axis 0."""

    @abstractmethod
    def addition_plan(self, party: Party, words: int, *, width: int, terms: int) -> Plan:
        """What adding up `terms` terms takes from the pool, for `words` sums of `width` bits."""

    @abstractmethod
    def substitution_plan(self, count: int) -> Plan:
        """What `count` bytes through the S-box take from the pool."""


MAX_TERMS: Final = 16
"""The most words that are added in one go."""


def check_terms(count: int) -> None:
    """Raise ValueError unless 1 to MAX_TERMS words are added."""
    if not 1 <= count <= MAX_TERMS:
        raise ValueError(f"1 to {MAX_TERMS} words are added, not {count}")
