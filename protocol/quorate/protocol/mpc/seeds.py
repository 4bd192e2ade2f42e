"""Seeds that dealers share with receivers, so that most subshares are expanded and need not be sent.

In the set-up each party sends each other party one seed. From then on dealer and receiver expand the same
AES-128-CTR stream: what the receiver takes from it is uniform to everybody else, and costs no byte. Both sides
read a stream in the same order, because honest parties run the same program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.sharing import PartyId

SEED_BYTES: Final = 16


class Stream:
    """The AES-128-CTR keystream of one seed, read from its start; it never gives the same bytes twice."""

    __slots__ = ("_encryptor",)

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed is {SEED_BYTES} bytes, not {len(seed)}")
        self._encryptor = Cipher(algorithms.AES(seed), modes.CTR(bytes(16))).encryptor()

    def read(self, size: int) -> bytes:
        """The next `size` bytes."""
        return self._encryptor.update(bytes(size))

    def elements(self, field: PrimeField, count: int) -> Vector:
        """The next `count` uniform field elements."""
        return field.from_random_bytes(self.read(field.random_bytes * count))


@dataclass(frozen=True, slots=True, repr=False)
class SeedTable:
    """One party's streams: `outward` for what it deals, by receiver; `inward` for what it receives, by dealer."""

    outward: Mapping[PartyId, Stream]
    inward: Mapping[PartyId, Stream]
