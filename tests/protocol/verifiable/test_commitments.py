from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.curve import BLS12_381_G1, CURVES, ED25519, P256, SECP256K1
from quorate.protocol.errors import MalformedMessage, PartyFault, ProtocolAbort
from quorate.protocol.sharing import InconsistentShares, PartyId
from quorate.protocol.verifiable import (
    Claim,
    Commitment,
    KeyShare,
    PublicShareProof,
    Scheme,
    Share,
    check_dealing,
    check_opening,
    check_public_share,
    deal,
    decode_commitment,
    decode_key,
    encode_key,
    false_claims,
    interpolate_points,
    open_committed,
    open_in_exponent,
    prove_public_share,
    reconstruct,
    sum_commitments,
    verify,
)
from quorate.protocol.verifiable.exponent import coefficients_in_exponent
from quorate.protocol.verifiable.proof import _challenge

from .committee import key_shares, randomness

CURVE = st.sampled_from(list(CURVES.values()))
SCHEMES = pytest.mark.parametrize("scheme", list(Scheme))
SIZE = st.sampled_from([(1, 0), (3, 1), (4, 1), (5, 2), (7, 3)])


def sharings(curve, secrets, *, scheme, parties=4, threshold=1, seed=1):
    source = randomness(seed, "dealer")
    dealing = deal(curve, secrets, scheme=scheme, parties=parties, threshold=threshold, randomness=source)
    return dealing.commitments, {PartyId(party): own for party, own in enumerate(dealing.shares, start=1)}


@settings(max_examples=20, deadline=None)
@given(CURVE, st.sampled_from(list(Scheme)), SIZE, st.lists(st.integers(-5, 1 << 256), max_size=3))
def test_what_is_dealt_verifies_and_opens(curve, scheme, size, secrets):
    parties, threshold = size
    commitments, shares = sharings(curve, secrets, scheme=scheme, parties=parties, threshold=threshold)
    check_opening(commitments, shares, randomness=randomness(1, "weights"))
    for party, own in shares.items():
        check_dealing(commitments, own, dealer=PartyId(1), receiver=party, randomness=randomness(1, "weights"))
        assert all(commitment.admits(party, share) for commitment, share in zip(commitments, own, strict=True))
    last = {party: shares[party] for party in sorted(shares)[parties - threshold - 1 :]}
    opened = reconstruct(commitments, last, randomness=randomness(1, "weights"))
    assert [secret.value for secret in opened.secrets] == [secret % curve.order for secret in secrets]
    assert not opened.wrong
    for commitment, secret in zip(commitments, opened.secrets, strict=True):
        assert scheme.commit(curve, secret) == commitment.secret


@SCHEMES
@pytest.mark.parametrize("curve", CURVES.values(), ids=list(CURVES))
def test_a_wrong_share_is_found_and_named(curve, scheme):
    commitments, shares = sharings(curve, [7, 8, 9], scheme=scheme)
    liar = PartyId(3)
    own = list(shares[liar])
    own[1] = dataclasses.replace(own[1], value=(own[1].value + 1) % curve.order)
    lying = shares | {liar: tuple(own)}
    with pytest.raises(PartyFault, match="party 3: gave a share that the commitment does not bind"):
        check_opening(commitments, lying, randomness=randomness(2, "weights"))
    opened = reconstruct(commitments, lying, randomness=randomness(2, "weights"))
    assert opened.wrong == {liar}
    assert [secret.value for secret in opened.secrets] == [7, 8, 9]
    with pytest.raises(PartyFault, match="party 2: dealt a share that its commitment does not bind") as caught:
        check_dealing(commitments, own, dealer=PartyId(2), receiver=liar, randomness=randomness(2, "weights"))
    assert caught.value.party == 2


@SCHEMES
def test_every_false_claim_among_many_is_found(scheme):
    commitments, shares = sharings(SECP256K1, list(range(10)), scheme=scheme, parties=5, threshold=2)
    claims = [
        Claim(commitment, party, share)
        for party, own in shares.items()
        for commitment, share in zip(commitments, own, strict=True)
    ]
    assert verify(claims, randomness=randomness(3, "weights"))
    assert false_claims(claims, randomness=randomness(3, "weights")) == []
    wrong = {0, 17, 18, 49}
    for index in wrong:
        share = Share(claims[index].share.value ^ 1, claims[index].share.blinding)
        claims[index] = dataclasses.replace(claims[index], share=share)
    assert not verify(claims, randomness=randomness(3, "weights"))
    assert false_claims(claims, randomness=randomness(3, "weights")) == [claims[index] for index in sorted(wrong)]
    assert verify([], randomness=randomness(3, "weights"))


