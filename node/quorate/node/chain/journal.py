"""The durable memory of a transaction sender: what it meant to do, and every transaction it signed for that.

An intent is one thing the caller wants done once, under an id of the caller's choice. Its attempts are the signed
transactions for it: one, then replacements with higher fees, perhaps a cancellation. They are written before they
are broadcast, so that a process killed at any moment finds on its next start everything that may be on its way.

    (new) --record--> PENDING --settle--> CONFIRMED | CANCELLED
                         |--reject--> REJECTED --record--> PENDING

CONFIRMED and CANCELLED are final. REJECTED says that the endpoint refused the only attempt; its nonce is free
again, and the same intent may be tried again. All attempts are kept, whatever becomes of them.
"""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .errors import JournalMismatch
from .sqlite import Database

SCHEMA_VERSION = 1
MAX_INTENT_CHARACTERS = 200
SCHEMA = """
CREATE TABLE owner (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    chain_id INTEGER NOT NULL,
    account BLOB NOT NULL,
    genesis BLOB NOT NULL
) STRICT;
CREATE TABLE intents (
    intent TEXT PRIMARY KEY,
    target BLOB,
    data BLOB NOT NULL,
    value TEXT NOT NULL,
    gas_limit INTEGER NOT NULL,
    nonce INTEGER NOT NULL,
    status TEXT NOT NULL,
    receipt TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_intent_per_nonce ON intents (nonce) WHERE status <> 'rejected';
CREATE INDEX intents_by_status ON intents (status, nonce);
CREATE TABLE attempts (
    hash BLOB PRIMARY KEY,
    intent TEXT NOT NULL REFERENCES intents (intent),
    sequence INTEGER NOT NULL,
    nonce INTEGER NOT NULL,
    max_fee TEXT NOT NULL,
    tip TEXT NOT NULL,
    cancels INTEGER NOT NULL,
    raw BLOB NOT NULL
) STRICT;
CREATE INDEX attempts_by_intent ON attempts (intent, sequence)
"""


class Status(StrEnum):
    """Where an intent stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Call:
    """What a transaction does: `to` None creates a contract from `data`; `value` in wei."""

    to: bytes | None
    data: bytes = b""
    value: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed transaction; fees in wei per gas. `cancels` marks a transfer of nothing to ourselves."""

    hash: bytes
    raw: bytes
    nonce: int
    max_fee: int
    tip: int
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An intent with its attempts, oldest first; `receipt` is the endpoint's JSON once it is settled."""

    intent: str
    call: Call
    gas_limit: int
    nonce: int
    status: Status
    receipt: str | None
    attempts: tuple[Attempt, ...]

    @property
    def newest(self) -> Attempt:
        """The last signed attempt."""
        return self.attempts[-1]


