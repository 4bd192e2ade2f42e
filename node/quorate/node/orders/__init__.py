"""Orders on the mesh: the desk that keeps the book, and the calls about it."""

from .desk import OrderDesk, unix_now
from .messages import BOOK_PROTOCOL, ORDER_CALL_PROTOCOL, ORDER_TOPIC, MatchedOrder, OwnOrdersCall, OwnOrdersReply

__all__ = [
    "BOOK_PROTOCOL",
    "ORDER_CALL_PROTOCOL",
    "ORDER_TOPIC",
    "MatchedOrder",
    "OrderDesk",
    "OwnOrdersCall",
    "OwnOrdersReply",
    "unix_now",
]
