"""The tables of the journal, as a list of migrations: version n is reached by the first n of them.

A migration that was released is never changed; a change of schema is a new one at the end.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x51554F52  # "QUOR", in the header of the SQLite file

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """
        CREATE TABLE orders (
            request_id BLOB PRIMARY KEY CHECK (length(request_id) = 32),
            role TEXT NOT NULL,
            state TEXT NOT NULL,
            request BLOB NOT NULL,
            details BLOB,
            bid BLOB,
            match BLOB,
            deadline INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX orders_by_state ON orders (state, deadline)",
        """
        CREATE TABLE sessions (
            session_id BLOB PRIMARY KEY CHECK (length(session_id) = 32),
            request_id BLOB NOT NULL CHECK (length(request_id) = 32),
            state TEXT NOT NULL,
            party INTEGER NOT NULL CHECK (party >= 1),
            threshold INTEGER NOT NULL CHECK (threshold >= 0),
            deadline INTEGER NOT NULL,
            result_digest BLOB CHECK (length(result_digest) = 32),
            reason TEXT NOT NULL DEFAULT '',
            started_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX sessions_by_state ON sessions (state)",
        "CREATE INDEX sessions_by_request ON sessions (request_id)",
        """
        CREATE TABLE members (
            session_id BLOB NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
            party INTEGER NOT NULL CHECK (party >= 1),
            account BLOB NOT NULL CHECK (length(account) = 20),
            peer_key BLOB NOT NULL CHECK (length(peer_key) = 32),
            PRIMARY KEY (session_id, party)
        ) STRICT, WITHOUT ROWID
        """,
        # No foreign key: that a mask was used outlives its session for ever.
        """
        CREATE TABLE used_masks (
            session_id BLOB NOT NULL CHECK (length(session_id) = 32),
            client TEXT NOT NULL,
            first INTEGER NOT NULL CHECK (first >= 0),
            count INTEGER NOT NULL CHECK (count >= 1),
            digest BLOB NOT NULL CHECK (length(digest) = 32),
            used_at INTEGER NOT NULL,
            PRIMARY KEY (session_id, client, first)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE envelopes (
            request_id BLOB NOT NULL CHECK (length(request_id) = 32),
            client INTEGER NOT NULL CHECK (client >= 0),
            party INTEGER NOT NULL CHECK (party >= 1),
            envelope BLOB NOT NULL,
            expires_at INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (request_id, client, party)
        ) STRICT
        """,
        "CREATE INDEX envelopes_by_expiry ON envelopes (expires_at)",
        """
        CREATE TABLE facts (
            account BLOB NOT NULL CHECK (length(account) = 20),
            kind TEXT NOT NULL,
            request_id BLOB NOT NULL CHECK (length(request_id) = 32),
            block_number INTEGER NOT NULL CHECK (block_number >= 0),
            at INTEGER NOT NULL,
            PRIMARY KEY (account, kind, request_id)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX facts_by_block ON facts (block_number)",
    ),
    (
        """
        CREATE TABLE stockpile_items (
            committee BLOB NOT NULL CHECK (length(committee) = 32),
            name BLOB NOT NULL CHECK (length(name) = 16),
            kind TEXT NOT NULL,
            width INTEGER NOT NULL CHECK (width >= 0),
            made INTEGER NOT NULL CHECK (made >= 1),
            used INTEGER NOT NULL CHECK (used >= 0 AND used <= made),
            made_at INTEGER NOT NULL,
            PRIMARY KEY (committee, name, kind, width)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE stockpile_chunks (
            committee BLOB NOT NULL,
            name BLOB NOT NULL,
            kind TEXT NOT NULL,
            width INTEGER NOT NULL,
            first INTEGER NOT NULL CHECK (first >= 0),
            sealed BLOB NOT NULL,
            PRIMARY KEY (committee, name, kind, width, first)
        ) STRICT
        """,
    ),
)

SCHEMA_VERSION: Final = len(MIGRATIONS)
