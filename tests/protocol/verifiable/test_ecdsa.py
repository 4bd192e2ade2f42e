from __future__ import annotations

import dataclasses
import hashlib
from itertools import combinations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth_account import Account

from quorate.protocol.curve import CURVES, ED25519, P256, SECP256K1, Point
from quorate.protocol.errors import PartyFault, ProtocolAbort
from quorate.protocol.sharing import InconsistentShares, PartyId
from quorate.protocol.verifiable import (
    MAX_PRESIGNATURES,
    EcdsaSignature,
    presign,
    sign_ecdsa,
    sign_presigned,
    verify_ecdsa,
)

from .committee import key_shares, private_key, randomness
from .network import flip, run_signers

PEERS = {SECP256K1: ec.SECP256K1(), P256: ec.SECP256R1()}
BOTH = pytest.mark.parametrize("curve", PEERS, ids=[curve.name for curve in PEERS])
DIGEST = hashlib.sha256(b"a message").digest()


def verify_elsewhere(public: Point, digest: bytes, signature: EcdsaSignature) -> None:
    encoded = public.encode()
    key = ec.EllipticCurvePublicKey.from_encoded_point(PEERS[public.curve], encoded)
    key.verify(encode_dss_signature(signature.r, signature.s), digest, ec.ECDSA(Prehashed(SHA256())))


def sign(keys, signers, digest: bytes = DIGEST, *, seed: int = 1, **lies):
    chosen = [PartyId(party) for party in signers]
    protocols = {
        party: sign_ecdsa(keys[party], digest, signers=chosen, randomness=randomness(seed, party))
        for party in chosen
    }
    return run_signers(protocols, **lies)


def agreed(results) -> EcdsaSignature:
    first, *rest = results.values()
    assert isinstance(first, EcdsaSignature), first
    assert all(other == first for other in rest)
    return first


@BOTH
@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (4, 1), (5, 2), (7, 3)])
def test_signatures_verify_elsewhere(curve, parties, threshold):
    keys = key_shares(curve, parties, threshold)
    public = keys[PartyId(1)].public_key
    for signers in combinations(range(1, parties + 1), 2 * threshold + 1):
        signature = agreed(sign(keys, signers))
        verify_elsewhere(public, DIGEST, signature)
        assert verify_ecdsa(public, DIGEST, signature)
        assert 2 * signature.s <= curve.order


@BOTH
def test_every_digest_signs(curve):
    keys = key_shares(curve, 3, 1)
    public = keys[PartyId(1)].public_key
    for digest in (bytes(32), b"\xff" * 32, curve.order.to_bytes(32, "big")):
        verify_elsewhere(public, digest, agreed(sign(keys, [1, 2, 3], digest)))
    for digest in (b"", bytes(31), bytes(33)):
        with pytest.raises(ValueError, match="a hash of"):
            next(sign_ecdsa(keys[PartyId(1)], digest, signers=[PartyId(1)], randomness=randomness(1, 1)))


def test_ethereum_recovers_the_account():
    recoveries = set()
    for seed in range(8):
        keys = key_shares(SECP256K1, 3, 1, seed=seed)
        account = Account.from_key(private_key(keys).to_bytes(32, "big"))
        signature = agreed(sign(keys, [1, 2, 3], seed=seed))
        recoveries.add(signature.recovery)
        vrs = (27 + signature.recovery, signature.r, signature.s)
        assert Account._recover_hash(DIGEST, vrs=vrs) == account.address
        assert signature.encode() == signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big")
    assert recoveries == {0, 1}


@BOTH
def test_the_verifier_is_strict(curve):
    keys = key_shares(curve, 3, 1)
    public = keys[PartyId(1)].public_key
    signature = agreed(sign(keys, [1, 2, 3]))
    order = curve.order
    assert not verify_ecdsa(public, hashlib.sha256(b"another").digest(), signature)
    assert not verify_ecdsa(keys[PartyId(1)].public_share(PartyId(2)), DIGEST, signature)
    assert not verify_ecdsa(public, DIGEST + b"\0", signature)
    r, s = signature.r, signature.s
    for wrong in [(0, s), (r, 0), (r + order, s), (r, order - s), (r, s + order), (s, r), (order, s)]:
        assert not verify_ecdsa(public, DIGEST, dataclasses.replace(signature, r=wrong[0], s=wrong[1]))


