"""The SQLite file under the journal: opened safely, migrated, written in transactions that survive kill -9.

WAL with synchronous=FULL: a transaction that returned is on the disk, one that did not has not happened. A lock in
this process serialises the threads; the file is for one daemon (HomeLock), and readers may look on.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from quorate.node.errors import DISK_FULL_ERRNOS, DiskFull, HomeError, JournalCorrupt, JournalTooNew

from .schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION

BUSY_TIMEOUT_SECONDS: Final = 5.0
"""How long to wait for another process that reads the file."""
_FULL: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC})
_CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

Row = tuple[Any, ...]  # Any: SQLite columns; the typed tables above turn them into records at once


class Database:
    """An open journal file; use it as a context manager or call `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        _create_private(path)
        with self._errors():
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            with self._errors():
                self._prepare()
                self._migrate()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; harmless when it is closed already."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: committed to the disk when the block ends, undone when it raises.

        Raises DiskFull, JournalCorrupt or HomeError for what the disk does to us.
        """
        with self._lock, self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def read(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of a SELECT; the statement bounds their number."""
        with self._lock, self._errors():
            return self._connection.execute(statement, tuple(parameters)).fetchall()

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA trusted_schema = OFF")
        execute("PRAGMA foreign_keys = ON")
        execute("PRAGMA secure_delete = ON")
        execute("PRAGMA fullfsync = ON")  # macOS: a plain fsync there does not reach the disk
        execute("PRAGMA checkpoint_fullfsync = ON")
        execute("PRAGMA synchronous = FULL")
        application = execute("PRAGMA application_id").fetchone()[0]
        tables = execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if application != APPLICATION_ID and tables:
            raise JournalCorrupt(self.path, "it is a database of another program")
        mode = execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise JournalCorrupt(
                self.path, f"its journal mode is {mode}; the file system cannot do write-ahead logs"
            )
        problem = execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise JournalCorrupt(self.path, "SQLite's quick check fails")

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise JournalTooNew(self.path, found=version, known=SCHEMA_VERSION)
        for number in range(version, SCHEMA_VERSION):
            with self.transaction() as connection:
                for statement in MIGRATIONS[number]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {number + 1}")

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise  # a constraint of ours: the tables turn the ones they expect into JournalConflict
        except sqlite3.DatabaseError as error:
            raise _explain(error, self.path) from error


def _explain(error: sqlite3.DatabaseError, path: Path) -> HomeError:
    code = getattr(error, "sqlite_errorcode", 0)
    if code in _FULL:
        return DiskFull(path)
    if code & 0xFF in _CORRUPT:
        return JournalCorrupt(path, "SQLite finds it damaged")
    if code & 0xFF == sqlite3.SQLITE_BUSY:
        return HomeError(
            f"the journal {path} is busy",
            why=f"another process has held it for {BUSY_TIMEOUT_SECONDS:g} s",
            todo="close the tool that reads it",
        )
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return HomeError(f"the journal {path} failed", why=f"SQLite says {name}", todo="check the disk and the mode")


def _create_private(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        if error.errno in DISK_FULL_ERRNOS:
            raise DiskFull(path) from error
        raise HomeError(
            f"cannot open the journal {path}", why=error.strerror or "unknown", todo="check the mode and the owner"
        ) from error
