"""Telling the chain what t+1 members signed, once, by whoever comes first in committee order.

Seats take turns: seat k waits k times STAGGER_S after the signatures are complete, and looks at the chain before it
sends, so that usually one member pays the gas. A transaction that another's forestalled is refused in simulation
and costs nothing.
"""

from __future__ import annotations

from typing import Final

import structlog
import trio

from quorate.contracts import RequestState
from quorate.node.chain import MarketClient, TransactionError
from quorate.node.errors import QuorateNodeError

from .tally import NO_MEMBER, SignatureTally

STAGGER_S: Final = 4.0
"""How long each seat gives the one before it."""
POLL_S: Final = 0.5
"""How often the chain is asked how the request stands."""
RETRY_S: Final = 2.0
"""How long to wait after the chain could not be reached."""

_log = structlog.get_logger(__name__)


class Settlement:
    """Watches one locked request until the chain has settled it; `settled` is set then."""

    def __init__(self, tally: SignatureTally, market: MarketClient, *, own: bytes) -> None:
        self.tally = tally
        self.settled = trio.Event()
        self.outcome: RequestState = RequestState.LOCKED
        self._market = market
        self._own = own
        self._changed = trio.Event()
        self._log = _log.bind(session=tally.request_id.hex()[:16])

    def wake(self) -> None:
        """Look at the tally again: a signature was added."""
        self._changed.set()

    async def run(self) -> None:
        """Submit what becomes ready, and return when the request is settled on chain."""
        while not self.settled.is_set():
            try:
                await self._look()
                if not self.settled.is_set() and self._is_ready():
                    await self._take_turn()
            except QuorateNodeError as error:
                self._log.warning("settlement_delayed", reason=str(error))
                await trio.sleep(RETRY_S)
            with trio.move_on_after(POLL_S):
                await self._changed.wait()
            self._changed = trio.Event()

    def _is_ready(self) -> bool:
        return self.tally.attested() is not None or self.tally.accused() is not None

    async def _look(self) -> None:
        state = await self._market.state(self.tally.request_id)
        if state.is_final:
            self.outcome = state
            self.settled.set()
            self._log.info("settled", outcome=state.name.lower())

    async def _take_turn(self) -> None:
        with trio.move_on_after(STAGGER_S * self._turn()):
            while not self.settled.is_set():
                await trio.sleep(POLL_S)
                await self._look()
        if not self.settled.is_set():
            try:
                await self._submit()
            except TransactionError as error:
                self._log.info("submission_refused", reason=str(error))
            await self._look()

    def _turn(self) -> int:
        """How many members come before us: those of the committee that are not accused."""
        attested = self.tally.attested()
        accused = None if attested is not None else self.tally.accused()
        line = [member for member in self.tally.members if accused is None or member != accused[0]]
        return line.index(self._own) if self._own in line else len(line)

    async def _submit(self) -> None:
        request_id = self.tally.request_id
        attested = self.tally.attested()
        if attested is not None:
            digest, signatures = attested
            result = await self._market.fulfil(
                request_id, digest, signatures, intent=f"fulfil {request_id.hex()} {digest.hex()[:16]}"
            )
            self._log.info("fulfilled", transaction=result.hash.hex(), gas=result.gas_used)
            return
        ready = self.tally.accused()
        if ready is not None:
            accused, signatures = ready
            result = await self._market.report_fault(
                request_id, accused, signatures, intent=f"fault {request_id.hex()} {accused.hex()[:16]}"
            )
            name = "nobody" if accused == NO_MEMBER else "0x" + accused.hex()
            self._log.warning("fault_reported", accused=name, transaction=result.hash.hex(), gas=result.gas_used)