@BOTH
def test_presignatures_sign_later_and_once(curve):
    keys = key_shares(curve, 5, 2)
    everyone = sorted(keys)
    made = run_signers(
        {
            party: presign(keys[party], signers=everyone, count=3, randomness=randomness(1, party))
            for party in everyone
        }
    )
    nonces = [made[everyone[0]][index].public_nonce for index in range(3)]
    assert len(set(nonces)) == 3
    for index in range(3):
        digest = hashlib.sha256(bytes([index])).digest()
        signature = agreed(
            run_signers({party: sign_presigned(keys[party], made[party][index], digest) for party in everyone})
        )
        verify_elsewhere(keys[everyone[0]].public_key, digest, signature)
        assert signature.r == nonces[index].coordinates[0] % curve.order
    with pytest.raises(ValueError, match="was used before"):
        next(sign_presigned(keys[everyone[0]], made[everyone[0]][0], DIGEST))
    assert "inverse_share" not in repr(made[everyone[0]][0])
    assert "mask" not in repr(made[everyone[0]][0])


def test_who_signs():
    keys = key_shares(SECP256K1, 5, 1)
    own = keys[PartyId(1)]
    for signers, match in [
        ([1, 2], "exactly 3"),
        ([1, 2, 3, 4], "exactly 3"),
        ([1, 2, 2], "different"),
        ([2, 3, 4], "different"),
        ([0, 1, 2], "different"),
    ]:
        with pytest.raises(ValueError, match=match):
            next(sign_ecdsa(own, DIGEST, signers=list(map(PartyId, signers)), randomness=randomness(1, 1)))
    for count in (0, MAX_PRESIGNATURES + 1):
        with pytest.raises(ValueError, match="presignatures"):
            next(presign(own, signers=[PartyId(1)], count=count, randomness=randomness(1, 1)))
    for curve in CURVES.values():
        if curve not in PEERS:
            with pytest.raises(ValueError, match="secp256k1 or p-256"):
                next(
                    sign_ecdsa(
                        key_shares(curve, 3, 1)[PartyId(1)],
                        DIGEST,
                        signers=[PartyId(1)],
                        randomness=randomness(1, 1),
                    )
                )
    assert ED25519 not in PEERS


# Liars: three signers, the second one lies. No honest signer ever returns what does not verify.


def lie_in(number: int, change):
    return lambda at, receiver, message, heard: change(receiver, message) if at == number else message


LIES = {
    "k for one only": lie_in(0, lambda receiver, data: flip(data, 31) if receiver == 1 else data),
    "a for one only": lie_in(0, lambda receiver, data: flip(data, 63) if receiver == 1 else data),
    "no zero for w": lie_in(0, lambda receiver, data: flip(data, 95) if receiver == 1 else data),
    "no zero for s": lie_in(0, lambda receiver, data: flip(data, 127) if receiver == 1 else data),
    "another R_i": lie_in(1, lambda receiver, data: SECP256K1.multiply_base(9).encode() + data[33:]),
    "another w_i": lie_in(1, lambda receiver, data: flip(data, 64)),
    "w_i for one only": lie_in(1, lambda receiver, data: flip(data, 64) if receiver == 1 else data),
    "another hash": lie_in(2, lambda receiver, data: flip(data, 0)),
    "another s_i": lie_in(3, lambda receiver, data: flip(data, 31)),
}


@pytest.mark.parametrize("name", LIES)
def test_lies(name):
    """The run ends without a signature and names nobody: each lie is of the right form."""
    keys = key_shares(SECP256K1, 3, 1)
    results = sign(keys, [1, 2, 3], liar=PartyId(2), tamper=LIES[name])
    for party in (PartyId(1), PartyId(3)):
        assert isinstance(results[party], ProtocolAbort), results[party]


@pytest.mark.parametrize("seed", range(4))
def test_a_lie_that_is_another_polynomial_is_a_mere_other_contribution(seed):
    """Errors e at 1 and -e at 3 vanish at 2, the liar's own point: it has shared k - 2 e instead of k."""
    keys = key_shares(SECP256K1, 3, 1)

    def lie(number, receiver, message, heard):
        if number:
            return message
        error = 5 if receiver == 1 else -5
        nonce = (int.from_bytes(message[:32], "big") + error) % SECP256K1.order
        return nonce.to_bytes(32, "big") + message[32:]

    honest, lied = sign(keys, [1, 2, 3], seed=seed), sign(keys, [1, 2, 3], seed=seed, liar=PartyId(2), tamper=lie)
    assert agreed(lied).r != agreed(honest).r
    verify_elsewhere(keys[PartyId(1)].public_key, DIGEST, agreed(lied))


