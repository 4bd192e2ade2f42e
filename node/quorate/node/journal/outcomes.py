"""The tables of what comes out: sealed outputs for the clients, and facts of the chain about accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from quorate.node.errors import JournalConflict
from quorate.protocol.envelope import MAX_ENVELOPE_BYTES

from .database import Database
from .orders import MAX_LISTED
from .records import EnvelopeRecord, Fact

MAX_FACTS_AT_ONCE: Final = 10_000


class Envelopes:
    """The output envelopes of a journal: ours, or at a client the ones it fetched."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def save(self, envelopes: Iterable[EnvelopeRecord]) -> None:
        """Store all or none; JournalConflict for one that differs from what was stored before.

        What we attested is the hash of these bytes, so they never change.
        """
        with self._database.transaction() as connection:
            for entry in envelopes:
                if len(entry.envelope) > MAX_ENVELOPE_BYTES:
                    raise JournalConflict(f"an envelope of {len(entry.envelope)} bytes", why="it is too long")
                key = (entry.request_id, entry.client, entry.party)
                connection.execute(
                    "INSERT INTO envelopes (request_id, client, party, envelope, expires_at, created_at)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (*key, entry.envelope, entry.expires_at, self._clock()),
                )
                stored = connection.execute(
                    "SELECT envelope FROM envelopes WHERE request_id = ? AND client = ? AND party = ?", key
                ).fetchone()[0]
                if stored != entry.envelope:
                    raise JournalConflict(
                        f"client {entry.client} of request {entry.request_id.hex()[:16]} has another envelope",
                        why="an envelope never changes once its hash may have been attested",
                    )

    def of_client(self, request_id: bytes, client: int) -> list[EnvelopeRecord]:
        """The envelopes for the client in slot `client`, by party."""
        rows = self._database.read(
            "SELECT request_id, client, party, envelope, expires_at FROM envelopes"
            " WHERE request_id = ? AND client = ? ORDER BY party LIMIT ?",
            (request_id, client, MAX_LISTED),
        )
        return [
            EnvelopeRecord(request_id=row[0], client=row[1], party=row[2], envelope=row[3], expires_at=row[4])
            for row in rows
        ]

    def prune(self, *, now: int) -> int:
        """Delete the envelopes that expired before `now`; how many."""
        with self._database.transaction() as connection:
            return connection.execute("DELETE FROM envelopes WHERE expires_at < ?", (now,)).rowcount


class Facts:
    """What the chain says about accounts, from which reputations are computed; rolled back with the chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, facts: Iterable[Fact]) -> int:
        """Store the ones that are new, all or none; how many were new."""
        rows = [(fact.account, fact.kind, fact.request_id, fact.block_number, fact.at) for fact in facts]
        if len(rows) > MAX_FACTS_AT_ONCE:
            raise ValueError(f"at most {MAX_FACTS_AT_ONCE} facts at once")
        with self._database.transaction() as connection:
            before = connection.total_changes
            connection.executemany(
                "INSERT INTO facts (account, kind, request_id, block_number, at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                rows,
            )
            return connection.total_changes - before

    def counts(self, account: bytes) -> dict[str, int]:
        """How many facts of each kind an account has."""
        rows = self._database.read(
            "SELECT kind, count(*) FROM facts WHERE account = ? GROUP BY kind ORDER BY kind", (account,)
        )
        return {str(kind): int(count) for kind, count in rows}

    def of_account(self, account: bytes) -> list[Fact]:
        """The newest facts about an account, at most MAX_LISTED."""
        rows = self._database.read(
            "SELECT account, kind, request_id, block_number, at FROM facts WHERE account = ?"
            " ORDER BY block_number DESC, kind, request_id LIMIT ?",
            (account, MAX_LISTED),
        )
        return [
            Fact(account=row[0], kind=row[1], request_id=row[2], block_number=row[3], at=row[4]) for row in rows
        ]

    def roll_back(self, *, above_block: int) -> int:
        """Forget the facts of blocks above `above_block`, which a reorganisation removed; how many."""
        with self._database.transaction() as connection:
            return connection.execute("DELETE FROM facts WHERE block_number > ?", (above_block,)).rowcount
