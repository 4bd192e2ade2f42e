"""The order book: the live requests and bids that a node knows, within bounds that no flood can break.

Order of eviction, when the book is full of requests: first those whose escrow the chain has not confirmed, and
among equals the one that pays least (its `max_price` a party, in units of the least price for its token), then the
one with the greatest id. A newcomer that would itself be the first to go is refused. When one request is full of
bids, the dearest goes, and a newcomer that is no cheaper is refused. So whoever floods the book pays an escrow for
every request that displaces an honest one, and bids only drive prices down.

One bid lives per member and request: the one valid longest, then the cheaper (`matching.newest_first`). One peer
key stands behind one member. Whatever ends (locked, cancelled, past its deadline) is remembered until its
deadline, so that gossip does not bring it back.

The book verifies what it takes, draws no randomness and reads no clock: `now` is Unix time in seconds.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from quorate.contracts import COIN, MAX_PARTIES, Domain
from quorate.protocol.codec import encode

from .errors import BidRefused, RequestRefused, UnknownRequest
from .matching import newest_first
from .messages import SignedBid, SignedRequest, verify_bid, verify_request

MAX_REQUESTS: Final = 512
"""The most requests in the book."""
MAX_REQUESTS_PER_REQUESTOR: Final = 32
"""The most requests of one requestor in the book."""
MAX_BIDS_PER_REQUEST: Final = 2 * MAX_PARTIES
"""The most bids for one request: enough for two committees of the largest size."""
MAX_BIDS: Final = 16_384
"""The most bids in the book."""
MAX_ENDED: Final = 8192
"""The most ended requests that are remembered; above it the oldest are forgotten."""
_SCALE: Final = 1 << 32


class Admission(Enum):
    """What the book did with a message that it did not refuse, and that therefore is valid.

    KNOWN: the book holds this message, or a newer bid of the same member.
    """

    ADDED = "added"
    REPLACED = "replaced"
    KNOWN = "known"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLimits:
    """Bounds of one book. `least_prices` has, by token, the least that a request must pay each party at most.

    A request in a token that is not there is refused: prices in unknown tokens say nothing.
    """

    requests: int = MAX_REQUESTS
    requests_per_requestor: int = MAX_REQUESTS_PER_REQUESTOR
    bids_per_request: int = MAX_BIDS_PER_REQUEST
    bids: int = MAX_BIDS
    ended: int = MAX_ENDED
    least_prices: Mapping[bytes, int] = field(default_factory=lambda: {COIN: 1})

    def __post_init__(self) -> None:
        bounds = (self.requests, self.requests_per_requestor, self.bids_per_request, self.bids, self.ended)
        if min(bounds) < 1 or any(price < 1 for price in self.least_prices.values()):
            raise ValueError("every bound and every least price of a book is at least 1")


@dataclass(slots=True)
class _Order:
    """One request with its bids by member; `digests` names each bid for reconciliation."""

    signed: SignedRequest
    confirmed: bool
    value: int
    bids: dict[bytes, SignedBid] = field(default_factory=dict)
    digests: dict[bytes, bytes] = field(default_factory=dict)


class OrderBook:
    """Live requests and bids for one market."""

    def __init__(self, domain: Domain, limits: BookLimits | None = None) -> None:
        self.domain = domain
        self.limits = limits or BookLimits()
        self._orders: dict[bytes, _Order] = {}
        self._by_requestor: dict[bytes, set[bytes]] = {}
        self._ended: dict[bytes, int] = {}
        self._messages: dict[bytes, tuple[bytes, bytes]] = {}
        self._digests: list[bytes] = []
        self._bids = 0

    def __len__(self) -> int:
        return len(self._orders)

    def __contains__(self, request_id: bytes) -> bool:
        return request_id in self._orders

    def __iter__(self) -> Iterator[bytes]:
        return iter(tuple(self._orders))

    @property
    def bid_count(self) -> int:
        """How many bids there are in the whole book."""
        return self._bids

    def request(self, request_id: bytes) -> SignedRequest | None:
        """The request with this id, or None."""
        order = self._orders.get(request_id)
        return order.signed if order else None

    def is_confirmed(self, request_id: bytes) -> bool:
        """Whether the chain has confirmed the escrow of this request."""
        return request_id in self._orders and self._orders[request_id].confirmed

    def bids(self, request_id: bytes) -> tuple[SignedBid, ...]:
        """The live bids for this request, cheapest first."""
        order = self._orders.get(request_id)
        bids = order.bids.values() if order else ()
        return tuple(sorted(bids, key=lambda bid: (bid.bid.price, bid.bid.member)))

    def add_request(self, signed: SignedRequest, *, now: int) -> Admission:
        """Verify and take a request; raises RequestRefused. It ranks low until `confirm`."""
        request = signed.request
        value = self._value_of(signed)
        request_id = verify_request(signed, domain=self.domain, now=now)
        if request_id in self._orders:
            return Admission.KNOWN
        if request_id in self._ended:
            raise RequestRefused("it has ended already")
        if len(self._by_requestor.get(request.requestor, ())) >= self.limits.requests_per_requestor:
            raise RequestRefused(f"its requestor has {self.limits.requests_per_requestor} requests here, the most")
        if len(self._orders) >= self.limits.requests:
            self._make_room((False, value, _inverted(request_id)))
        self._orders[request_id] = _Order(signed, confirmed=False, value=value)
        self._by_requestor.setdefault(request.requestor, set()).add(request_id)
        self._name(request_id, (request_id, b""))
        return Admission.ADDED

    def confirm(self, request_id: bytes) -> None:
        """Note that the chain holds the escrow of this request; nothing when it is not in the book."""
        if request_id in self._orders:
            self._orders[request_id].confirmed = True

    def add_bid(self, signed: SignedBid, *, now: int) -> Admission:
        """Verify and take a bid for a request in the book; raises BidRefused or UnknownRequest."""
        order = self._orders.get(signed.bid.request_id)
        if order is None:
            raise UnknownRequest(signed.bid.request_id)
        known = order.bids.get(signed.bid.member)
        if known == signed:
            return Admission.KNOWN
        _check_peer_key(order, signed)
        victim = self._displaced(order, signed) if known is None else None
        request_id = verify_bid(signed, order.signed.request, domain=self.domain, now=now)
        if known is not None and newest_first(known) <= newest_first(signed):
            return Admission.KNOWN
        replaced = signed.bid.member if known is not None else victim
        if replaced is not None:
            self._drop_bid(order, replaced)
        self._keep_bid(order, request_id, signed)
        return Admission.ADDED if known is None else Admission.REPLACED

    def remove(self, request_id: bytes) -> bool:
        """Forget a request that has ended (locked, cancelled) and its bids; whether it was there."""
        order = self._orders.get(request_id)
        if order is None:
            return False
        self._remember(request_id, order.signed.request.deadline)
        self._drop_request(request_id)
        return True

    def expire(self, now: int) -> tuple[bytes, ...]:
        """Drop what is over at `now`: requests past their deadline for bids, bids past theirs; the ids dropped."""
        for order in self._orders.values():
            for member in [member for member, bid in order.bids.items() if bid.bid.valid_until < now]:
                self._drop_bid(order, member)
        over = [key for key, order in self._orders.items() if order.signed.request.bid_deadline < now]
        for request_id in over:
            self.remove(request_id)
        self._ended = {key: deadline for key, deadline in self._ended.items() if deadline >= now}
        return tuple(over)

    def digests_after(self, after: bytes, most: int) -> tuple[bytes, ...]:
        """Up to `most` digests of messages in the book, in order, that come after `after`."""
        start = bisect.bisect_right(self._digests, after)
        return tuple(self._digests[start : start + most])

    def message(self, digest: bytes) -> SignedRequest | SignedBid | None:
        """The message of the book with this digest, or None."""
        place = self._messages.get(digest)
        if place is None:
            return None
        request_id, member = place
        order = self._orders[request_id]
        return order.bids[member] if member else order.signed

    def _value_of(self, signed: SignedRequest) -> int:
        request = signed.request
        least = self.limits.least_prices.get(request.token)
        if least is None:
            raise RequestRefused("it pays in a token that this book does not take")
        if request.max_price < least * request.parties:
            raise RequestRefused(
                f"it pays {request.max_price} for {request.parties} parties; the least is {least} each"
            )
        return request.max_price * _SCALE // (request.parties * least)

    def _make_room(self, rank: tuple[bool, int, bytes]) -> None:
        worst_rank, worst = min(
            ((order.confirmed, order.value, _inverted(key)), key) for key, order in self._orders.items()
        )
        if rank <= worst_rank:
            raise RequestRefused(f"the book is full with {len(self._orders)} requests that rank above it")
        self._drop_request(worst)

    def _displaced(self, order: _Order, signed: SignedBid) -> bytes | None:
        """The member whose bid must go for `signed` to come in, or None; raises BidRefused when it may not."""
        bid = signed.bid
        if len(order.bids) >= self.limits.bids_per_request or (order.bids and self._bids >= self.limits.bids):
            dearest = max(order.bids.values(), key=lambda other: (other.bid.price, other.bid.member))
            if bid.price >= dearest.bid.price:
                raise BidRefused(f"the request has {len(order.bids)} bids, and none of them is dearer")
            return dearest.bid.member
        if self._bids >= self.limits.bids:
            raise BidRefused(f"the book is full with {self._bids} bids")
        return None

    def _keep_bid(self, order: _Order, request_id: bytes, signed: SignedBid) -> None:
        digest = hashlib.sha256(encode(signed)).digest()
        order.bids[signed.bid.member] = signed
        order.digests[signed.bid.member] = digest
        self._bids += 1
        self._name(digest, (request_id, signed.bid.member))

    def _drop_bid(self, order: _Order, member: bytes) -> None:
        del order.bids[member]
        self._bids -= 1
        self._forget(order.digests.pop(member))

    def _drop_request(self, request_id: bytes) -> None:
        order = self._orders[request_id]
        for member in tuple(order.bids):
            self._drop_bid(order, member)
        del self._orders[request_id]
        siblings = self._by_requestor[order.signed.request.requestor]
        siblings.discard(request_id)
        if not siblings:
            del self._by_requestor[order.signed.request.requestor]
        self._forget(request_id)

    def _remember(self, request_id: bytes, deadline: int) -> None:
        self._ended[request_id] = deadline
        while len(self._ended) > self.limits.ended:
            del self._ended[next(iter(self._ended))]

    def _name(self, digest: bytes, place: tuple[bytes, bytes]) -> None:
        self._messages[digest] = place
        bisect.insort(self._digests, digest)

    def _forget(self, digest: bytes) -> None:
        del self._messages[digest]
        del self._digests[bisect.bisect_left(self._digests, digest)]


def _check_peer_key(order: _Order, signed: SignedBid) -> None:
    bid = signed.bid
    if any(other.bid.peer_key == bid.peer_key and member != bid.member for member, other in order.bids.items()):
        raise BidRefused("its peer key stands behind another member already")


def _inverted(request_id: bytes) -> bytes:
    """The id with every bit turned, so that the greatest id sorts first."""
    return bytes(255 - byte for byte in request_id)
