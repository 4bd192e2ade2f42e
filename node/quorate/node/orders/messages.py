"""Calls about orders, over `/quorate/order-call/1`: posting what one would gossip, and finding one's own orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from quorate.marketplace import Match, SignedRequest
from quorate.marketplace.messages import MAX_GOSSIP_BYTES
from quorate.protocol.codec import Limit

ORDER_CALL_PROTOCOL: Final = "/quorate/order-call/1"
BOOK_PROTOCOL: Final = "/quorate/book/1"
ORDER_TOPIC: Final = "quorate/orders/1"
MAX_OWN_ORDERS: Final = 4
"""The most orders in one OwnOrdersReply, the newest first."""
MAX_ORDER_REPLY_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class PostCall:
    """Takes one gossip message (request, bid or match) as if it had been gossiped, and forwards it if it is new."""

    message: Annotated[bytes, Limit(most=MAX_GOSSIP_BYTES)]


@dataclass(frozen=True, slots=True)
class PostReply:
    """Whether the message was new to the node."""

    is_new: bool


@dataclass(frozen=True, slots=True)
class OwnOrdersCall:
    """Asks for the matched orders in which the caller, by its peer id, is a client."""

    program: Annotated[bytes, Limit(size=32)] | None


@dataclass(frozen=True, slots=True)
class MatchedOrder:
    """A request and the committee that its requestor locked."""

    signed: SignedRequest
    match: Match


@dataclass(frozen=True, slots=True)
class OwnOrdersReply:
    """The caller's matched orders, the newest first."""

    orders: Annotated[tuple[MatchedOrder, ...], Limit(most=MAX_OWN_ORDERS)]
