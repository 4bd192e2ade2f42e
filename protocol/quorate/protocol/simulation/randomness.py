"""Reproducible randomness: SHAKE-256 over a seed and a counter. For simulations and tests only."""

from __future__ import annotations

import hashlib
from typing import Final

from quorate.protocol.field import PrimeField
from quorate.protocol.mpc import DEFAULT_KAPPA, PASSIVE, Party, PartyId, Scheme

_DOMAIN: Final = b"quorate/simulation/1"


class SeededRandomness:
    """A callable `size -> bytes` whose whole output is a function of `seed` and `purpose`."""

    __slots__ = ("_counter", "_key")

    def __init__(self, seed: int, purpose: str) -> None:
        text = f"{seed}/{purpose}".encode()
        self._key = hashlib.sha256(_DOMAIN + text).digest()
        self._counter = 0

    def __call__(self, size: int) -> bytes:
        """The next `size` bytes."""
        self._counter += 1
        return hashlib.shake_256(self._key + self._counter.to_bytes(8, "big")).digest(size)

    def between(self, least: int, most: int) -> int:
        """An integer in least..most; the bias is below 2^-64 of the width."""
        width = most - least + 1
        return least + int.from_bytes(self(16), "big") % width


def simulated_committee(
    field: PrimeField,
    *,
    parties: int,
    threshold: int,
    seed: int,
    kappa: int = DEFAULT_KAPPA,
    scheme: Scheme = PASSIVE,
) -> list[Party]:
    """Parties 1..n of one session, whose randomness follows from `seed`."""
    return [
        Party(
            field,
            PartyId(identity),
            parties=parties,
            threshold=threshold,
            kappa=kappa,
            scheme=scheme,
            randomness=SeededRandomness(seed, f"party {identity}"),
        )
        for identity in range(1, parties + 1)
    ]
