"""Preprocessing made ahead: what the last session of this committee left for this one, and what we leave for the next.

At the start of a session the members agree on which kept items they all have, mark them as used on their disks,
and take them. After the result is attested, while the chain settles, they make as many again and keep them. So a
committee that meets again finds its preprocessing done. Nothing here can fail a session: a member that cannot
refill, or whose peers have left, keeps nothing. A committee that guarantees its output keeps nothing yet: what its
members have must be agreed on without waiting for any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final, TypeVar
from typing import Protocol as Interface

import structlog
import trio

from quorate.node.errors import QuorateNodeError
from quorate.node.journal import Journal, StockpileKey
from quorate.node.keys import NodeKeys
from quorate.protocol.committee import plan_of
from quorate.protocol.errors import QuorateProtocolError
from quorate.protocol.mpc import MAX_PLAN_ELEMENTS, Party, Plan, Protocol, preprocess, verify
from quorate.protocol.mpc.membership import CommitteeKey
from quorate.protocol.mpc.stockpile import BATCH_NAME_BYTES, Lot, agree_on_draws

from .terms import SessionTerms

MAX_REFILL_ITEMS: Final = 1 << 18
"""The most items that are made for the next session: 8 MiB of shares of one column."""
REFILL_S: Final = 6.0
"""The longest that a refill may take; what is not done by then is given up."""
_NAME_DOMAIN: Final = b"quorate/stockpile-batch/1"

Output = TypeVar("Output")


class Carry(Interface):
    """Drives a machine over the session's transport to its end."""

    async def __call__(self, machine: Protocol[Output], /) -> Output:
        """What the machine gives; raises what its driver raises."""
        ...


_log = structlog.get_logger(__name__)


class Reserve:
    """The kept items of one session's committee."""

    def __init__(
        self,
        terms: SessionTerms,
        party: Party,
        *,
        keys: NodeKeys,
        journal: Journal,
        randomness: Callable[[int], bytes],
    ) -> None:
        self._party = party
        self._task = terms.task
        self._name = sha256(_NAME_DOMAIN + terms.request_id).digest()[:BATCH_NAME_BYTES]
        self._key = StockpileKey(keys.mesh.secret.reveal())
        self._journal = journal
        self._randomness = randomness
        scheme = party.scheme.name.encode()
        self._committee = CommitteeKey.of(
            [scheme, *terms.members], threshold=party.threshold, field=party.field
        ).digest
        self._plan = Plan()

    async def draw(self, carry: Carry) -> None:
        """Put what all members kept for the program into the pool; raises what a lying member makes it raise."""
        self._plan = plan_of(self._party, self._task)
        stockpile = self._journal.stockpile
        batches = await self._journal.run(stockpile.batches, self._committee)
        draws = await carry(agree_on_draws(self._party, self._plan, batches))
        if draws:
            for item, columns in await self._journal.run(stockpile.take, self._committee, draws, key=self._key):
                self._party.pool.put(item, *columns)
            _log.info("preprocessing_found", items=sum(draw.count for draw in draws), of=self._plan.total)

    async def refill(self, carry: Carry) -> None:
        """Make and keep what a session like this one takes; gives up quietly."""
        plan = self._plan
        if plan.is_empty or plan.total > min(MAX_REFILL_ITEMS, MAX_PLAN_ELEMENTS):
            return
        party = self._party
        stock = party.pool.stock
        for item, count in stock.items():  # what is left of this session is not known to be alike everywhere
            party.pool.take_columns(item, count)
        done = False
        with trio.move_on_after(REFILL_S):
            try:
                await carry(preprocess(party, plan))
                await carry(verify(party))
                columns = {item: party.pool.take_columns(item, count) for item, count in plan.items()}
                lot = Lot(self._name, columns)
                await self._journal.run(
                    self._journal.stockpile.keep,
                    self._committee,
                    lot,
                    key=self._key,
                    randomness=self._randomness,
                )
                done = True
            except (QuorateProtocolError, QuorateNodeError, MemoryError) as error:
                _log.info("preprocessing_not_kept", reason=f"{type(error).__name__}: {error}")
        if done:
            _log.info("preprocessing_kept", items=plan.total)
