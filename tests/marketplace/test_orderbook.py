from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from quorate.contracts import COIN
from quorate.marketplace import (
    Admission,
    BidRefused,
    BookLimits,
    BookSync,
    OrderBook,
    Refused,
    RequestRefused,
    SignedBid,
    SignedRequest,
    UnknownRequest,
    serve_book,
)
from quorate.marketplace.reconcile import MAX_DIGESTS_PER_PAGE, BookFetch, BookItems, BookPage, BookQuery
from quorate.protocol.codec import decode, encode
from quorate.protocol.errors import MalformedMessage

from .conftest import DOMAIN, NOW, Member, make_bid, make_request, secret

MEMBERS = [Member.of(seed) for seed in range(8)]
REQUESTORS = [Member.of(f"requestor {seed}") for seed in range(3)]


def book(**limits: Any) -> OrderBook:
    return OrderBook(DOMAIN, BookLimits(**limits))


def id_of(signed: SignedRequest) -> bytes:
    return signed.request.digest(DOMAIN)


def test_a_request_and_its_bids_are_kept(signed_request: SignedRequest) -> None:
    kept = book()
    assert kept.add_request(signed_request, now=NOW) is Admission.ADDED
    assert kept.add_request(signed_request, now=NOW) is Admission.KNOWN
    bids = [make_bid(member, signed_request.request, price=900 - place) for place, member in enumerate(MEMBERS)]
    assert [kept.add_bid(bid, now=NOW) for bid in bids] == [Admission.ADDED] * len(bids)
    assert kept.add_bid(bids[0], now=NOW) is Admission.KNOWN
    assert kept.request(id_of(signed_request)) == signed_request
    assert kept.bids(id_of(signed_request)) == tuple(reversed(bids))
    assert (len(kept), kept.bid_count, list(kept)) == (1, len(bids), [id_of(signed_request)])
    assert kept.bids(bytes(32)) == ()
    assert kept.request(bytes(32)) is None


def test_what_does_not_verify_is_not_kept(signed_request: SignedRequest) -> None:
    kept = book()
    with pytest.raises(RequestRefused):
        kept.add_request(replace(signed_request, signature=bytes(65)), now=NOW)
    with pytest.raises(UnknownRequest):
        kept.add_bid(make_bid(MEMBERS[0], signed_request.request), now=NOW)
    kept.add_request(signed_request, now=NOW)
    with pytest.raises(BidRefused):
        kept.add_bid(replace(make_bid(MEMBERS[0], signed_request.request), signature=bytes(65)), now=NOW)
    assert kept.bid_count == 0


def test_a_forged_bid_does_not_displace_a_good_one(signed_request: SignedRequest) -> None:
    kept = book(bids_per_request=1)
    kept.add_request(signed_request, now=NOW)
    good = make_bid(MEMBERS[0], signed_request.request)
    kept.add_bid(good, now=NOW)
    older = make_bid(MEMBERS[0], signed_request.request, valid_until=NOW + 400)
    newer = make_bid(MEMBERS[0], signed_request.request, valid_until=NOW + 599)
    cheaper = make_bid(MEMBERS[1], signed_request.request, price=1)
    for bid in (older, newer, cheaper):
        forged = replace(bid, signature=good.signature)
        with pytest.raises(BidRefused, match="not signed"):
            kept.add_bid(forged, now=NOW)
    assert kept.bids(id_of(signed_request)) == (good,)


def test_one_bid_of_a_member_lives_the_newest(signed_request: SignedRequest) -> None:
    kept = book()
    kept.add_request(signed_request, now=NOW)

    def add(price: int, valid_s: int) -> Admission:
        bid = make_bid(MEMBERS[0], signed_request.request, price=price, valid_until=NOW + valid_s)
        return kept.add_bid(bid, now=NOW)

    assert add(500, 100) is Admission.ADDED
    assert add(400, 99) is Admission.KNOWN
    assert add(600, 100) is Admission.KNOWN
    assert add(450, 100) is Admission.REPLACED
    assert add(800, 101) is Admission.REPLACED
    assert [bid.bid.price for bid in kept.bids(id_of(signed_request))] == [800]


