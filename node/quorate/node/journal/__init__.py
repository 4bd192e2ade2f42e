"""The journal of a home: SQLite, for everything that must survive kill -9.

Orders, sessions and their committees, used input masks, preprocessed items, output envelopes, reputation facts.
Transactions on the chain have a journal of their own in quorate.node.chain. `HomeLock` keeps a second daemon out.
"""

from quorate.marketplace import OrderState

from .database import Database
from .journal import FILE_NAME, Journal
from .lock import HomeLock, lock_holder
from .records import (
    FINAL_SESSION_STATES,
    OPEN_ORDER_STATES,
    EnvelopeRecord,
    Fact,
    Member,
    OrderRecord,
    OrderRole,
    SessionRecord,
    SessionState,
)
from .schema import SCHEMA_VERSION
from .stockpile import ItemsGone, Stockpile, StockpileKey

__all__ = [
    "FILE_NAME",
    "FINAL_SESSION_STATES",
    "OPEN_ORDER_STATES",
    "SCHEMA_VERSION",
    "Database",
    "EnvelopeRecord",
    "Fact",
    "HomeLock",
    "ItemsGone",
    "Journal",
    "Member",
    "OrderRecord",
    "OrderRole",
    "OrderState",
    "SessionRecord",
    "SessionState",
    "Stockpile",
    "StockpileKey",
    "lock_holder",
]
