"""Committees whose byte strings go in and out of a layer of bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from quorate.protocol.mpc import run_local, schemes
from quorate.protocol.mpc.circuits import BYTE_BITS, PRIME_BITS, BitLayer, Bits, bytes_of_bits, public_bits


class Machine:
    """A committee and a layer; byte strings of one length make a batch."""

    def __init__(self, group: Any, layer: BitLayer) -> None:
        self.group, self.layer = group, layer

    @property
    def first(self) -> Any:
        return self.group.first

    def share_bits(self, bits: np.ndarray) -> list[Bits]:
        """Shares of an array of bits of any shape."""
        shares = self.group.share(bits.reshape(-1).astype(int).tolist())
        entered = self.group.run(self.layer.enter, shares)
        return [own.reshape(*bits.shape, *own.shape[1:]) for own in entered]

    def share(self, strings: Sequence[bytes]) -> list[Bits]:
        """Shape (8, bytes, batch)."""
        return self.share_bits(np.stack([public_bits(string) for string in strings], axis=2))

    def open_bits(self, shares: Sequence[Bits]) -> np.ndarray:
        tail = 1 if self.layer is PRIME_BITS else 0
        shape = shares[0].shape[: shares[0].ndim - tail]
        values = self.group.open(self.group.run(self.layer.leave, list(shares)))
        assert set(values) <= {0, 1}
        return np.array(values, dtype=np.bool_).reshape(shape)

    def open(self, shares: Sequence[Bits]) -> list[bytes]:
        bits = self.open_bits(shares)
        return [bytes_of_bits(bits[:, :, place]) for place in range(bits.shape[2])]

    def run(self, circuit: Callable[..., Any], *arguments: Any, **options: Any) -> list[Bits]:
        """The circuit on this layer; arguments that are lists are one entry a party."""
        protocols = []
        for index, party in enumerate(self.group.parties):
            own = [entry[index] if isinstance(entry, list) else entry for entry in arguments]
            protocols.append(circuit(party, self.layer, *own, **options))
        return run_local(protocols)


@pytest.fixture(params=["bytes", "prime"])
def machine(request: pytest.FixtureRequest, committee: Callable[..., Any]) -> Machine:
    """Three passive parties and each layer."""
    return Machine(committee(3, 1), {"bytes": BYTE_BITS, "prime": PRIME_BITS}[request.param])


@pytest.fixture
def on_bytes(committee: Callable[..., Any]) -> Machine:
    return Machine(committee(3, 1), BYTE_BITS)


@pytest.fixture(scope="session")
def machine_of(committee: Callable[..., Any]) -> Callable[..., Machine]:
    def make(parties: int, threshold: int, layer: BitLayer) -> Machine:
        return Machine(committee(parties, threshold), layer)

    return make


@pytest.fixture(params=sorted(schemes))
def under_scheme(request: pytest.FixtureRequest, committee: Callable[..., Any]) -> Machine:
    """The prime layer under each scheme, in the smallest committee with threshold 1."""
    scheme = schemes[request.param]
    for parties in range(2, 8):
        try:
            scheme.check_committee(parties, 1)
        except ValueError:
            continue
        group = committee(parties, 1)
        for party in group.parties:
            party.scheme = scheme
        return Machine(group, PRIME_BITS)
    raise AssertionError(f"no small committee for {scheme.name}")
