"""The tables of sessions, their committees, and the input masks they used."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from quorate.node.errors import IllegalState, JournalConflict, MaskReused, UnknownRecord

from .database import Database, Row
from .orders import MAX_LISTED
from .records import FINAL_SESSION_STATES, Member, SessionRecord, SessionState

MAX_REASON_CHARACTERS: Final = 1024
_SELECT: Final = (
    "SELECT session_id, request_id, state, party, threshold, deadline, result_digest, reason,"
    " started_at, updated_at FROM sessions"
)
_INSERT: Final = (
    "INSERT INTO sessions (session_id, request_id, state, party, threshold, deadline, result_digest, reason,"
    " started_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_ORDER: Final = {state: rank for rank, state in enumerate(SessionState)}


class Sessions:
    """The sessions of a journal."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def begin(self, session: SessionRecord) -> None:
        """Store a new session with its committee, at once; JournalConflict when the id was ever used.

        A session id is used once: a restarted node cannot run the same session with fresh randomness.
        """
        now = self._clock()
        values = (
            session.session_id,
            session.request_id,
            session.state,
            session.party,
            session.threshold,
            session.deadline,
            session.result_digest,
            session.reason,
            now,
            now,
        )
        with self._database.transaction() as connection:
            cursor = connection.execute(
                _INSERT,
                values,
            )
            if cursor.rowcount != 1:
                raise JournalConflict(
                    f"session {session.session_id.hex()[:16]} was begun before",
                    why="a session id is never used twice",
                    todo="let the requestor submit a new request",
                )
            connection.executemany(
                "INSERT INTO members (session_id, party, account, peer_key) VALUES (?, ?, ?, ?)",
                [
                    (session.session_id, party, member.account, member.peer_key)
                    for party, member in enumerate(session.committee, start=1)
                ],
            )

    def get(self, session_id: bytes) -> SessionRecord | None:
        """The session, or None."""
        rows = self._database.read(_SELECT + " WHERE session_id = ?", (session_id,))
        return self._record(rows[0]) if rows else None

    def of_request(self, request_id: bytes) -> list[SessionRecord]:
        """The sessions that served a request, oldest first."""
        rows = self._database.read(
            _SELECT + " WHERE request_id = ? ORDER BY started_at LIMIT ?",
            (request_id, MAX_LISTED),
        )
        return [self._record(row) for row in rows]

    def unfinished(self) -> list[SessionRecord]:
        """The sessions in no final state."""
        rows = self._database.read(
            _SELECT + " WHERE state NOT IN (?, ?) ORDER BY started_at LIMIT ?",
            (*FINAL_SESSION_STATES, MAX_LISTED),
        )
        return [self._record(row) for row in rows]

    def advance(self, session_id: bytes, state: SessionState, *, result_digest: bytes | None = None) -> None:
        """Move forward to `state`, with the digest once it is known; UnknownRecord or IllegalState."""
        with self._database.transaction() as connection:
            self._move(connection, session_id, state)
            if result_digest is not None:
                self._keep_digest(connection, session_id, result_digest)

    def fail(self, session_id: bytes, reason: str) -> None:
        """End the session as FAILED for `reason`, which names no secret; UnknownRecord or IllegalState."""
        with self._database.transaction() as connection:
            self._move(connection, session_id, SessionState.FAILED)
            connection.execute(
                "UPDATE sessions SET reason = ? WHERE session_id = ?", (reason[:MAX_REASON_CHARACTERS], session_id)
            )

    def fail_unfinished(self, reason: str) -> list[SessionRecord]:
        """On start: end every unfinished session as FAILED, in one transaction, and return them as they were.

        Shares live in memory only, so a session does not survive its process.
        """
        with self._database.transaction() as connection:
            sessions = self.unfinished()
            connection.executemany(
                "UPDATE sessions SET state = ?, reason = ?, updated_at = ? WHERE session_id = ?",
                [
                    (SessionState.FAILED, reason[:MAX_REASON_CHARACTERS], self._clock(), session.session_id)
                    for session in sessions
                ],
            )
        return sessions

    def _move(self, connection: sqlite3.Connection, session_id: bytes, state: SessionState) -> None:
        row = connection.execute("SELECT state FROM sessions WHERE session_id = ?", (session_id,)).fetchone()
        if row is None:
            raise UnknownRecord("session", session_id)
        found = SessionState(row[0])
        if found in FINAL_SESSION_STATES or _ORDER[state] < _ORDER[found]:
            raise IllegalState("session", session_id, found=found, wanted=state)
        connection.execute(
            "UPDATE sessions SET state = ?, updated_at = ? WHERE session_id = ?",
            (state, self._clock(), session_id),
        )

    def _keep_digest(self, connection: sqlite3.Connection, session_id: bytes, digest: bytes) -> None:
        cursor = connection.execute(
            "UPDATE sessions SET result_digest = ? WHERE session_id = ? AND ifnull(result_digest, ?) = ?",
            (digest, session_id, digest, digest),
        )
        if cursor.rowcount != 1:
            raise JournalConflict(
                f"session {session_id.hex()[:16]} has another result digest",
                why="we attest one result a session, never two",
            )

    def _record(self, row: Row) -> SessionRecord:
        session_id, request_id, state, party, threshold, deadline, digest, reason, started_at, updated_at = row
        members = self._database.read(
            "SELECT account, peer_key FROM members WHERE session_id = ? ORDER BY party", (session_id,)
        )
        return SessionRecord(
            session_id=session_id,
            request_id=request_id,
            party=party,
            threshold=threshold,
            committee=tuple(Member(*member) for member in members),
            deadline=deadline,
            state=SessionState(state),
            result_digest=digest,
            reason=reason,
            started_at=started_at,
            updated_at=updated_at,
        )


class Masks:
    """The input masks that were used, for ever: a mask that covers two inputs reveals their difference."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def use(self, session_id: bytes, client: str, *, first: int, count: int, digest: bytes) -> bool:
        """Record, before acting on it, that masks `first`..`first + count - 1` of `client` cover one masked input.

        `digest` is the sha256 of that masked input. The same record again is a redelivery and returns False; any
        other overlap raises MaskReused. Clients are named by whatever names them in the session ("0", "1", ...).
        """
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT first, count, digest FROM used_masks"
                " WHERE session_id = ? AND client = ? AND first < ? AND first + count > ? LIMIT 2",
                (session_id, client, first + count, first),
            ).fetchall()
            if rows == [(first, count, digest)]:
                return False
            if rows:
                raise MaskReused(session_id, client, first=first, count=count)
            connection.execute(
                "INSERT INTO used_masks (session_id, client, first, count, digest, used_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (session_id, client, first, count, digest, self._clock()),
            )
            return True

    def used(self, session_id: bytes) -> int:
        """How many masks of a session were used."""
        rows = self._database.read(
            "SELECT ifnull(sum(count), 0) FROM used_masks WHERE session_id = ?", (session_id,)
        )
        return int(rows[0][0])
