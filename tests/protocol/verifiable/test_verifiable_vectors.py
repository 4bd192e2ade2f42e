"""The published vectors, which a second implementation made (tests/vectors/make_verifiable_sharing.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quorate.protocol.curve import CURVES, curve_named
from quorate.protocol.sharing import PartyId
from quorate.protocol.verifiable import (
    Scheme,
    Share,
    check_opening,
    deal,
    decode_commitment,
    open_in_exponent,
    reconstruct,
)

from .committee import randomness

DOCUMENT = json.loads((Path(__file__).parents[2] / "vectors" / "verifiable_sharing.json").read_text())


def name_of(case) -> str:
    return f"{case['curve']}-{case['scheme']}-{case['parties']}"


EVERY = pytest.mark.parametrize("case", DOCUMENT["cases"], ids=name_of)


def opened(case):
    curve, scheme = curve_named(case["curve"]), Scheme(case["scheme"])
    data = b"".join(bytes.fromhex(point) for point in case["commitment"])
    commitment = decode_commitment(data, curve=curve, scheme=scheme, threshold=case["threshold"])
    rows = enumerate(case["shares"], start=1)
    shares = {PartyId(party): [Share(int(value), int(blinding))] for party, (value, blinding) in rows}
    return curve, commitment, shares


def test_second_generators():
    for name, encoded in DOCUMENT["second_generators"].items():
        assert curve_named(name).second_generator.encode().hex() == encoded
    assert set(DOCUMENT["second_generators"]) == set(CURVES)


@EVERY
def test_the_shares_belong_to_the_commitment(case):
    _, commitment, shares = opened(case)
    check_opening([commitment], shares, randomness=randomness(1, "weights"))
    result = reconstruct([commitment], shares, randomness=randomness(1, "weights"))
    assert str(result.secrets[0].value) == case["secret"]
    assert str(result.secrets[0].blinding) == case["blindings"][0]


@EVERY
def test_dealing_with_these_coefficients(case):
    """A scalar is drawn as 48 big-endian bytes modulo the order: the coefficients go in as such."""
    curve, commitment, shares = opened(case)
    drawn = [*case["values"][1:], *(case["blindings"] if case["scheme"] == "pedersen" else [])]
    source = iter([int(value).to_bytes(48, "big") for value in drawn])
    dealing = deal(
        curve,
        [int(case["secret"])],
        scheme=Scheme(case["scheme"]),
        parties=case["parties"],
        threshold=case["threshold"],
        randomness=lambda size: next(source),
    )
    assert dealing.commitments == (commitment,)
    assert [list(own) for own in dealing.shares] == [shares[PartyId(party)] for party in sorted(shares)]


@EVERY
def test_opening_in_the_exponent(case):
    curve, _, _ = opened(case)
    points = {
        PartyId(party): curve.decode(bytes.fromhex(point))
        for party, point in enumerate(case["public_shares"], start=1)
    }
    assert open_in_exponent(points, threshold=case["threshold"]).encode().hex() == case["opened_in_exponent"]
