from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.contracts import MAX_DURATION_SECONDS, Domain, sign
from quorate.marketplace import (
    BidRefused,
    Match,
    MatchRefused,
    RequestRefused,
    SignedBid,
    SignedRequest,
    bid_statement,
    decode_gossip,
    verify_bid,
    verify_match,
    verify_request,
)
from quorate.marketplace.messages import MAX_ADDRESS_BYTES, MAX_ADDRESSES, MAX_GOSSIP_BYTES
from quorate.protocol.codec import decode, encode
from quorate.protocol.errors import MalformedMessage

from .conftest import DOMAIN, NOW, Member, details, make_bid, make_request, secret

OTHER_CHAIN = Domain(1, DOMAIN.market)
OTHER_MARKET = Domain(DOMAIN.chain_id, bytes(20))


def resigned(signed: SignedRequest, requestor: Member, **changes: Any) -> SignedRequest:
    request = replace(signed.request, **changes)
    return SignedRequest(request, signed.details, sign(request.digest(DOMAIN), requestor.chain_key))


def changed(message: Any, name: str) -> Any:
    """`message` with another value in the field `name`."""
    old = getattr(message, name)
    return replace(message, **{name: old + 1 if isinstance(old, int) else bytes([old[0] ^ 1]) + old[1:]})


def test_a_good_request_gives_its_id(signed_request: SignedRequest) -> None:
    assert verify_request(signed_request, domain=DOMAIN, now=NOW) == signed_request.request.digest(DOMAIN)
    assert decode_gossip(encode(signed_request)) == signed_request


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(make_request(Member.of(0)).request)])
def test_a_request_changed_in_any_field_is_refused(signed_request: SignedRequest, name: str) -> None:
    """A request id that is not bound to the whole request lets somebody else spend its escrow."""
    forged = replace(signed_request, request=changed(signed_request.request, name))
    assert forged.request.digest(DOMAIN) != signed_request.request.digest(DOMAIN)
    with pytest.raises(RequestRefused):
        verify_request(forged, domain=DOMAIN, now=NOW)


@pytest.mark.parametrize("domain", [OTHER_CHAIN, OTHER_MARKET])
def test_a_request_does_not_count_elsewhere(signed_request: SignedRequest, domain: Domain) -> None:
    with pytest.raises(RequestRefused, match="for this market"):
        verify_request(signed_request, domain=domain, now=NOW)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"parties": 3, "threshold": 2}, "2t < n"),
        ({"parties": 3, "threshold": 0}, "2t < n"),
        ({"parties": 65, "threshold": 1}, "2t < n"),
        ({"bid_deadline": NOW}, "deadline for bids"),
        ({"deadline": NOW + 600}, "deadline must be"),
        ({"deadline": NOW + MAX_DURATION_SECONDS + 1}, "deadline must be"),
        ({"max_price": 2}, "the least is 1 each"),
        ({"collateral": 0}, "collateral"),
        ({"details": bytes(32)}, "its details"),
        ({"program": bytes(32)}, "another program"),
    ],
)
def test_terms_that_the_market_would_refuse_are_refused(
    signed_request: SignedRequest, requestor: Member, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RequestRefused, match=reason):
        verify_request(resigned(signed_request, requestor, **changes), domain=DOMAIN, now=NOW)


def test_exchanged_details_are_refused(signed_request: SignedRequest) -> None:
    with pytest.raises(RequestRefused, match="its details are not"):
        verify_request(replace(signed_request, details=details(kappa=41)), domain=DOMAIN, now=NOW)


def test_a_good_bid_gives_the_id_of_its_request(signed_request: SignedRequest) -> None:
    bid = make_bid(Member.of(1), signed_request.request)
    request = signed_request.request
    assert verify_bid(bid, request, domain=DOMAIN, now=NOW) == request.digest(DOMAIN)
    assert verify_bid(bid, request, domain=DOMAIN, now=bid.bid.valid_until) == request.digest(DOMAIN)
    assert decode_gossip(encode(bid)) == bid


@pytest.mark.parametrize("name", ["request_id", "member", "price", "peer_key", "valid_until"])
def test_a_bid_changed_in_any_field_is_refused(signed_request: SignedRequest, name: str) -> None:
    bid = make_bid(Member.of(1), signed_request.request)
    with pytest.raises(BidRefused):
        verify_bid(replace(bid, bid=changed(bid.bid, name)), signed_request.request, domain=DOMAIN, now=NOW)


@pytest.mark.parametrize(
    ("changes", "now", "reason"),
    [
        ({}, NOW + 601, "bidding ended"),
        ({}, NOW + 501, "it was valid until"),
        ({"price": 0}, NOW, "price 0"),
        ({"price": 3001}, NOW, "price 3001"),
        ({"addresses": ("/ip4/1.2.3.4/tcp/1",) * (MAX_ADDRESSES + 1)}, NOW, "addresses"),
        ({"addresses": ("no multiaddr",)}, NOW, "multiaddr"),
        ({"addresses": ("/ip4/1.2.3.4/tcp/1\x1b[2J",)}, NOW, "multiaddr"),
        ({"addresses": ("/" + "x" * MAX_ADDRESS_BYTES,)}, NOW, "multiaddr"),
    ],
)
def test_bids_that_the_market_would_refuse_are_refused(
    signed_request: SignedRequest, changes: dict[str, Any], now: int, reason: str
) -> None:
    bid = make_bid(Member.of(1), signed_request.request, **changes)
    with pytest.raises(BidRefused, match=reason):
        verify_bid(bid, signed_request.request, domain=DOMAIN, now=now)


