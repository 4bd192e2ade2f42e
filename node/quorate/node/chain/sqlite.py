"""A SQLite database of ours: exclusive, durable, used from threads so that trio never waits for the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import trio

from quorate.node.errors import DiskFull, JournalCorrupt, JournalTooNew

from .errors import JournalInUse

T = TypeVar("T")


class Database:
    """One open file; every `run` is one transaction that is on the disk when it returns."""

    def __init__(self, path: Path, *, schema: str, version: int) -> None:
        """Open or create; JournalInUse, JournalCorrupt, JournalTooNew or DiskFull."""
        self.path = path
        self._lock = trio.Lock()
        self._connection = self._guard(lambda: sqlite3.connect(path, timeout=0, check_same_thread=False))
        try:
            self._guard(lambda: self._prepare(schema, version))
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, schema: str, version: int) -> None:
        connection = self._connection
        connection.isolation_level = None
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        try:
            found: int = connection.execute("PRAGMA user_version").fetchone()[0]
            if found > version:
                raise JournalTooNew(self.path, found=found, known=version)
            if found == 0:
                for statement in schema.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` as one transaction in a thread; a failure undoes it whole. DiskFull, JournalCorrupt."""
        async with self._lock:
            return await trio.to_thread.run_sync(lambda: self._guard(lambda: self._transact(work)))

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _guard(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise JournalInUse(self.path) from error
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
                raise DiskFull(self.path) from error
            raise JournalCorrupt(self.path, str(error)) from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise  # our bug
            raise JournalCorrupt(self.path, str(error)) from error

    def close(self) -> None:
        """Close the file; nothing is lost, since every transaction was committed."""
        self._connection.close()
