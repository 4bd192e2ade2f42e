"""Follows the logs of contracts: every log of the canonical chain is handled, also across restarts and reorgs.

The follower polls eth_getLogs in bounded ranges. Subscriptions would not do: nodes drop them silently, and some
say nothing when a reorganisation removes a log. What makes polling safe is a ring of the last blocks it has seen,
(number, hash), which it keeps in SQLite together with its place:

- a range counts only if its headers form a chain of parent hashes that starts at the newest block of the ring, if
  every log is from one of these headers, and if the last header is still there after the logs came;
- when the newest block of the ring is no longer in the chain, the follower goes back to the newest one that is,
  and tells the handler to undo everything above it.

What the handler must do. A process may be killed after the handler did its work and before the ring is written,
and the chain may change before the next start. So every start begins with a `rollback` to the place that is
written, and the logs above it come again. Both methods must be idempotent: `apply` by block hash and log index,
`rollback` by undoing whatever is above, be it nothing. Everything is delivered at least once, in the order of the
chain, one call at a time.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog
import trio

from .errors import ChainUnreachable, MalformedResponse, ReorgTooDeep, RpcError
from .provider import Chain
from .sqlite import Database
from .values import Block, Log

RING_BLOCKS = 512
MAX_RANGE_BLOCKS = 1000
SCHEMA_VERSION = 1
SCHEMA = "CREATE TABLE ring (number INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT"

log = structlog.get_logger(__name__)


class LogHandler(Protocol):
    """Who acts on logs; both methods are idempotent (see the module)."""

    async def apply(self, logs: Sequence[Log]) -> None:
        """Take the logs of one or more blocks, in the order of the chain; never called with none."""
        ...

    async def rollback(self, block_number: int) -> None:
        """Undo all that came from logs of blocks above `block_number`: they are not in the chain any more."""
        ...


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs: of any of `addresses`; `topics` has the alternatives by position, None for any."""

    addresses: tuple[bytes, ...]
    topics: tuple[tuple[bytes, ...] | None, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowerPolicy:
    """`depth` blocks, its own included, before a block counts; `poll_seconds` between looks at a quiet chain."""

    depth: int = 1
    poll_seconds: float = 1.0
    ring_blocks: int = RING_BLOCKS
    range_blocks: int = MAX_RANGE_BLOCKS


class LogFollower:
    """Follows the logs of `wanted` from block `start` on; its place is in the file at `path`."""

    def __init__(
        self,
        chain: Chain,
        wanted: LogFilter,
        *,
        path: Path,
        start: int = 0,
        policy: FollowerPolicy | None = None,
    ) -> None:
        """Open or create the file; JournalInUse, JournalCorrupt, JournalTooNew or DiskFull."""
        self.chain = chain
        self.wanted = wanted
        self.policy = policy or FollowerPolicy()
        self._start = start
        self._range_blocks = self.policy.range_blocks
        self._in_step = False  # whether the handler surely has nothing from above our place
        self._database = Database(path, schema=SCHEMA, version=SCHEMA_VERSION)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    async def run(self, handler: LogHandler) -> None:
        """Follow for ever; while the endpoint does not answer, wait. ReorgTooDeep, and what the handler raises."""
        while True:
            try:
                more = await self.step(handler)
            except (ChainUnreachable, MalformedResponse, RpcError) as error:
                log.warning("follow_failed", what=error.what, why=error.why)
                more = False
            if not more:
                await trio.sleep(self.policy.poll_seconds)

    async def catch_up(self, handler: LogHandler) -> None:
        """Follow until there is nothing new."""
        while await self.step(handler):
            pass

    async def place(self) -> int:
        """The last block whose logs are handled."""
        ring = await self._ring(1)
        return ring[0][0] if ring else self._start - 1

    async def step(self, handler: LogHandler) -> bool:
        """Handle one range, or go back after a reorg; False when there is nothing new."""
        tip = await self.chain.latest()
        ring = await self._ring(1)
        if not ring and self._start > 0:
            return await self._begin(tip)
        place = ring[0][0] if ring else self._start - 1
        if not self._in_step:
            await handler.rollback(place)
            self._in_step = True
        target = tip.number - (self.policy.depth - 1)
        if place >= target:
            return await self._check_place(handler, ring, tip)
        last = min(target, place + self._range_blocks)
        headers = await self._headers(place + 1, last, tip)
        if not _is_chain(headers):
            return True  # it changed while we looked; look again
        first = headers[0]
        if ring and first.number == place + 1 and first.parent_hash != ring[0][1]:
            await self._go_back(handler)
            return True
        if first.number != place + 1 and not await self._still_there(ring):
            await self._go_back(handler)
            return True
        logs = await self._logs(place + 1, last)
        if logs is None or not await self._belong(logs, headers):
            return True
        if logs:
            self._in_step = False
            await handler.apply(logs)
        await self._remember(headers)
        self._in_step = True
        return True

    async def _begin(self, tip: Block) -> bool:
        """Put the block before the start into the ring, once it is there."""
        before = await self.chain.block(self._start - 1) if tip.number >= self._start - 1 else None
        if before is None:
            return False
        await self._remember([before])
        return True

    async def _check_place(self, handler: LogHandler, ring: list[tuple[int, bytes]], tip: Block) -> bool:
        if not ring or (tip.number, tip.hash) == ring[0]:
            return False
        if tip.number > ring[0][0] and tip.parent_hash == ring[0][1]:
            return False
        if await self._still_there(ring):
            return False
        await self._go_back(handler)
        return True

    async def _still_there(self, ring: list[tuple[int, bytes]]) -> bool:
        if not ring:
            return True
        block = await self.chain.block(ring[0][0])
        return block is not None and block.hash == ring[0][1]

    async def _headers(self, first: int, last: int, tip: Block) -> list[Block]:
        """The headers of the range that may still change, and at least the last one, in order."""
        oldest = max(first, tip.number - self.policy.ring_blocks + 1)
        numbers = range(min(oldest, last), last + 1)
        headers: list[Block] = []
        for number in numbers:
            header = tip if number == tip.number else await self.chain.block(number)
            if header is None:
                return []
            headers.append(header)
        return headers

    async def _logs(self, first: int, last: int) -> tuple[Log, ...] | None:
        """The logs of a range; None, and a smaller range the next time, if the endpoint finds it too large."""
        try:
            found = await self.chain.logs(
                first=first, last=last, addresses=self.wanted.addresses, topics=self.wanted.topics
            )
        except (RpcError, MalformedResponse):
            if first == last:
                raise
            self._range_blocks = max(1, (last - first + 1) // 2)
            return None
        self._range_blocks = min(2 * self._range_blocks, self.policy.range_blocks)
        return tuple(sorted(found, key=lambda each: (each.block_number, each.log_index)))

    async def _belong(self, logs: tuple[Log, ...], headers: list[Block]) -> bool:
        """Whether the logs are from these headers' chain, and that is still the chain."""
        hashes = {header.number: header.hash for header in headers}
        if any(hashes.get(each.block_number, each.block_hash) != each.block_hash for each in logs):
            return False
        again = await self.chain.block(headers[-1].number)
        return again is not None and again.hash == headers[-1].hash

    async def _go_back(self, handler: LogHandler) -> None:
        """Find the newest block of the ring that is in the chain, and undo what is above it."""
        ring = await self._ring(self.policy.ring_blocks)
        for number, hash_ in ring:
            block = await self.chain.block(number)
            if block is not None and block.hash == hash_:
                ancestor = number
                break
        else:
            if self._start > 0 or ring[-1][0] > 0:
                raise ReorgTooDeep(ring[-1][0])
            ancestor = -1
        log.warning("chain_reorganised", from_block=ring[0][0], to_block=ancestor)
        await handler.rollback(ancestor)
        await self._database.run(
            lambda connection: connection.execute("DELETE FROM ring WHERE number > ?", (ancestor,)).rowcount
        )

    async def _ring(self, most: int) -> list[tuple[int, bytes]]:
        """The newest blocks of the ring, newest first."""
        query = "SELECT number, hash FROM ring ORDER BY number DESC LIMIT ?"
        return await self._database.run(lambda connection: connection.execute(query, (most,)).fetchall())

    async def _remember(self, headers: Sequence[Block]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            rows = [(header.number, header.hash) for header in headers]
            connection.executemany("INSERT OR REPLACE INTO ring VALUES (?, ?)", rows)
            oldest = "SELECT number FROM ring ORDER BY number DESC LIMIT 1 OFFSET ?"
            connection.execute(f"DELETE FROM ring WHERE number <= ({oldest})", (self.policy.ring_blocks,))  # noqa: S608  # a literal

        await self._database.run(work)


def _is_chain(headers: Sequence[Block]) -> bool:
    """Whether there are headers and each is the parent of the next."""
    pairs = itertools.pairwise(headers)
    return bool(headers) and all(
        child.number == parent.number + 1 and child.parent_hash == parent.hash for parent, child in pairs
    )
