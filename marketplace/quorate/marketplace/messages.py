"""What the market gossips: requests with their details, bids with their addresses, matches.

Every message proves itself. A request is signed by the requestor's account (EIP-712), and its details by their
digest inside it. A bid is signed twice: by the member's account (EIP-712), which names the peer key, and by that
Ed25519 key over the bid's digest and the addresses; so an account and a peer are joined only when both agree, on
one market, and nobody can send the committee to another address. A match repeats the chosen bids; it decides
nothing, since the committee is what the chain says, but tells the members where to find one another.

Nothing carries a request id that is believed: ids are recomputed from the digest every time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quorate.contracts import MAX_DURATION_SECONDS, MAX_PARTIES, Bid, Digest, Domain, Request, is_signed_by
from quorate.protocol.codec import Limit, decode_one_of

from .details import Details
from .errors import BidRefused, MatchRefused, RequestRefused

MAX_ADDRESSES: Final = 4
"""The most addresses of one bid."""
MAX_ADDRESS_BYTES: Final = 128
"""The longest address, a multiaddr as text."""
MAX_GOSSIP_BYTES: Final = 64 << 10
"""The largest gossiped message: a match of MAX_PARTIES bids with the longest addresses."""
MIN_BID_PRICE: Final = 1
"""The lowest price of a bid, in the token's smallest unit."""

_BID_TAG: Final = b"quorate bid 1\0"
_ADDRESS = re.compile(r"(/[A-Za-z0-9._:%-]+)+")

ChainSignature = Annotated[bytes, Limit(size=65)]
PeerSignature = Annotated[bytes, Limit(size=64)]
AddressText = Annotated[str, Limit(least=2, most=MAX_ADDRESS_BYTES)]


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request, its details, and the requestor's signature of the request's digest."""

    request: Request
    details: Details
    signature: ChainSignature


@dataclass(frozen=True, slots=True)
class SignedBid:
    """A bid, where its member listens, the member's signature, and the signature of its peer key."""

    bid: Bid
    addresses: Annotated[tuple[AddressText, ...], Limit(most=MAX_ADDRESSES)]
    signature: ChainSignature
    peer_signature: PeerSignature


@dataclass(frozen=True, slots=True)
class Match:
    """The bids that the requestor locks, in the order of the committee."""

    request_id: Digest
    bids: Annotated[tuple[SignedBid, ...], Limit(most=MAX_PARTIES)]


Gossip = SignedRequest | SignedBid | Match


def decode_gossip(data: bytes) -> Gossip:
    """The message in untrusted `data`, not yet verified; raises MalformedMessage."""
    kinds: tuple[type[Gossip], ...] = (SignedRequest, SignedBid, Match)
    return decode_one_of(kinds, data, most_bytes=MAX_GOSSIP_BYTES)


def bid_statement(bid: Bid, addresses: Sequence[str], *, domain: Domain) -> bytes:
    """What the Ed25519 key of a bid signs: the bid's EIP-712 digest, and a digest of its `addresses`."""
    listing = hashlib.sha256(b"".join(len(text).to_bytes(2, "big") + text.encode() for text in addresses)).digest()
    return _BID_TAG + bid.digest(domain) + listing


def verify_request(signed: SignedRequest, *, domain: Domain, now: int) -> bytes:
    """The id of a request that the market would take at `now`; raises RequestRefused.

    The rules are those of the contract's `submit`, with the deadline for bids still ahead.
    """
    request, details = signed.request, signed.details
    _check_terms(request, now)
    if details.digest() != request.details:
        raise RequestRefused("its details are not those that it was signed for")
    if details.program_hash != request.program:
        raise RequestRefused("its details name another program than the request")
    digest = request.digest(domain)
    if not is_signed_by(request.requestor, digest, signed.signature):
        raise RequestRefused("it is not signed by its requestor for this market")
    return digest


def verify_bid(signed: SignedBid, request: Request, *, domain: Domain, now: int) -> bytes:
    """The id of `request` when `signed` is a bid for it that the market takes at `now`; raises BidRefused."""
    request_id = request.digest(domain)
    if now > request.bid_deadline:
        raise BidRefused(f"bidding ended at {request.bid_deadline}, and it is {now}")
    if now > signed.bid.valid_until:
        raise BidRefused(f"it was valid until {signed.bid.valid_until}, and it is {now}")
    _check_bid(signed, request, request_id=request_id, domain=domain)
    return request_id


def verify_match(match: Match, request: Request, *, domain: Domain) -> bytes:
    """The id of `request`, when `match` is a committee that could be locked for it; raises MatchRefused.

    Times are not checked: what counts is when the chain saw the lock.
    """
    request_id = request.digest(domain)
    bids = [signed.bid for signed in match.bids]
    if match.request_id != request_id:
        raise MatchRefused("it is for another request")
    if len(bids) != request.parties:
        raise MatchRefused(f"it has {len(bids)} bids for {request.parties} parties")
    for what, keys in (("member", [bid.member for bid in bids]), ("peer", [bid.peer_key for bid in bids])):
        if len(set(keys)) != len(keys):
            raise MatchRefused(f"a {what} has two seats")
    total = sum(bid.price for bid in bids)
    if total > request.max_price:
        raise MatchRefused(f"its prices sum to {total}, above the most of {request.max_price}")
    for signed in match.bids:
        try:
            _check_bid(signed, request, request_id=request_id, domain=domain)
        except BidRefused as error:
            raise MatchRefused(f"the bid of {signed.bid.member.hex()}: {error.reason}") from None
    return request_id


def _check_terms(request: Request, now: int) -> None:
    parties, threshold = request.parties, request.threshold
    if threshold < 1 or not 2 * threshold < parties <= MAX_PARTIES:
        raise RequestRefused(
            f"{parties} parties with threshold {threshold}; it needs 1 <= t and 2t < n <= {MAX_PARTIES}"
        )
    if request.bid_deadline <= now:
        raise RequestRefused(f"its deadline for bids is {request.bid_deadline}, and it is {now}")
    if not request.bid_deadline < request.deadline <= now + MAX_DURATION_SECONDS:
        raise RequestRefused("its deadline must be after that for bids, and within 90 days")
    if request.max_price < parties:
        raise RequestRefused(f"it pays {request.max_price} for {parties} parties; the least is 1 each")
    if request.collateral < 1:
        raise RequestRefused("it asks for no collateral")


def _check_bid(signed: SignedBid, request: Request, *, request_id: bytes, domain: Domain) -> None:
    bid = signed.bid
    if bid.request_id != request_id:
        raise BidRefused("it is for another request")
    if not MIN_BID_PRICE <= bid.price <= request.max_price:
        raise BidRefused(f"its price {bid.price} is outside {MIN_BID_PRICE}..{request.max_price}")
    if len(signed.addresses) > MAX_ADDRESSES:
        raise BidRefused(f"it has {len(signed.addresses)} addresses; the most is {MAX_ADDRESSES}")
    for address in signed.addresses:
        if len(address) > MAX_ADDRESS_BYTES or not _ADDRESS.fullmatch(address):
            raise BidRefused("an address of it is no multiaddr")
    if not is_signed_by(bid.member, bid.digest(domain), signed.signature):
        raise BidRefused("it is not signed by its member for this market")
    statement = bid_statement(bid, signed.addresses, domain=domain)
    if not _is_signed_by_peer(bid.peer_key, statement, signed.peer_signature):
        raise BidRefused("its peer key did not sign it with these addresses")


def _is_signed_by_peer(peer_key: bytes, statement: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(peer_key).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True
