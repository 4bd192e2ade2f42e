from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quorate.protocol.curve import ED25519, SECP256K1
from quorate.protocol.errors import PartyFault, ProtocolAbort
from quorate.protocol.sharing import PartyId
from quorate.protocol.verifiable import (
    BIP340,
    FROST_ED25519,
    FROST_P256,
    FROST_SECP256K1,
    Commitment,
    KeyShare,
    Scheme,
    Suite,
    sign_schnorr,
)
from quorate.protocol.verifiable.frost import Nonces, derive_challenge, draw_nonces, signature_share
from quorate.protocol.verifiable.suites import expand_message

from .committee import key_shares, private_key, randomness
from .network import flip, run_signers

VECTORS = Path(__file__).parents[2] / "vectors"
SUITES = {"ed25519": FROST_ED25519, "p256": FROST_P256, "secp256k1": FROST_SECP256K1, "bip340": BIP340}
EVERY = pytest.mark.parametrize("suite", SUITES.values(), ids=list(SUITES))


def sign(suite: Suite, keys, signers, message: bytes = b"a message", **lies):
    chosen = [PartyId(party) for party in signers]
    protocols = {
        party: sign_schnorr(suite, keys[party], message, signers=chosen, randomness=randomness(1, party))
        for party in chosen
    }
    return run_signers(protocols, **lies)


def agreed(results) -> bytes:
    first, *rest = results.values()
    assert all(other == first for other in rest)
    assert isinstance(first, bytes), first
    return first


@EVERY
@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (5, 2)])
def test_every_set_of_signers_signs(suite, parties, threshold):
    keys = key_shares(suite.curve, parties, threshold)
    public = suite.encode_public_key(keys[PartyId(1)].public_key)
    for signers in combinations(range(1, parties + 1), threshold + 1):
        signature = agreed(sign(suite, keys, signers))
        assert suite.verify(public, b"a message", signature)
        assert not suite.verify(public, b"another message", signature)
        for position in (0, 1, 20, 33, len(signature) - 1):
            assert not suite.verify(public, b"a message", flip(signature, position))
    everyone = agreed(sign(suite, keys, range(1, parties + 1)))
    assert suite.verify(public, b"a message", everyone)
    assert not suite.verify(public, b"a message", everyone[:-1])
    assert not suite.verify(public, b"a message", b"")


def test_ed25519_signatures_verify_elsewhere():
    for seed in range(8):
        keys = key_shares(ED25519, 3, 1, seed=seed)
        message = bytes([seed]) * seed
        public = Ed25519PublicKey.from_public_bytes(keys[PartyId(1)].public_key.encode())
        public.verify(agreed(sign(FROST_ED25519, keys, [1, 3], message)), message)


def test_bip340_signatures_by_keys_and_nonces_of_either_parity():
    """The verifier here is short and separate from the suite's: lifted points, and Python integers."""
    seen = set()
    for seed in range(12):
        keys = key_shares(SECP256K1, 3, 1, seed=seed)
        key = keys[PartyId(1)].public_key
        message = hashlib.sha256(bytes([seed])).digest()
        signature = agreed(sign(BIP340, keys, [2, 3], message))
        assert bip340_verify(BIP340.encode_public_key(key), message, signature)
        nonces = {
            party: draw_nonces(BIP340, keys[party].secret, randomness=randomness(1, party))[1] for party in (2, 3)
        }
        challenge = derive_challenge(BIP340, key, nonces, message)
        seen.add((key.coordinates[1] & 1, challenge.group_commitment.coordinates[1] & 1))
    assert len(seen) == 4