def test_a_bid_for_another_request_is_refused(signed_request: SignedRequest, requestor: Member) -> None:
    other = make_request(requestor, nonce=1)
    with pytest.raises(BidRefused, match="another request"):
        verify_bid(make_bid(Member.of(1), other.request), signed_request.request, domain=DOMAIN, now=NOW)


@pytest.mark.parametrize("domain", [OTHER_CHAIN, OTHER_MARKET])
def test_a_bid_signed_for_another_market_is_refused(signed_request: SignedRequest, domain: Domain) -> None:
    bid = make_bid(Member.of(1), signed_request.request, domain=domain)
    with pytest.raises(BidRefused, match="for this market"):
        verify_bid(bid, signed_request.request, domain=DOMAIN, now=NOW)


def test_nobody_can_claim_the_peer_of_another(signed_request: SignedRequest) -> None:
    honest, thief = Member.of("honest"), Member.of("thief")
    stolen = make_bid(thief, signed_request.request, peer_key=honest.peer_key)
    with pytest.raises(BidRefused, match="peer key did not sign"):
        verify_bid(stolen, signed_request.request, domain=DOMAIN, now=NOW)
    borrowed = make_bid(honest, signed_request.request)
    with pytest.raises(BidRefused, match="peer key did not sign"):
        verify_bid(
            replace(stolen, peer_signature=borrowed.peer_signature), signed_request.request, domain=DOMAIN, now=NOW
        )


def test_nobody_can_send_the_committee_to_another_address(signed_request: SignedRequest) -> None:
    bid = replace(make_bid(Member.of(1), signed_request.request), addresses=("/ip4/6.6.6.6/tcp/666",))
    with pytest.raises(BidRefused, match="with these addresses"):
        verify_bid(bid, signed_request.request, domain=DOMAIN, now=NOW)


@given(st.lists(st.text(max_size=6), max_size=4), st.lists(st.text(max_size=6), max_size=4))
def test_a_statement_has_one_list_of_addresses(one: list[str], two: list[str]) -> None:
    bid = make_bid(Member.of(1), make_request(Member.of("requestor")).request).bid
    same = bid_statement(bid, one, domain=DOMAIN) == bid_statement(bid, two, domain=DOMAIN)
    assert same == (one == two)


def committee(request: SignedRequest, **changes: Any) -> Match:
    bids = tuple(make_bid(Member.of(seed), request.request, **changes) for seed in range(3))
    return Match(request.request.digest(DOMAIN), bids)


def test_a_good_match_is_taken(signed_request: SignedRequest) -> None:
    match = committee(signed_request)
    assert verify_match(match, signed_request.request, domain=DOMAIN) == match.request_id
    assert decode_gossip(encode(match)) == match


def test_a_match_that_cannot_be_locked_is_refused(signed_request: SignedRequest) -> None:
    good, request = committee(signed_request), signed_request.request
    same_peer = make_bid(Member(secret("another account"), Member.of(0).peer), request)
    forged = replace(good.bids[0], signature=good.bids[1].signature)
    for match, reason in (
        (replace(good, request_id=bytes(32)), "another request"),
        (replace(good, bids=good.bids[:2]), "2 bids for 3"),
        (replace(good, bids=(*good.bids[:2], good.bids[0])), "member has two seats"),
        (replace(good, bids=(*good.bids[:2], same_peer)), "peer has two seats"),
        (committee(signed_request, price=1001), "above the most"),
        (replace(good, bids=(forged, *good.bids[1:])), "not signed by its member"),
    ):
        with pytest.raises(MatchRefused, match=reason):
            verify_match(match, request, domain=DOMAIN)


def test_the_largest_match_fits_in_gossip() -> None:
    request = make_request(Member.of("requestor"), parties=64, threshold=31, max_price=2**96 - 1).request
    address = "/dns4/" + "x" * (MAX_ADDRESS_BYTES - 15) + "/tcp/4001"
    bid = make_bid(Member.of(1), request, price=2**80, addresses=(address,) * MAX_ADDRESSES)
    assert len(address) == MAX_ADDRESS_BYTES
    size = len(encode(Match(bytes(32), (bid,) * 64)))
    assert size <= MAX_GOSSIP_BYTES


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_gossip(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_gossip(data)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_flipped_byte_of_a_bid_passes(data: st.DataObject) -> None:
    request = make_request(Member.of("requestor")).request
    raw = bytearray(encode(make_bid(Member.of(1), request)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises((MalformedMessage, BidRefused)):
        verify_bid(decode(SignedBid, bytes(raw)), request, domain=DOMAIN, now=NOW)
