"""The table of orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from quorate.marketplace import OrderState
from quorate.node.errors import UnknownRecord

from .database import Database, Row
from .records import OPEN_ORDER_STATES, OrderRecord, OrderRole

MAX_LISTED: Final = 10_000
"""The most records that one listing returns."""
_SELECT: Final = (
    "SELECT request_id, role, state, request, details, bid, match, deadline, created_at, updated_at FROM orders"
)
_INSERT: Final = (
    "INSERT INTO orders (request_id, role, state, request, details, bid, match, deadline, created_at, updated_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


class Orders:
    """The orders of a journal."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def add(self, order: OrderRecord) -> bool:
        """Store a new order; False, changing nothing, when its id is known already."""
        now = self._clock()
        with self._database.transaction() as connection:
            cursor = connection.execute(
                _INSERT,
                (
                    order.request_id,
                    order.role,
                    order.state,
                    order.request,
                    order.details,
                    order.bid,
                    order.match,
                    order.deadline,
                    now,
                    now,
                ),
            )
            return cursor.rowcount == 1

    def get(self, request_id: bytes) -> OrderRecord | None:
        """The order, or None."""
        rows = self._database.read(_SELECT + " WHERE request_id = ?", (request_id,))
        return _record(rows[0]) if rows else None

    def list(self, states: Iterable[OrderState] = OPEN_ORDER_STATES) -> list[OrderRecord]:
        """The orders in `states` (the open ones by default), the nearest deadline first, at most MAX_LISTED."""
        wanted = tuple(states)
        marks = ", ".join("?" for _ in wanted)
        rows = self._database.read(
            _SELECT + f" WHERE state IN ({marks}) ORDER BY deadline, request_id LIMIT ?",
            (*wanted, MAX_LISTED),
        )
        return [_record(row) for row in rows]

    def set_state(self, request_id: bytes, state: OrderState) -> None:
        """Record what the chain says now, which a reorganisation may take back; UnknownRecord."""
        self._set("state", request_id, state)

    def set_details(self, request_id: bytes, details: bytes) -> None:
        """Keep the encoded details of an order; UnknownRecord."""
        self._set("details", request_id, details)

    def set_bid(self, request_id: bytes, bid: bytes) -> None:
        """Keep our signed bid, before it is sent; UnknownRecord."""
        self._set("bid", request_id, bid)

    def set_match(self, request_id: bytes, match: bytes) -> None:
        """Keep the match that was locked; UnknownRecord."""
        self._set("match", request_id, match)

    def prune(self, *, before: int) -> int:
        """Delete closed orders not touched since `before`; how many."""
        marks = ", ".join("?" for _ in OPEN_ORDER_STATES)
        with self._database.transaction() as connection:
            return connection.execute(
                f"DELETE FROM orders WHERE updated_at < ? AND state NOT IN ({marks})",  # noqa: S608  # counted marks
                (before, *OPEN_ORDER_STATES),
            ).rowcount

    def _set(self, column: str, request_id: bytes, value: object) -> None:
        with self._database.transaction() as connection:
            cursor = connection.execute(
                f"UPDATE orders SET {column} = ?, updated_at = ? WHERE request_id = ?",  # noqa: S608  # our column names
                (value, self._clock(), request_id),
            )
            if cursor.rowcount != 1:
                raise UnknownRecord("order", request_id)


def _record(row: Row) -> OrderRecord:
    request_id, role, state, request, details, bid, match, deadline, created_at, updated_at = row
    return OrderRecord(
        request_id=request_id,
        role=OrderRole(role),
        state=OrderState(state),
        request=request,
        details=details,
        bid=bid,
        match=match,
        deadline=deadline,
        created_at=created_at,
        updated_at=updated_at,
    )