def bip340_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    curve = SECP256K1
    p, order = int(curve.law.p), curve.order

    def lift(x: int) -> tuple[int, int] | None:
        y = pow(x**3 + 7, (p + 1) // 4, p)
        if x >= p or (y * y - x**3 - 7) % p:
            return None
        return x, y if y % 2 == 0 else p - y

    tag = hashlib.sha256(b"BIP0340/challenge").digest()
    key = lift(int.from_bytes(public_key, "big"))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if key is None or r >= p or s >= order:
        return False
    digest = hashlib.sha256(tag + tag + signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "big") % order
    point = curve.generator * s - type(curve.generator)(curve, key) * challenge
    return not point.is_identity and point.coordinates[1] % 2 == 0 and point.coordinates[0] == r


@pytest.mark.parametrize(
    "case", json.loads((VECTORS / "bip340.json").read_text())["cases"], ids=lambda c: c["index"]
)
def test_bip340_vectors(case):
    key, message, signature = (bytes.fromhex(case[name]) for name in ("public_key", "message", "signature"))
    assert BIP340.verify(key, message, signature) is case["valid"]
    assert bip340_verify(key, message, signature) is case["valid"]
    if case["secret_key"]:
        point = SECP256K1.multiply_base(int(case["secret_key"], 16))
        assert BIP340.encode_public_key(point).hex() == case["public_key"]


RFC9591 = json.loads((VECTORS / "frost_rfc9591.json").read_text())["suites"]
RFC_SUITES = {
    "ed25519-sha512": FROST_ED25519,
    "p256-sha256": FROST_P256,
    "secp256k1-sha256": FROST_SECP256K1,
}


def rfc_keys(suite: Suite, inputs) -> dict[PartyId, KeyShare]:
    curve = suite.curve
    coefficients = [inputs["group_secret_key"], *inputs["share_polynomial_coefficients"]]
    scalars = [suite.decode_scalar(bytes.fromhex(value)) for value in coefficients]
    commitment = Commitment(curve, Scheme.FELDMAN, tuple(curve.multiply_base(scalar) for scalar in scalars))
    return {
        PartyId(entry["identifier"]): KeyShare(
            PartyId(entry["identifier"]),
            suite.decode_scalar(bytes.fromhex(entry["participant_share"])),
            commitment,
        )
        for entry in inputs["participant_shares"]
    }


def replayed(entry) -> Callable[[int], bytes]:
    """A source that gives the randomness of one signer of the vectors."""
    drawn = iter([bytes.fromhex(entry[f"{kind}_nonce_randomness"]) for kind in ("hiding", "binding")])
    return lambda size: next(drawn)


@pytest.mark.parametrize("name", RFC_SUITES)
def test_rfc_9591_vectors(name):
    """The randomness of the vectors goes in; nonces, binding factors, shares and the signature come out."""
    suite, document = RFC_SUITES[name], RFC9591[name]
    inputs, first, second = (document[part] for part in ("inputs", "round_one_outputs", "round_two_outputs"))
    keys, message = rfc_keys(suite, inputs), bytes.fromhex(inputs["message"])
    assert keys[PartyId(1)].public_key.encode().hex() == inputs["group_public_key"]
    signers = [PartyId(party) for party in inputs["participant_list"]]
    nonces, commitments = {}, {}
    for entry in first["outputs"]:
        party = PartyId(entry["identifier"])
        nonces[party], commitments[party] = draw_nonces(suite, keys[party].secret, randomness=replayed(entry))
        for kind in ("hiding", "binding"):
            assert suite.encode_scalar(getattr(nonces[party], kind)).hex() == entry[f"{kind}_nonce"]
            assert getattr(commitments[party], kind).encode().hex() == entry[f"{kind}_nonce_commitment"]
    challenge = derive_challenge(suite, keys[PartyId(1)].public_key, commitments, message)
    for entry in first["outputs"]:
        factor = challenge.binding_factors[PartyId(entry["identifier"])]
        assert suite.encode_scalar(factor).hex() == entry["binding_factor"]
    for entry in second["outputs"]:
        party = PartyId(entry["identifier"])
        share = signature_share(suite, keys[party], nonces[party], challenge, signers=signers)
        assert suite.encode_scalar(share).hex() == entry["sig_share"]
    protocols = {}
    for entry in first["outputs"]:
        party = PartyId(entry["identifier"])
        protocols[party] = sign_schnorr(suite, keys[party], message, signers=signers, randomness=replayed(entry))
    assert agreed(run_signers(protocols)).hex() == document["final_output"]["sig"]


def test_expand_message_is_that_of_rfc_9380():
    """RFC 9380, appendix K.1, has no case of 48 bytes; this is its construction written out for two blocks."""
    tag, data = b"QUUX-V01-CS02-with-expander-SHA256-128", b"abc"
    prime = tag + bytes([len(tag)])
    start = hashlib.sha256(bytes(64) + data + b"\x00\x30" + b"\x00" + prime).digest()
    one = hashlib.sha256(start + b"\x01" + prime).digest()
    two = hashlib.sha256(bytes(a ^ b for a, b in zip(start, one, strict=True)) + b"\x02" + prime).digest()
    assert expand_message(data, tag=tag) == (one + two)[:48]


# Liars.


@EVERY
def test_a_wrong_share_names_its_signer(suite):
    keys = key_shares(suite.curve, 4, 1)
    position = 32 if suite.byte_order == "little" else -1

    def lie(number, receiver, message, heard):
        return flip(message, position) if number == 1 else message

    results = sign(suite, keys, [1, 2, 4], liar=PartyId(2), tamper=lie)
    for party in (1, 4):
        assert isinstance(results[PartyId(party)], PartyFault)
        assert results[PartyId(party)].party == 2
        assert "wrong share" in results[PartyId(party)].reason


@EVERY
@pytest.mark.parametrize("number", [0, 1])
def test_malformed_messages_name_their_signer(suite, number):
    keys = key_shares(suite.curve, 3, 1)
    for bad in (
        lambda data: b"\xff" * len(data),
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: b"",
    ):

        def lie(at, receiver, message, heard, bad=bad):
            return bad(message) if at == number else message

        result = sign(suite, keys, [1, 2], liar=PartyId(2), tamper=lie)[PartyId(1)]
        assert isinstance(result, PartyFault)
        assert result.party == 2


def test_two_faces_stop_the_signature_and_name_nobody():
    """Other nonce commitments for one signer than for another: no honest signer is blamed for it."""
    keys = key_shares(ED25519, 4, 1)
    other = draw_nonces(FROST_ED25519, 5, randomness=randomness(7, "x"))[1].encode()

    def lie(number, receiver, message, heard):
        return other if number == 0 and receiver == 1 else message

    results = sign(FROST_ED25519, keys, [1, 2, 3], liar=PartyId(3), tamper=lie)
    for party in (1, 2):
        assert isinstance(results[PartyId(party)], ProtocolAbort)


def test_signers_that_differ_on_the_message_blame_nobody():
    keys = key_shares(ED25519, 3, 1)
    chosen = [PartyId(1), PartyId(2)]
    protocols = {
        party: sign_schnorr(FROST_ED25519, keys[party], message, signers=chosen, randomness=randomness(1, party))
        for party, message in zip(chosen, (b"yes", b"no"), strict=True)
    }
    for result in run_signers(protocols).values():
        assert isinstance(result, ProtocolAbort)
        assert "another message" in str(result)


def test_silence_names_the_silent():
    keys = key_shares(ED25519, 3, 1)
    protocol = sign_schnorr(
        FROST_ED25519, keys[PartyId(1)], b"", signers=[PartyId(1), PartyId(2)], randomness=randomness(1, 1)
    )
    exchange = next(protocol)
    assert set(exchange.outgoing) == set(exchange.incoming) == {2}
    with pytest.raises(PartyFault, match="party 2"):
        protocol.send({})


def test_t_signers_cannot_sign():
    keys = key_shares(ED25519, 5, 2)
    for signers, match in [([1, 2], "2 signers are too few"), ([1, 1, 2], "different"), ([2, 3, 4], "different")]:
        chosen = [PartyId(party) for party in signers]
        with pytest.raises(ValueError, match=match):
            next(sign_schnorr(FROST_ED25519, keys[PartyId(1)], b"", signers=chosen, randomness=randomness(1, 1)))
    with pytest.raises(ValueError, match="cannot sign on p-256"):
        next(sign_schnorr(FROST_P256, keys[PartyId(1)], b"", signers=[PartyId(1)], randomness=randomness(1, 1)))


def test_nonces_depend_on_the_key_and_stay_out_of_reprs():
    first, _ = draw_nonces(FROST_ED25519, 1, randomness=bytes)  # a broken source: always zeros
    second, _ = draw_nonces(FROST_ED25519, 2, randomness=bytes)
    assert first.hiding != second.hiding
    assert repr(first) == "Nonces()"
    assert isinstance(first, Nonces)


def test_the_key_of_the_tests_is_the_one_that_is_shared():
    keys = key_shares(ED25519, 5, 2)
    assert ED25519.generator * private_key(keys) == keys[PartyId(1)].public_key