class TransactionJournal:
    """The journal of one account on one chain; every write is on the disk when its method returns.

    Methods raise DiskFull when the disk is full; nothing of the write stays then.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the journal; JournalInUse, JournalCorrupt, JournalTooNew or DiskFull."""
        self._database = Database(path, schema=SCHEMA, version=SCHEMA_VERSION)
        self.path = path

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    async def bind(self, *, chain_id: int, account: bytes, genesis: bytes) -> None:
        """Tie a new journal to its chain and account, or check an old one; JournalMismatch."""

        def work(connection: sqlite3.Connection) -> tuple[int, bytes, bytes]:
            connection.execute("INSERT OR IGNORE INTO owner VALUES (1, ?, ?, ?)", (chain_id, account, genesis))
            row: tuple[int, bytes, bytes] = connection.execute(
                "SELECT chain_id, account, genesis FROM owner"
            ).fetchone()
            return row

        owner = await self._database.run(work)
        if owner[0] != chain_id:
            raise JournalMismatch(self.path, f"it is of chain {owner[0]}, not {chain_id}")
        if owner[1] != account:
            raise JournalMismatch(self.path, f"it is of account 0x{owner[1].hex()}, not 0x{account.hex()}")
        if owner[2] != genesis:
            raise JournalMismatch(self.path, f"chain {chain_id} was started anew: its first block is another one")

    async def find(self, intent: str) -> Entry | None:
        """The intent with this id."""
        entries = await self._database.run(lambda connection: _load(connection, "intent = ?", (intent,)))
        return entries[0] if entries else None

    async def holder(self, nonce: int) -> Entry | None:
        """The intent that holds a nonce; a rejected one holds none."""
        condition = "nonce = ? AND status <> 'rejected'"
        entries = await self._database.run(lambda connection: _load(connection, condition, (nonce,)))
        return entries[0] if entries else None

    async def pending(self, most: int) -> list[Entry]:
        """The `most` pending intents with the lowest nonces, in order."""
        condition = "status = 'pending' ORDER BY nonce LIMIT ?"
        return await self._database.run(lambda connection: _load(connection, condition, (most,)))

    async def pending_summary(self, first_nonce: int) -> tuple[int, int]:
        """How many intents are pending, and the most wei that those from `first_nonce` on may take."""

        def work(connection: sqlite3.Connection) -> tuple[int, int]:
            entries = _load(connection, "status = 'pending'", ())
            costs = (
                entry.call.value + entry.gas_limit * entry.newest.max_fee
                for entry in entries
                if entry.nonce >= first_nonce
            )
            return len(entries), sum(costs)

        return await self._database.run(work)

    async def next_nonce(self) -> int:
        """One more than the highest nonce that an intent holds; 0 for a new journal."""

        def work(connection: sqlite3.Connection) -> int:
            query = "SELECT COALESCE(MAX(nonce) + 1, 0) FROM intents WHERE status <> 'rejected'"
            value: int = connection.execute(query).fetchone()[0]
            return value

        return await self._database.run(work)

    async def record(self, intent: str, call: Call, *, gas_limit: int, attempt: Attempt) -> None:
        """Write a new intent, or one rejected before, with its first attempt at its nonce."""
        if len(intent) > MAX_INTENT_CHARACTERS:
            raise ValueError(f"an intent id has at most {MAX_INTENT_CHARACTERS} characters")

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO intents VALUES (?, ?, ?, ?, ?, ?, 'pending', NULL, ?) ON CONFLICT (intent) "
                "DO UPDATE SET status = 'pending', nonce = excluded.nonce, gas_limit = excluded.gas_limit",
                (intent, call.to, call.data, str(call.value), gas_limit, attempt.nonce, int(time.time())),
            )
            _insert(connection, intent, attempt)

        await self._database.run(work)

    async def add_attempt(self, intent: str, attempt: Attempt) -> None:
        """Write a replacement, or a transaction at another nonce when another one took the intent's nonce."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE intents SET nonce = ? WHERE intent = ? AND status = 'pending'", (attempt.nonce, intent)
            )
            _insert(connection, intent, attempt)

        await self._database.run(work)

    async def settle(self, intent: str, status: Status, receipt: str) -> None:
        """Write the end of a pending intent: CONFIRMED (mined, whether or not it reverted) or CANCELLED."""
        await self._set(intent, status, receipt)

    async def reject(self, intent: str) -> None:
        """Write that the endpoint refused the intent, whose nonce is free again."""
        await self._set(intent, Status.REJECTED, None)

    async def _set(self, intent: str, status: Status, receipt: str | None) -> None:
        statement = "UPDATE intents SET status = ?, receipt = ? WHERE intent = ? AND status = 'pending'"
        values = (status.value, receipt, intent)
        await self._database.run(lambda connection: connection.execute(statement, values).rowcount)


def _insert(connection: sqlite3.Connection, intent: str, attempt: Attempt) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO attempts VALUES "
        "(?, ?, (SELECT COUNT(*) FROM attempts WHERE intent = ?), ?, ?, ?, ?, ?)",
        (
            attempt.hash,
            intent,
            intent,
            attempt.nonce,
            str(attempt.max_fee),
            str(attempt.tip),
            int(attempt.cancels),
            attempt.raw,
        ),
    )


def _load(connection: sqlite3.Connection, condition: str, values: tuple[object, ...]) -> list[Entry]:
    columns = "intent, target, data, value, gas_limit, nonce, status, receipt"
    rows = connection.execute(
        f"SELECT {columns} FROM intents WHERE {condition}",  # noqa: S608  # conditions are literals of this file
        values,
    ).fetchall()
    return [
        Entry(
            intent=intent,
            call=Call(target, data, int(value)),
            gas_limit=gas_limit,
            nonce=nonce,
            status=Status(status),
            receipt=receipt,
            attempts=_attempts(connection, intent),
        )
        for intent, target, data, value, gas_limit, nonce, status, receipt in rows
    ]


def _attempts(connection: sqlite3.Connection, intent: str) -> tuple[Attempt, ...]:
    columns = "hash, raw, nonce, max_fee, tip, cancels"
    rows = connection.execute(
        f"SELECT {columns} FROM attempts WHERE intent = ? ORDER BY sequence",  # noqa: S608  # a literal
        (intent,),
    )
    return tuple(
        Attempt(hash_, raw, nonce, int(max_fee), int(tip), bool(cancels))
        for hash_, raw, nonce, max_fee, tip, cancels in rows
    )
