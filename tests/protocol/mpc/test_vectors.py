from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.protocol.field import BN254
from quorate.protocol.mpc import PartyId, open_shares, run_local
from quorate.protocol.sharing import lagrange_coefficients, reconstruct, share
from quorate.protocol.simulation import simulated_committee

DOCUMENT = json.loads((Path(__file__).parents[2] / "vectors" / "mpc" / "shamir.json").read_text())
CASES = DOCUMENT["cases"]


def test_the_vectors_are_of_this_field():
    assert int(DOCUMENT["modulus"]) == BN254.modulus


@pytest.mark.parametrize("case", CASES)
def test_shares(case):
    """Random coefficients enter as 40 bytes each, times 2^-512; the vectors give the coefficients themselves."""
    wide = iter(int(value) << 512 for value in case["coefficients"])
    shares = share(
        BN254,
        BN254.vector([int(case["secret"])]),
        parties=case["parties"],
        threshold=case["threshold"],
        randomness=lambda size: (next(wide) % BN254.modulus).to_bytes(size, "little"),
    )
    assert [BN254.integers(row)[0] for row in shares] == [int(value) for value in case["shares"]]
    assert [BN254.to_bytes(row).hex() for row in shares] == case["messages"]


@pytest.mark.parametrize("case", CASES)
def test_openings(case):
    shares = [BN254.from_bytes(bytes.fromhex(message), 1) for message in case["messages"]]
    group = simulated_committee(BN254, parties=case["parties"], threshold=case["threshold"], seed=1)
    protocols = [open_shares(party, row) for party, row in zip(group, shares, strict=True)]
    first = next(protocols[0])
    assert {message.hex() for message in first.outgoing.values()} == {case["messages"][0]}
    protocols[0] = open_shares(group[0], shares[0])
    for opened in run_local(protocols):
        assert BN254.integers(opened) == [int(case["secret"])]


@pytest.mark.parametrize("case", CASES)
def test_the_last_parties_reconstruct(case):
    count = case["threshold"] + 1
    points = range(case["parties"] - count + 1, case["parties"] + 1)
    shares = {PartyId(point): BN254.vector([int(case["shares"][point - 1])]) for point in points}
    assert BN254.integers(reconstruct(BN254, shares, threshold=case["threshold"])) == [int(case["secret"])]
    coefficients = lagrange_coefficients(BN254.modulus, points)
    total = sum(c * int(case["shares"][point - 1]) for c, point in zip(coefficients, points, strict=True))
    assert total % BN254.modulus == int(case["secret"])
