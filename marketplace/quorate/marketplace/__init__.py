"""The market as pure code: requests, bids, matching, and the life of an order."""

from .details import ClientEntry, Details
from .errors import (
    BidRefused,
    IllegalTransition,
    InvalidDetails,
    MatchRefused,
    QuorateMarketplaceError,
    Refused,
    RequestRefused,
    UnknownRequest,
)
from .lifecycle import OrderEvent, OrderState, advance, observe
from .matching import Committee, NoMatch, choose_committee
from .messages import (
    Match,
    SignedBid,
    SignedRequest,
    bid_statement,
    decode_gossip,
    verify_bid,
    verify_match,
    verify_request,
)
from .orderbook import Admission, BookLimits, OrderBook
from .pricing import BidPolicy, Decline, DeclineCause, Load, Offer, Price, Work, decide
from .reconcile import BookSync, serve_book

__all__ = [
    "Admission",
    "BidPolicy",
    "BidRefused",
    "BookLimits",
    "BookSync",
    "ClientEntry",
    "Committee",
    "Decline",
    "DeclineCause",
    "Details",
    "IllegalTransition",
    "InvalidDetails",
    "Load",
    "Match",
    "MatchRefused",
    "NoMatch",
    "Offer",
    "OrderBook",
    "OrderEvent",
    "OrderState",
    "Price",
    "QuorateMarketplaceError",
    "Refused",
    "RequestRefused",
    "SignedBid",
    "SignedRequest",
    "UnknownRequest",
    "Work",
    "advance",
    "bid_statement",
    "choose_committee",
    "decide",
    "decode_gossip",
    "observe",
    "serve_book",
    "verify_bid",
    "verify_match",
    "verify_request",
]