def test_errors_that_cancel_without_weights_are_found():
    """Two shares off by +1 and -1: their plain sum is right."""
    commitments, shares = sharings(P256, [1, 2], scheme=Scheme.FELDMAN)
    own = shares[PartyId(1)]
    changed = (Share((own[0].value + 1) % P256.order), Share((own[1].value - 1) % P256.order))
    with pytest.raises(PartyFault):
        check_dealing(commitments, changed, dealer=PartyId(2), receiver=PartyId(1), randomness=randomness(1, "w"))


def test_the_number_of_shares_counts():
    commitments, shares = sharings(P256, [1, 2], scheme=Scheme.FELDMAN)
    with pytest.raises(PartyFault, match="party 2: dealt 1 shares of 2 sharings"):
        check_dealing(
            commitments,
            shares[PartyId(1)][:1],
            dealer=PartyId(2),
            receiver=PartyId(1),
            randomness=randomness(1, "w"),
        )
    short = shares | {PartyId(4): shares[PartyId(4)][:1]}
    with pytest.raises(PartyFault, match="party 4"):
        check_opening(commitments, short, randomness=randomness(1, "w"))
    wrong = {party: (Share(1), Share(2)) for party in shares} | {PartyId(1): shares[PartyId(1)]}
    with pytest.raises(ProtocolAbort, match="1 right shares of 2"):
        reconstruct(commitments, wrong, randomness=randomness(1, "w"))


def test_feldman_has_no_blinding():
    commitments, shares = sharings(P256, [1], scheme=Scheme.FELDMAN)
    blinded = Share(shares[PartyId(1)][0].value, 5)
    assert not commitments[0].admits(PartyId(1), blinded)
    assert not verify([Claim(commitments[0], PartyId(1), blinded)], randomness=randomness(1, "w"))
    with pytest.raises(ValueError, match="no blinding"):
        Scheme.FELDMAN.commit(P256, blinded)


def test_secrets_are_not_shown():
    commitments, shares = sharings(P256, [123456789], scheme=Scheme.PEDERSEN)
    dealing = deal(P256, [1], scheme=Scheme.PEDERSEN, parties=3, threshold=1, randomness=randomness(1, "d"))
    key = key_shares(P256, 3, 1)[PartyId(1)]
    own = shares[PartyId(1)][0]
    for thing in (own, dealing, Claim(commitments[0], PartyId(1), own), key):
        assert str(own.value) not in repr(thing)
        assert str(key.secret) not in repr(thing)
        assert "shares" not in repr(thing)


def test_thresholds_that_no_committee_has():
    for parties, threshold in [(0, 0), (3, 3), (3, -1), (65, 1)]:
        with pytest.raises(ValueError, match="no threshold"):
            deal(
                P256,
                [1],
                scheme=Scheme.FELDMAN,
                parties=parties,
                threshold=threshold,
                randomness=randomness(1, "d"),
            )
    with pytest.raises(ValueError, match="0 coefficients"):
        Commitment(P256, Scheme.FELDMAN, ())


@SCHEMES
def test_commitments_travel_and_add_up(scheme):
    commitments, shares = sharings(ED25519, [3, 4], scheme=scheme)
    data = commitments[0].encode()
    assert decode_commitment(data, curve=ED25519, scheme=scheme, threshold=1) == commitments[0]
    for wrong in (data[:-1], data + bytes(32), b"\xff" * len(data)):
        with pytest.raises(MalformedMessage):
            decode_commitment(wrong, curve=ED25519, scheme=scheme, threshold=1)
    total = sum_commitments(commitments)
    for party, (left, right) in shares.items():
        both = Share((left.value + right.value) % ED25519.order, (left.blinding + right.blinding) % ED25519.order)
        assert total.admits(party, both)
    with pytest.raises(ValueError, match="no commitments"):
        sum_commitments([])
    other, _ = sharings(ED25519, [3], scheme=scheme, threshold=2)
    with pytest.raises(ValueError, match="different curves"):
        _ = total + other[0]


# Opening in the exponent.


@settings(max_examples=15, deadline=None)
@given(CURVE, SIZE, st.integers(0, 1 << 255))
def test_opening_in_the_exponent(curve, size, secret):
    parties, threshold = size
    commitments, shares = sharings(curve, [secret], scheme=Scheme.FELDMAN, parties=parties, threshold=threshold)
    points = {party: curve.generator * own[0].value for party, own in shares.items()}
    expected = curve.generator * secret
    assert open_in_exponent(points, threshold=threshold) == expected
    assert open_committed(points, commitment=commitments[0]) == expected
    few = {party: points[party] for party in sorted(points)[: threshold + 1]}
    assert interpolate_points(few) == expected
    assert coefficients_in_exponent(few) == commitments[0].points


