"""Signatures counted: who may sign, how often, and how many are enough."""

import pytest

from quorate.contracts import Attestation, Domain, Fault
from quorate.node.keys import ChainKey, Secret
from quorate.node.session.tally import NO_MEMBER, SignatureTally, UnknownSigner

DOMAIN = Domain(31337, bytes(range(20)))
REQUEST = bytes(range(32))
RESULT, OTHER = b"\x01" * 32, b"\x02" * 32
KEYS = [ChainKey(Secret(bytes(31) + bytes([number]))) for number in range(1, 6)]
MEMBERS = [key.account for key in KEYS]
OUTSIDER = ChainKey(Secret(bytes(31) + b"\x63"))


@pytest.fixture
def tally():
    return SignatureTally(DOMAIN, REQUEST, MEMBERS, 2)


def attestation(key, digest=RESULT, request=REQUEST):
    return key.sign_digest(Attestation(request, digest).digest(DOMAIN))


def fault(key, accused):
    return key.sign_digest(Fault(REQUEST, accused).digest(DOMAIN))


def attest(tally, key, digest=RESULT):
    return tally.attest(key.account, digest=digest, signature=attestation(key, digest))


def accuse(tally, key, accused):
    return tally.accuse(key.account, accused=accused, signature=fault(key, accused))


def test_t_signatures_are_not_enough_and_one_more_is(tally):
    for key in (KEYS[4], KEYS[2]):
        assert attest(tally, key)
        assert tally.attested() is None
    assert attest(tally, KEYS[0])
    in_committee_order = [attestation(KEYS[place]) for place in (0, 2, 4)]
    assert tally.attested() == (RESULT, in_committee_order)


def test_no_more_signatures_are_submitted_than_needed(tally):
    for key in KEYS:
        attest(tally, key)
    _, signatures = tally.attested()
    assert len(signatures) == 3


def test_a_vote_twice_is_one_vote(tally):
    assert attest(tally, KEYS[0])
    for _ in range(5):
        assert not attest(tally, KEYS[0])
    assert attest(tally, KEYS[1])
    assert tally.attested() is None


def test_a_member_attests_one_result_only(tally):
    attest(tally, KEYS[0])
    with pytest.raises(UnknownSigner, match="another result"):
        attest(tally, KEYS[0], OTHER)
    assert set(tally.attestations) == {RESULT}


def test_votes_for_different_results_do_not_add_up(tally):
    for key, digest in zip(KEYS, (RESULT, RESULT, OTHER, OTHER), strict=False):
        attest(tally, key, digest)
    assert tally.attested() is None


def test_an_outsider_counts_for_nothing(tally):
    with pytest.raises(UnknownSigner, match="not in the committee"):
        attest(tally, OUTSIDER)
    with pytest.raises(UnknownSigner, match="not in the committee"):
        accuse(tally, OUTSIDER, MEMBERS[0])


@pytest.mark.parametrize(
    "signature",
    [
        attestation(KEYS[1]),
        attestation(KEYS[0], OTHER),
        attestation(KEYS[0], request=OTHER),
        bytes(65),
        b"",
        b"\xff" * 65,
    ],
    ids=["another member", "another result", "another request", "zero", "empty", "out of range"],
)
def test_a_signature_must_be_the_members_own_on_this_result(tally, signature):
    with pytest.raises(UnknownSigner, match="not this member's"):
        tally.attest(MEMBERS[0], digest=RESULT, signature=signature)
    assert tally.attestations == {}


def test_t_accusers_harm_nobody_and_one_more_names(tally):
    for key in KEYS[:2]:
        accuse(tally, key, MEMBERS[4])
    assert tally.accused() is None
    accuse(tally, KEYS[2], MEMBERS[4])
    assert tally.accused() == (MEMBERS[4], [fault(key, MEMBERS[4]) for key in KEYS[:3]])


def test_nobody_accuses_itself_nor_a_stranger(tally):
    with pytest.raises(UnknownSigner, match="itself"):
        accuse(tally, KEYS[0], MEMBERS[0])
    with pytest.raises(UnknownSigner, match="accused is not in the committee"):
        accuse(tally, KEYS[0], OUTSIDER.account)


def test_a_named_member_goes_before_nobody(tally):
    for key in KEYS[:3]:
        accuse(tally, key, NO_MEMBER)
    assert tally.accused()[0] == NO_MEMBER
    for key in KEYS[:3]:
        accuse(tally, key, MEMBERS[4])
    assert tally.accused()[0] == MEMBERS[4]


def test_memory_is_bounded_whatever_a_member_signs(tally):
    accusable = [*MEMBERS[1:], NO_MEMBER]
    for _ in range(3):
        for accused in accusable:
            accuse(tally, KEYS[0], accused)
    assert sum(len(votes) for votes in tally.faults.values()) == len(accusable)
