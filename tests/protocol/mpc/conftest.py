from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from quorate.protocol.field import BN254, Vector
from quorate.protocol.mpc import Party, Protocol, open_shares, run_local, signed_integers
from quorate.protocol.sharing import share
from quorate.protocol.simulation import SeededRandomness, simulated_committee


class Committee:
    """Parties of one seed in one process; values go in and come out as signed integers."""

    def __init__(self, parties: int, threshold: int, seed: int = 1) -> None:
        self.parties = simulated_committee(BN254, parties=parties, threshold=threshold, seed=seed)
        self.threshold = threshold
        self._dealer = SeededRandomness(seed, "dealer")

    def share(self, values: Sequence[int]) -> list[Vector]:
        secrets = BN254.vector(values)
        return share(BN254, secrets, parties=len(self.parties), threshold=self.threshold, randomness=self._dealer)

    def run(self, operation: Callable[..., Protocol[Any]], *arguments: Any, **options: Any) -> list[Any]:
        """What each party gets of `operation`; arguments that are lists are one entry a party."""
        protocols = []
        for index, party in enumerate(self.parties):
            own = [entry[index] if isinstance(entry, list) else entry for entry in arguments]
            protocols.append(operation(party, *own, **options))
        return run_local(protocols)

    def open(self, shares: list[Vector]) -> list[int]:
        opened = run_local([open_shares(party, own) for party, own in zip(self.parties, shares, strict=True)])
        values = [signed_integers(BN254, vector) for vector in opened]
        assert all(value == values[0] for value in values)
        return values[0]

    def compute(
        self, operation: Callable[..., Protocol[Vector]], *inputs: Sequence[int], **options: Any
    ) -> list[int]:
        return self.open(self.run(operation, *(self.share(values) for values in inputs), **options))

    @property
    def first(self) -> Party:
        return self.parties[0]


@pytest.fixture(scope="session")
def committee() -> Callable[..., Committee]:
    return Committee


@pytest.fixture
def three() -> Committee:
    return Committee(3, 1)