def test_values_for_one_only_are_caught_before_the_key_is_used():
    """The signers stop in the third round: nobody has sent anything that depends on the key."""
    keys = key_shares(SECP256K1, 3, 1)
    rounds = []

    def lie(number, receiver, message, heard):
        rounds.append(number)
        return flip(message, 64) if number == 1 and receiver == 1 else message

    results = sign(keys, [1, 2, 3], liar=PartyId(2), tamper=lie)
    assert max(rounds) == 2
    for party in (PartyId(1), PartyId(3)):
        assert "was sent other values" in str(results[party])


@pytest.mark.parametrize(
    ("change", "ends_with"),
    [
        (lambda data: P256.multiply_base(5).encode() + data[33:], InconsistentShares),
        (lambda data: b"\5" + data[1:], PartyFault),
        (lambda data: data[:33] + b"\xff" * 32, PartyFault),
    ],
    ids=["R_i off the polynomial", "no point", "no scalar"],
)
def test_lies_that_all_signers_see_alike(change, ends_with):
    """The liar opens wrong values and then says the same hash as the others."""
    keys = key_shares(P256, 3, 1)
    rounds = []

    def lie(number, receiver, message, heard):
        rounds.append(number)
        if number == 2:
            return heard[PartyId(1)]
        return change(message) if number == 1 else message

    results = sign(keys, [1, 2, 3], liar=PartyId(2), tamper=lie)
    for party in (PartyId(1), PartyId(3)):
        assert type(results[party]) is ends_with, results[party]
        assert ends_with is not PartyFault or results[party].party == 2
    assert max(rounds) == 2, "somebody used its share of the key"


def test_a_wrong_product_that_all_see_alike_makes_no_signature():
    """A liar's w + d, the same to all, scales s by w / (w + d): nothing verifies, and s tells what it always tells."""
    keys = key_shares(P256, 3, 1)
    everyone = sorted(keys)
    made = run_signers(
        {
            party: presign(keys[party], signers=everyone, count=1, randomness=randomness(1, party))
            for party in everyone
        }
    )
    for party in everyone:
        made[party][0].inverse_share = made[party][0].inverse_share * 3 % P256.order
    results = run_signers({party: sign_presigned(keys[party], made[party][0], DIGEST) for party in everyone})
    for result in results.values():
        assert isinstance(result, ProtocolAbort)
        assert "does not verify" in str(result)


@pytest.mark.parametrize("number", range(4))
def test_messages_of_another_size_name_their_signer(number):
    keys = key_shares(SECP256K1, 3, 1)
    for bad in (lambda data: data[:-1], lambda data: data + b"\0", lambda data: b""):
        lie = lie_in(number, lambda receiver, data, bad=bad: bad(data))
        result = sign(keys, [1, 2, 3], liar=PartyId(2), tamper=lie)[PartyId(1)]
        assert isinstance(result, PartyFault)
        assert result.party == 2
        assert "bytes in a round of" in result.reason


@pytest.mark.parametrize("number", [0, 3])
def test_scalars_beyond_the_order_name_their_signer(number):
    keys = key_shares(SECP256K1, 3, 1)
    lie = lie_in(number, lambda receiver, data: b"\xff" * len(data))
    result = sign(keys, [1, 2, 3], liar=PartyId(2), tamper=lie)[PartyId(1)]
    assert isinstance(result, PartyFault)
    assert result.party == 2


def test_signers_that_differ_on_the_message_stop_before_the_key_is_used():
    keys = key_shares(SECP256K1, 3, 1)
    everyone = sorted(keys)
    digests = [hashlib.sha256(bytes([index == 2])).digest() for index in range(3)]
    protocols = {
        party: sign_ecdsa(keys[party], digest, signers=everyone, randomness=randomness(1, party))
        for party, digest in zip(everyone, digests, strict=True)
    }
    for result in run_signers(protocols).values():
        assert isinstance(result, ProtocolAbort)
        assert "another message" in str(result)