def test_one_peer_stands_behind_one_member(signed_request: SignedRequest) -> None:
    kept = book()
    kept.add_request(signed_request, now=NOW)
    kept.add_bid(make_bid(MEMBERS[0], signed_request.request), now=NOW)
    second = Member(secret("second account"), MEMBERS[0].peer)
    with pytest.raises(BidRefused, match="peer key stands behind"):
        kept.add_bid(make_bid(second, signed_request.request, price=1), now=NOW)


def test_a_flood_of_bids_only_drives_prices_down(signed_request: SignedRequest) -> None:
    kept = book(bids_per_request=3)
    kept.add_request(signed_request, now=NOW)
    for member, price in zip(MEMBERS, [500, 700, 600, 650, 550], strict=False):
        kept.add_bid(make_bid(member, signed_request.request, price=price), now=NOW)
    assert [bid.bid.price for bid in kept.bids(id_of(signed_request))] == [500, 550, 600]
    with pytest.raises(BidRefused, match="none of them is dearer"):
        kept.add_bid(make_bid(MEMBERS[5], signed_request.request, price=600), now=NOW)
    assert len(kept.digests_after(b"", 100)) == 1 + 3


def test_the_whole_book_of_bids_is_bounded(signed_request: SignedRequest) -> None:
    kept = book(bids=2)
    other = make_request(REQUESTORS[0])
    kept.add_request(signed_request, now=NOW)
    kept.add_request(other, now=NOW)
    for member in MEMBERS[:2]:
        kept.add_bid(make_bid(member, signed_request.request), now=NOW)
    with pytest.raises(BidRefused, match="the book is full"):
        kept.add_bid(make_bid(MEMBERS[2], other.request), now=NOW)
    kept.add_bid(make_bid(MEMBERS[2], signed_request.request, price=1), now=NOW)
    assert kept.bid_count == 2


def test_a_requestor_has_so_many_requests(requestor: Member) -> None:
    kept = book(requests_per_requestor=2)
    for nonce in range(2):
        kept.add_request(make_request(requestor, nonce=nonce), now=NOW)
    with pytest.raises(RequestRefused, match="its requestor has 2"):
        kept.add_request(make_request(requestor, nonce=2), now=NOW)
    kept.remove(next(iter(kept)))
    assert kept.add_request(make_request(requestor, nonce=2), now=NOW) is Admission.ADDED


def test_unpaid_requests_never_displace_paid_ones() -> None:
    kept = book(requests=2)
    paid, cheap = make_request(REQUESTORS[0], max_price=30), make_request(REQUESTORS[0], max_price=60, nonce=1)
    kept.add_request(paid, now=NOW)
    kept.confirm(id_of(paid))
    kept.add_request(cheap, now=NOW)
    with pytest.raises(RequestRefused, match="rank above"):
        kept.add_request(make_request(REQUESTORS[1], max_price=59), now=NOW)
    rich = make_request(REQUESTORS[1], max_price=2**90)
    kept.add_request(rich, now=NOW)
    assert set(kept) == {id_of(paid), id_of(rich)}
    kept.confirm(id_of(rich))
    with pytest.raises(RequestRefused, match="rank above"):
        kept.add_request(make_request(REQUESTORS[2], max_price=2**95), now=NOW)
    assert kept.is_confirmed(id_of(paid))
    assert not kept.is_confirmed(bytes(32))


def test_prices_in_other_tokens_are_measured_by_their_least_price(requestor: Member) -> None:
    token = bytes(19) + b"t"
    kept = book(least_prices={COIN: 10, token: 1000})
    with pytest.raises(RequestRefused, match="a token that this book"):
        kept.add_request(make_request(requestor, token=bytes(19) + b"u"), now=NOW)
    with pytest.raises(RequestRefused, match="the least is 1000 each"):
        kept.add_request(make_request(requestor, token=token, max_price=2999), now=NOW)
    assert kept.add_request(make_request(requestor, token=token, max_price=3000), now=NOW) is Admission.ADDED


