from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.field import BN254
from quorate.protocol.mpc.membership import CommitteeKey, StaleEpoch, StoredShares, refresh
from quorate.protocol.sharing import PartyId, check_degree

MEMBERS = (b"ada", b"bob", b"cyd")
KEY = CommitteeKey.of(MEMBERS, threshold=1, field=BN254)
VALUES = [0, 1, -1, 2**63 - 1, 12345]


def stored(group, values=VALUES):
    return [StoredShares(KEY, PartyId(party), own) for party, own in enumerate(group.share(values), start=1)]


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (5, 2), (9, 4)])
def test_a_refresh_keeps_the_secrets_and_changes_every_share(committee, parties, threshold):
    group = committee(parties, threshold)
    before = stored(group)
    after = group.run(refresh, before, KEY)
    assert group.open([own.shares for own in after]) == VALUES
    assert {own.key for own in after} == {KEY.next()}
    if threshold:
        for old, new in zip(before, after, strict=True):
            assert (old.shares != new.shares).any(axis=1).all()


def test_shares_of_two_epochs_do_not_fit_together(committee):
    group = committee(5, 2)
    before = stored(group)
    after = group.run(refresh, before, KEY)
    mixed = {own.party: own.shares for own in (*before[:2], *after[2:])}
    assert not check_degree(BN254, mixed, degree=2)
    with pytest.raises(StaleEpoch, match="of epoch 0 and the committee is at 1"):
        before[0].at(KEY.next())


def test_what_was_lost_in_two_epochs_tells_nothing_about_the_secret(committee):
    """One share of each of two epochs, interpolated, is the secret only by accident."""
    group = committee(3, 1)
    before = stored(group)
    after = group.run(refresh, before, KEY)
    guess = BN254.combine([2, -1], [before[0].shares, after[1].shares])
    assert (guess != BN254.vector(VALUES)).any(axis=1).all()


def test_shares_of_another_committee_are_refused(three):
    own = stored(three)[0]
    other = CommitteeKey.of((b"ada", b"bob", b"eve"), threshold=1, field=BN254)
    with pytest.raises(StaleEpoch, match="another committee"):
        own.at(other)
    with pytest.raises(StaleEpoch):
        three.run(refresh, stored(three), other)


def test_a_key_depends_on_members_their_order_and_the_threshold():
    keys = {
        CommitteeKey.of(members, threshold=threshold, field=BN254).digest
        for members in (MEMBERS, MEMBERS[::-1], (b"adab", b"ob", b"cyd"))
        for threshold in (0, 1)
    }
    assert len(keys) == 6


@settings(max_examples=30, derandomize=True)
@given(st.lists(st.integers(0, BN254.modulus - 1), max_size=5), st.integers(0, 99), st.integers(1, 64))
def test_stored_shares_come_back(values, epoch, party):
    own = StoredShares(CommitteeKey(KEY.digest, epoch), PartyId(party), BN254.vector(values))
    back = StoredShares.from_bytes(BN254, own.to_bytes(BN254))
    assert (back.key, back.party, BN254.integers(back.shares)) == (own.key, own.party, values)


@settings(max_examples=60, derandomize=True)
@given(st.data())
def test_damaged_bytes_are_refused_or_another_value(data):
    own = StoredShares(KEY, PartyId(2), BN254.vector([7, 8]))
    good = own.to_bytes(BN254)
    place = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[place] ^= data.draw(st.integers(1, 255))
    try:
        back = StoredShares.from_bytes(BN254, bytes(bad))
    except MalformedMessage:
        return
    assert back.to_bytes(BN254) == bytes(bad)


def test_a_length_that_does_not_fit_is_refused():
    good = StoredShares(KEY, PartyId(1), BN254.vector([1, 2])).to_bytes(BN254)
    with pytest.raises(MalformedMessage):
        StoredShares.from_bytes(BN254, good[:-1])
    with pytest.raises(MalformedMessage):
        StoredShares.from_bytes(BN254, b"")


def test_shares_are_not_in_the_representation():
    own = StoredShares(KEY, PartyId(1), BN254.vector([123456789]))
    assert "123456789" not in repr(own)
    assert "shares" not in repr(own)
