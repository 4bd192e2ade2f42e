"""Choosing a committee: the cheapest members whose bids are valid long enough.

A node has one account and one peer key. Where a member bids twice, its newest bid counts (see `newest_first`);
where one peer key stands behind several members, only its cheapest bid counts. Of what is left the cheapest
`parties` are taken, so that no other choice costs less. Ties go by sha256(request id || member): the same for
everybody who looks, spread over the members from one request to the next, and not to be had by a vanity address
for more than one request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from quorate.contracts import Domain, Request

from .messages import Match, SignedBid

LOCK_MARGIN_S: Final = 30
"""How long a bid must still be valid, in seconds: the time in which the lock reaches the chain."""


@dataclass(frozen=True, slots=True)
class Committee:
    """The chosen bids in the order of the committee, so that party i is bid i - 1, and the sum of their prices."""

    request_id: bytes
    members: tuple[SignedBid, ...]
    total_price: int

    def match(self) -> Match:
        """The message that tells the members."""
        return Match(self.request_id, self.members)


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Why there is no committee: `bids` came in, `usable` of them count, `needed` would do.

    `excess` is by how much the cheapest committee exceeds the most that the request pays; 0 when there were too
    few bids.
    """

    bids: int
    usable: int
    needed: int
    excess: int

    @property
    def reason(self) -> str:
        """The sentence for people."""
        if self.usable < self.needed:
            return f"{self.bids} bids came in, {self.usable} of them usable, and {self.needed} are needed"
        return f"the {self.needed} cheapest of {self.usable} bids cost {self.excess} more than the request pays"


def newest_first(bid: SignedBid) -> tuple[int, int, bytes, bytes, bytes]:
    """The order in which bids of one member supersede one another: valid longest, then cheapest, then by bytes."""
    terms = bid.bid
    return -terms.valid_until, terms.price, terms.peer_key, bid.signature, bid.peer_signature


def choose_committee(
    request: Request, bids: Iterable[SignedBid], *, domain: Domain, now: int, margin_s: int = LOCK_MARGIN_S
) -> Committee | NoMatch:
    """The cheapest committee for `request` out of `bids`, which the caller has verified.

    Left out are bids for other requests, those above the price of the whole request, and those that run out before
    `margin_s` are over or the deadline for bids comes, whichever is first.
    """
    request_id = request.digest(domain)
    received = list(bids)
    needed_until = max(now, min(now + margin_s, request.bid_deadline))
    usable = [
        bid
        for bid in received
        if bid.bid.request_id == request_id
        and bid.bid.price <= request.max_price
        and bid.bid.valid_until >= needed_until
    ]
    candidates = _one_each(usable, request_id)
    chosen = tuple(candidates[: request.parties])
    total = sum(bid.bid.price for bid in chosen)
    if len(chosen) < request.parties or total > request.max_price:
        excess = max(0, total - request.max_price) if len(chosen) == request.parties else 0
        return NoMatch(len(received), len(candidates), request.parties, excess)
    return Committee(request_id, chosen, total)


def _one_each(bids: list[SignedBid], request_id: bytes) -> list[SignedBid]:
    """One bid a member and a peer key, cheapest first."""
    by_member: dict[bytes, SignedBid] = {}
    for bid in sorted(bids, key=newest_first):
        by_member.setdefault(bid.bid.member, bid)
    by_peer: dict[bytes, SignedBid] = {}
    for bid in sorted(by_member.values(), key=lambda bid: _cheapest_first(bid, request_id)):
        by_peer.setdefault(bid.bid.peer_key, bid)
    return list(by_peer.values())


def _cheapest_first(bid: SignedBid, request_id: bytes) -> tuple[int, bytes]:
    return bid.bid.price, hashlib.sha256(request_id + bid.bid.member).digest()