def test_what_has_ended_does_not_come_back(signed_request: SignedRequest) -> None:
    kept = book()
    kept.add_request(signed_request, now=NOW)
    kept.add_bid(make_bid(MEMBERS[0], signed_request.request), now=NOW)
    assert kept.remove(id_of(signed_request)) is True
    assert kept.remove(id_of(signed_request)) is False
    assert (len(kept), kept.bid_count, kept.digests_after(b"", 9)) == (0, 0, ())
    with pytest.raises(RequestRefused, match="ended already"):
        kept.add_request(signed_request, now=NOW)


def test_time_clears_the_book(signed_request: SignedRequest) -> None:
    kept = book()
    kept.add_request(signed_request, now=NOW)
    kept.add_bid(make_bid(MEMBERS[0], signed_request.request, valid_until=NOW + 5), now=NOW)
    assert kept.expire(NOW + 5) == ()
    assert kept.bid_count == 1
    assert kept.expire(NOW + 6) == ()
    assert kept.bid_count == 0
    assert kept.expire(NOW + 601) == (id_of(signed_request),)
    assert len(kept) == 0


def test_the_memory_of_ended_requests_is_bounded(requestor: Member) -> None:
    kept = book(ended=2)
    requests = [make_request(requestor, nonce=nonce) for nonce in range(3)]
    for request in requests:
        kept.add_request(request, now=NOW)
        kept.remove(id_of(request))
    assert kept.add_request(requests[0], now=NOW) is Admission.ADDED
    with pytest.raises(RequestRefused, match="ended"):
        kept.add_request(requests[1], now=NOW)


