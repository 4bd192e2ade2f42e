from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.contracts import Bid, Request
from quorate.marketplace import Committee, NoMatch, SignedBid, choose_committee, verify_match

from .conftest import DOMAIN, NOW, Member, make_bid, make_request, secret

REQUEST = make_request(Member.of("requestor")).request
REQUEST_ID = REQUEST.digest(DOMAIN)


def bid(member: int, price: int, *, peer: int | None = None, valid_s: int = 500) -> SignedBid:
    """A bid without signatures: matching takes bids that were verified before."""
    name = bytes([member]) * 20
    terms = Bid(REQUEST_ID, name, price, secret(f"peer {member if peer is None else peer}"), NOW + valid_s)
    return SignedBid(terms, (), bytes(65), bytes(64))


def choose(bids: list[SignedBid], request: Request = REQUEST) -> Committee | NoMatch:
    return choose_committee(request, bids, domain=DOMAIN, now=NOW)


distinct_bids = st.lists(st.integers(1, 1800), max_size=8).map(
    lambda prices: [bid(place + 1, price) for place, price in enumerate(prices)]
)
any_bids = st.lists(
    st.builds(
        bid,
        st.integers(1, 5),
        st.integers(1, 3200),
        peer=st.integers(1, 5),
        valid_s=st.sampled_from([-1, 10, 60, 90]),
    ),
    max_size=8,
)


@given(distinct_bids)
def test_no_other_choice_costs_less(bids: list[SignedBid]) -> None:
    sums = [sum(one.bid.price for one in choice) for choice in itertools.combinations(bids, REQUEST.parties)]
    chosen = choose(bids)
    if not sums:
        assert chosen == NoMatch(len(bids), len(bids), 3, 0)
    elif min(sums) > REQUEST.max_price:
        assert chosen == NoMatch(len(bids), len(bids), 3, min(sums) - REQUEST.max_price)
    else:
        assert isinstance(chosen, Committee)
        assert chosen.total_price == min(sums) == sum(one.bid.price for one in chosen.members)


@settings(max_examples=300)
@given(any_bids)
def test_a_committee_can_always_be_locked(bids: list[SignedBid]) -> None:
    chosen = choose(bids)
    if isinstance(chosen, NoMatch):
        assert chosen.usable < 3 or chosen.excess > 0
        return
    terms = [one.bid for one in chosen.members]
    assert len(terms) == REQUEST.parties
    assert len({one.member for one in terms}) == len({one.peer_key for one in terms}) == len(terms)
    assert chosen.total_price == sum(one.price for one in terms) <= REQUEST.max_price
    assert all(one.valid_until >= NOW + 30 for one in terms)


@given(any_bids, st.randoms(use_true_random=False))
def test_the_order_of_bids_changes_nothing(bids: list[SignedBid], random: object) -> None:
    shuffled = list(bids)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis types its randoms as object
    assert choose(shuffled) == choose(bids)
    assert choose([*bids, *bids][: len(bids)]) == choose(bids)


def test_ties_are_the_same_for_all_and_differ_between_requests() -> None:
    bids = [bid(member, 5) for member in range(1, 11)]
    first = choose(bids)
    assert isinstance(first, Committee)
    assert choose(bids[::-1]) == first
    other = replace(REQUEST, nonce=1)
    moved = [replace(one, bid=replace(one.bid, request_id=other.digest(DOMAIN))) for one in bids]
    second = choose(moved, other)
    assert isinstance(second, Committee)
    assert [one.bid.member for one in first.members] != [one.bid.member for one in second.members]


def test_the_newest_bid_of_a_member_counts() -> None:
    others = [bid(2, 900), bid(3, 900)]
    chosen = choose([bid(1, 100, valid_s=100), bid(1, 700, valid_s=400), *others])
    assert isinstance(chosen, Committee)
    assert chosen.total_price == 2500


def test_one_peer_has_one_seat() -> None:
    bids = [bid(1, 10, peer=1), bid(2, 5, peer=1), bid(3, 20), bid(4, 30)]
    chosen = choose(bids)
    assert isinstance(chosen, Committee)
    assert chosen.total_price == 55
    assert choose(bids[:3]) == NoMatch(3, 2, 3, 0)


def test_a_bid_must_outlast_the_lock_or_the_bidding() -> None:
    short = [bid(member, 5, valid_s=20) for member in range(1, 4)]
    assert choose(short) == NoMatch(3, 0, 3, 0)
    assert isinstance(choose_committee(REQUEST, short, domain=DOMAIN, now=NOW, margin_s=20), Committee)
    ending = replace(REQUEST, bid_deadline=NOW + 20)
    moved = [replace(one, bid=replace(one.bid, request_id=ending.digest(DOMAIN))) for one in short]
    assert isinstance(choose(moved, ending), Committee)


def test_no_match_says_what_is_missing() -> None:
    few, dear = choose([bid(1, 5), bid(2, 5, valid_s=-1)]), choose([bid(member, 1100) for member in (1, 2, 3)])
    assert isinstance(few, NoMatch)
    assert few.reason == "2 bids came in, 1 of them usable, and 3 are needed"
    assert isinstance(dear, NoMatch)
    assert dear.reason == "the 3 cheapest of 3 bids cost 300 more than the request pays"


def test_a_chosen_committee_is_a_good_match() -> None:
    bids = [make_bid(Member.of(seed), REQUEST, price=500 + seed) for seed in range(5)]
    chosen = choose(bids)
    assert isinstance(chosen, Committee)
    assert verify_match(chosen.match(), REQUEST, domain=DOMAIN) == chosen.request_id == REQUEST_ID
