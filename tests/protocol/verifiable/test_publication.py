from __future__ import annotations

import hashlib

import pytest

from quorate.protocol import field as fields
from quorate.protocol.curve import CURVES, SECP256K1
from quorate.protocol.errors import PartyFault, ProtocolAbort
from quorate.protocol.mpc import random_shares, run_local
from quorate.protocol.sharing import InconsistentShares, PartyId
from quorate.protocol.simulation import simulated_committee
from quorate.protocol.verifiable import KeyShare, publish_key, sign_ecdsa, verify_ecdsa

from .committee import private_key, randomness
from .network import run_signers

FIELDS = {
    "bn254": fields.BN254,
    "bls12-381": fields.BLS12_381,
    "secp256k1": fields.SECP256K1,
    "p-256": fields.P256,
    "ed25519": fields.ED25519,
}


def publications(curve, shares: dict[int, int], threshold: int):
    return {
        PartyId(party): publish_key(
            curve, share, identity=PartyId(party), parties=len(shares), threshold=threshold
        )
        for party, share in shares.items()
    }


def line(curve, secret: int, parties: int = 3) -> dict[int, int]:
    return {party: (secret + 77 * party) % curve.order for party in range(1, parties + 1)}


@pytest.mark.parametrize("curve", CURVES.values(), ids=list(CURVES))
def test_shares_become_a_key(curve):
    assert FIELDS[curve.name].modulus == curve.order
    shares = line(curve, 5, 4)
    keys = run_signers(publications(curve, shares, 1))
    assert len({key.commitment for key in keys.values()}) == 1
    assert keys[PartyId(1)].public_key == curve.generator * 5
    assert private_key(keys) == 5
    assert {party: key.secret for party, key in keys.items()} == shares


def test_a_random_element_of_the_mpc_signs_for_ethereum():
    parties = simulated_committee(fields.SECP256K1, parties=3, threshold=1, seed=1)
    vectors = run_local([random_shares(party, 1) for party in parties])
    shares = {party: fields.SECP256K1.integers(vector)[0] for party, vector in enumerate(vectors, start=1)}
    keys = run_signers(publications(SECP256K1, shares, 1))
    digest = hashlib.sha256(b"a transaction").digest()
    signers = sorted(keys)
    signatures = run_signers(
        {
            party: sign_ecdsa(keys[party], digest, signers=signers, randomness=randomness(1, party))
            for party in signers
        }
    )
    assert verify_ecdsa(keys[PartyId(1)].public_key, digest, signatures[PartyId(1)])


@pytest.mark.parametrize("point", [SECP256K1.generator * 999, SECP256K1.identity])
def test_a_wrong_point_stops_it(point):
    def lie(number, receiver, message, heard):
        return point.encode()

    results = run_signers(publications(SECP256K1, line(SECP256K1, 5), 1), liar=PartyId(2), tamper=lie)
    for party in (1, 3):
        assert isinstance(results[PartyId(party)], InconsistentShares)


def test_a_point_for_one_party_only_gives_nobody_another_key():
    def lie(number, receiver, message, heard):
        return SECP256K1.generator.encode() if receiver == 1 else message

    results = run_signers(publications(SECP256K1, line(SECP256K1, 5), 1), liar=PartyId(2), tamper=lie)
    assert isinstance(results[PartyId(1)], InconsistentShares)
    assert isinstance(results[PartyId(3)], KeyShare)
    assert results[PartyId(3)].public_key == SECP256K1.generator * 5


@pytest.mark.parametrize("data", [b"", b"\2" * 10, b"\xff" * 33])
def test_no_point_names_its_sender(data):
    def lie(number, receiver, message, heard):
        return data

    results = run_signers(publications(SECP256K1, line(SECP256K1, 5), 1), liar=PartyId(3), tamper=lie)
    assert isinstance(results[PartyId(1)], PartyFault)
    assert results[PartyId(1)].party == 3


def test_edges():
    for result in run_signers(publications(SECP256K1, line(SECP256K1, 0), 1)).values():
        assert isinstance(result, ProtocolAbort)
    own = run_signers(publications(SECP256K1, {1: -4}, 0))[PartyId(1)]
    assert own.secret == SECP256K1.order - 4
    for identity, parties, threshold in [(1, 2, 1), (0, 3, 1), (4, 3, 1), (1, 3, -1), (1, 65, 1)]:
        with pytest.raises(ValueError, match="cannot publish a key"):
            next(publish_key(SECP256K1, 1, identity=PartyId(identity), parties=parties, threshold=threshold))