@pytest.mark.parametrize("limits", [{"requests": 0}, {"bids": -1}, {"least_prices": {COIN: 0}}])
def test_bounds_are_positive(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        BookLimits(**limits)


def reconcile(client: OrderBook, server: OrderBook) -> BookSync:
    sync = BookSync(client, lambda: NOW)
    while (call := sync.call()) is not None:
        sync.receive(serve_book(server, call))
    return sync


def filled(count: int = 3) -> OrderBook:
    kept = book()
    for nonce in range(count):
        request = make_request(REQUESTORS[nonce % 3], nonce=nonce)
        kept.add_request(request, now=NOW)
        for member in MEMBERS:
            kept.add_bid(make_bid(member, request.request), now=NOW)
    return kept


def test_books_reconcile() -> None:
    server, client = filled(), book()
    own = make_request(REQUESTORS[0], nonce=99)
    client.add_request(own, now=NOW)
    sync = reconcile(client, server)
    assert (sync.added, sync.refused) == (3 + 3 * len(MEMBERS), 0)
    assert set(server) | {id_of(own)} == set(client)
    assert all(client.bids(key) == server.bids(key) for key in server)
    assert reconcile(client, server).added == 0


def test_a_page_is_bounded_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_DIGESTS_PER_PAGE", "MAX_ITEMS_PER_FETCH"):
        monkeypatch.setattr(f"quorate.marketplace.reconcile.{name}", 4)
    monkeypatch.setattr("quorate.marketplace.reconcile.MAX_ITEMS_BYTES", 1200)
    server, client = filled(), book()
    assert reconcile(client, server).added == 3 + 3 * len(MEMBERS)


def test_a_server_that_has_forgotten_ends_the_fetch() -> None:
    server, client = filled(1), book()
    sync = BookSync(client, lambda: NOW)
    call = sync.call()
    assert call is not None
    sync.receive(serve_book(server, call))
    server.remove(next(iter(server)))
    while (call := sync.call()) is not None:
        sync.receive(serve_book(server, call))
    assert sync.added == 0


def test_a_lying_server_is_refused_or_ignored(signed_request: SignedRequest) -> None:
    digest = id_of(signed_request)
    for reply in (BookItems((), ()), BookPage((digest, digest)), BookPage((digest, bytes(32)))):
        sync = BookSync(book(), lambda: NOW)
        with pytest.raises(MalformedMessage):
            sync.receive(encode(reply))
    sync = BookSync(book(), lambda: NOW)
    sync.receive(encode(BookPage((digest,))))
    with pytest.raises(MalformedMessage, match="more messages"):
        sync.receive(encode(BookItems((signed_request, signed_request), ())))
    sync.receive(encode(BookItems((replace(signed_request, signature=bytes(65)),), ())))
    assert sync.call() is None
    assert (sync.added, sync.refused) == (0, 1)


def test_an_endless_server_is_left() -> None:
    sync = BookSync(book(), lambda: NOW)
    pages = 0
    while (call := sync.call()) is not None and decode_is_query(call):
        first = 1 + pages * MAX_DIGESTS_PER_PAGE
        digests = tuple((first + place).to_bytes(32, "big") for place in range(MAX_DIGESTS_PER_PAGE))
        sync.receive(encode(BookPage(digests)))
        pages += 1
    assert pages == 17


def decode_is_query(call: bytes) -> bool:
    try:
        decode(BookQuery, call)
    except MalformedMessage:
        return False
    return True


@pytest.mark.parametrize("call", [b"", encode(BookPage(())), encode(BookFetch((bytes(32),)))[:-1]])
def test_what_is_no_call_is_refused(call: bytes) -> None:
    with pytest.raises(MalformedMessage):
        serve_book(book(), call)


POOL = [
    make_request(requestor, nonce=nonce, max_price=30 * (nonce + 1))
    for requestor in REQUESTORS
    for nonce in range(3)
]
BIDS = [
    make_bid(member, request.request, price=price, valid_until=NOW + valid_s)
    for request in POOL
    for member in MEMBERS[:4]
    for price, valid_s in ((5, 50), (9, 90))
]


class BookStaysWithinBounds(RuleBasedStateMachine):
    """Whatever comes in, in whatever order: bounds hold, and the parts of the book agree."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = BookLimits(requests=4, requests_per_requestor=2, bids_per_request=2, bids=6, ended=3)
        self.book = OrderBook(DOMAIN, self.limits)
        self.now = NOW

    @rule(request=st.sampled_from(POOL))
    def request(self, request: SignedRequest) -> None:
        self._try(lambda: self.book.add_request(request, now=self.now))

    @rule(bid=st.sampled_from(BIDS))
    def bid(self, bid: SignedBid) -> None:
        self._try(lambda: self.book.add_bid(bid, now=self.now))

    @rule(request=st.sampled_from(POOL))
    def confirm(self, request: SignedRequest) -> None:
        self.book.confirm(id_of(request))

    @rule(request=st.sampled_from(POOL))
    def remove(self, request: SignedRequest) -> None:
        self.book.remove(id_of(request))

    @rule(seconds=st.integers(0, 60))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.book.expire(self.now)

    def _try(self, add: Any) -> None:
        try:
            add()
        except Refused as refusal:
            assert refusal.reason

    @invariant()
    def bounds_hold(self) -> None:
        ids = list(self.book)
        bids = {key: self.book.bids(key) for key in ids}
        assert len(ids) <= self.limits.requests
        assert sum(len(found) for found in bids.values()) == self.book.bid_count <= self.limits.bids
        requestors = [self.request_of(key).request.requestor for key in ids]
        assert all(requestors.count(one) <= self.limits.requests_per_requestor for one in requestors)
        for key, found in bids.items():
            assert len(found) <= self.limits.bids_per_request
            assert len({bid.bid.member for bid in found}) == len({bid.bid.peer_key for bid in found}) == len(found)
            assert all(bid.bid.request_id == key for bid in found)
        digests = self.book.digests_after(b"", 1000)
        assert list(digests) == sorted(digests)
        messages = [self.book.message(digest) for digest in digests]
        assert len(messages) == len(ids) + self.book.bid_count
        assert all(message is not None for message in messages)

    def request_of(self, key: bytes) -> SignedRequest:
        found = self.book.request(key)
        assert found is not None
        return found


BookStaysWithinBounds.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
test_the_book_stays_within_bounds = BookStaysWithinBounds.TestCase
