"""The journal of a home: everything a node must remember when it is killed."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import trio

from .database import Database
from .orders import Orders
from .outcomes import Envelopes, Facts
from .sessions import Masks, Sessions
from .stockpile import Stockpile

FILE_NAME: Final = "journal.sqlite3"

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def _unix_seconds() -> int:
    return int(time.time())


class Journal:
    """An open journal; its tables are attributes whose methods block for one fsync (0.1 to 20 ms).

    In trio, call them through `run`, which uses one thread at a time and finishes what it began even when
    cancelled: `await journal.run(journal.orders.add, order)`.
    """

    def __init__(self, path: Path, *, clock: Callable[[], int] = _unix_seconds) -> None:
        self.path = path
        self.database = Database(path)
        self.orders = Orders(self.database, clock)
        self.sessions = Sessions(self.database, clock)
        self.masks = Masks(self.database, clock)
        self.envelopes = Envelopes(self.database, clock)
        self.facts = Facts(self.database)
        self.stockpile = Stockpile(self.database, clock)
        self._limiter = trio.CapacityLimiter(1)

    @classmethod
    def open(cls, home: Path) -> Journal:
        """The journal of `home`; raises JournalCorrupt, JournalTooNew, DiskFull or HomeError."""
        return cls(home / FILE_NAME)

    async def run(
        self, method: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        """Call `method` of one of the tables in a thread; its error is ours."""
        call = functools.partial(method, *arguments, **named)
        return await trio.to_thread.run_sync(call, limiter=self._limiter)

    def close(self) -> None:
        """Close the file; harmless when it is closed already."""
        self.database.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