def test_wrong_points_in_the_exponent():
    commitments, shares = sharings(BLS12_381_G1, [5], scheme=Scheme.FELDMAN)
    points = {party: BLS12_381_G1.multiply_base(own[0].value) for party, own in shares.items()}
    for liar in points:
        lying = points | {liar: points[liar] + BLS12_381_G1.generator}
        with pytest.raises(InconsistentShares):
            open_in_exponent(lying, threshold=1)
        with pytest.raises(PartyFault, match=f"party {liar}"):
            open_committed(lying, commitment=commitments[0])
    with pytest.raises(ValueError, match="1 points cannot open"):
        open_in_exponent({PartyId(1): points[PartyId(1)]}, threshold=1)
    with pytest.raises(ValueError, match="no points"):
        interpolate_points({})


# Keys and proofs.


def test_a_key_share_belongs_to_its_commitment():
    shares = key_shares(SECP256K1, 3, 1)
    first = shares[PartyId(1)]
    assert first.public_share(PartyId(2)) == SECP256K1.generator * shares[PartyId(2)].secret
    with pytest.raises(ValueError, match="does not belong"):
        KeyShare(PartyId(1), first.secret + 1, first.commitment)
    zero, dealt = sharings(SECP256K1, [0], scheme=Scheme.FELDMAN)
    with pytest.raises(ValueError, match="is not 0"):
        KeyShare(PartyId(1), dealt[PartyId(1)][0].value, zero[0])


@pytest.mark.parametrize("curve", CURVES.values(), ids=list(CURVES))
def test_key_shares_are_kept_as_bytes(curve):
    key = key_shares(curve, 5, 2)[PartyId(4)]
    data = encode_key(key)
    assert decode_key(data) == key
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 1
        with pytest.raises(MalformedMessage):
            decode_key(bytes(changed))
    for wrong in (b"", data[:-1], data + b"\0"):
        with pytest.raises(MalformedMessage):
            decode_key(wrong)


@settings(max_examples=10, deadline=None)
@given(CURVE, st.integers(0, 1 << 250), st.integers(0, 1 << 250))
def test_public_shares_are_proved(curve, value, blinding):
    share = Share(value, blinding)
    commitment = curve.commit(value, blinding)
    point, proof = prove_public_share(curve, share, context=b"here", randomness=randomness(1, "proof"))
    assert point == curve.generator * value
    assert check_public_share(point, proof, commitment=commitment, context=b"here")
    assert not check_public_share(point, proof, commitment=commitment, context=b"there")
    assert not check_public_share(point + curve.generator, proof, commitment=commitment, context=b"here")
    assert not check_public_share(point, proof, commitment=commitment + curve.generator, context=b"here")
    for name in ("challenge", "value_response", "blinding_response"):
        changed = bytes(31) + b"\1"
        for wrong in (changed, b"\xff" * 32):
            altered = dataclasses.replace(proof, **{name: wrong})
            assert not check_public_share(point, altered, commitment=commitment, context=b"here")


def test_another_opening_of_the_blinding_is_no_proof():
    """E = s G + b H and b' != b: E - b' H would need its own logarithm to G, which is not known."""
    curve = SECP256K1
    commitment = curve.commit(5, 7)
    shifted = commitment - curve.second_generator * 6
    _, proof = prove_public_share(curve, Share(5, 6), context=b"here", randomness=randomness(1, "proof"))
    assert not check_public_share(shifted, proof, commitment=commitment, context=b"here")


def test_a_proof_cannot_be_made_first_and_its_statement_after():
    """The challenge covers Y: else R = k G + D and R' = k' H - D would prove Y = s G - D / c for any point D."""
    curve, share, context = SECP256K1, Share(5, 7), b"here"
    commitment, shift = curve.commit(5, 7), curve.generator * 99
    announced = curve.generator * 11 + shift, curve.second_generator * 13 - shift
    public = curve.multiply_base(share.value)
    challenge = _challenge(curve, commitment, public, announced, context=context)
    responses = (challenge, 11 + challenge * share.value, 13 + challenge * share.blinding)
    proof = PublicShareProof(*(curve.encode_scalar(scalar) for scalar in responses))
    forged = public - shift * pow(challenge, -1, curve.order)
    assert forged * challenge == curve.generator * (11 + challenge * 5) - announced[0], "the equations hold"
    assert not check_public_share(forged, proof, commitment=commitment, context=context)
