"""Carries pending intents to their end; the rules are in `sender`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import structlog
import trio

from quorate.node.errors import DiskFull

from .errors import ChainUnreachable, FeeAboveCap, MalformedResponse, RpcError
from .fees import Fees, bump, suggest_fees
from .journal import Attempt, Call, Entry, Status
from .pool_errors import Refusal
from .values import Receipt

if TYPE_CHECKING:
    from .sender import TransactionSender

FIRST_POLL_SECONDS = 0.02
MAX_WATCHED = 64
MAX_ATTEMPTS = 32
GAP_INTENT = "fill nonce {nonce}"

log = structlog.get_logger(__name__)


class Watcher:
    """Looks at the pending intents of one sender, lowest nonce first, and does what each needs."""

    def __init__(self, sender: TransactionSender) -> None:
        self._sender = sender
        self._finished: dict[str, trio.Event] = {}
        self._wake = trio.Event()
        self._broadcast_at: dict[bytes, float] = {}  # by attempt; when we last saw it go out or move on

    def finished(self, intent: str) -> trio.Event:
        """An event that is set when the intent is settled after this call."""
        return self._finished.setdefault(intent, trio.Event())

    def forget(self, intent: str) -> None:
        """Drop the event of an intent that is settled."""
        self._finished.pop(intent, None)

    def wake(self) -> None:
        """Look soon: something was sent."""
        self._wake.set()

    async def run(self) -> None:
        """Look, wait, look again; the wait grows up to the policy's, and starts anew when something is sent."""
        delay = FIRST_POLL_SECONDS
        while True:
            self._wake = trio.Event()
            try:
                busy = await self._look_at_all()
            except (ChainUnreachable, MalformedResponse, RpcError, FeeAboveCap, DiskFull) as error:
                log.warning("chain_watch_failed", what=error.what, why=error.why)
                busy = True
            with trio.move_on_after(delay if busy else math.inf):
                await self._wake.wait()
            delay = FIRST_POLL_SECONDS if self._wake.is_set() else min(2 * delay, self._sender.policy.poll_seconds)

    async def _look_at_all(self) -> bool:
        """Look at every pending intent once; whether any is left."""
        sender = self._sender
        entries = await sender.journal.pending(MAX_WATCHED)
        if not entries:
            return False
        mined_nonce = await sender.chain.nonce(sender.signer.account)
        if entries[0].nonce > mined_nonce:
            await self._fill_gap(entries[0], mined_nonce)
        left = 0
        for entry in entries:
            left += not await self._look_at(entry, mined_nonce)
        return left > 0

    async def _look_at(self, entry: Entry, mined_nonce: int) -> bool:
        """Do what one pending intent needs; whether it is settled."""
        chain, policy = self._sender.chain, self._sender.policy
        for attempt in reversed(entry.attempts):
            found = await chain.receipt_with_json(attempt.hash)
            if found is None:
                continue
            if await chain.is_settled(found[0], depth=policy.depth):
                await self._settle(entry, attempt, found[0], found[1])
                return True
            return False  # mined; wait for its depth
        if mined_nonce > entry.nonce:
            await self._look_for_foreign(entry)
        else:
            await self._push(entry, is_next=entry.nonce == mined_nonce)
        return False

    async def _settle(self, entry: Entry, attempt: Attempt, receipt: Receipt, receipt_json: str) -> None:
        status = Status.CANCELLED if attempt.cancels else Status.CONFIRMED
        await self._sender.journal.settle(entry.intent, status, receipt_json)
        log.info(
            "transaction_settled",
            intent=entry.intent,
            status=status.value,
            block=receipt.block_number,
            gas_used=receipt.gas_used,
        )
        self._announce(entry)

    def _announce(self, entry: Entry) -> None:
        for each in entry.attempts:
            self._broadcast_at.pop(each.hash, None)
        event = self._finished.pop(entry.intent, None)
        if event is not None:
            event.set()

    async def _push(self, entry: Entry, *, is_next: bool) -> None:
        """Keep the newest attempt in the pool, and replace it when it waits too long although it is next."""
        sender, newest = self._sender, entry.newest
        now = trio.current_time()
        sent_at = self._broadcast_at.setdefault(newest.hash, now)
        if now - sent_at > sender.policy.stuck_seconds and is_next:
            async with sender.nonce_lock:
                await self.replace(entry.intent)
            return
        if await sender.chain.knows(newest.hash):
            return
        refusal = await sender.broadcast(newest)
        if refusal is Refusal.UNDERPRICED_REPLACEMENT:
            async with sender.nonce_lock:
                await self.replace(entry.intent)
        elif refusal is Refusal.INVALID and len(entry.attempts) == 1:
            await sender.journal.reject(entry.intent)
            self._announce(entry)
        elif refusal is not None and refusal is not Refusal.NONCE_USED:
            log.warning("transaction_refused", intent=entry.intent, refusal=refusal.name)

    async def replace(self, intent: str, *, cancels: bool | None = None) -> None:
        """Sign, write and broadcast a copy at the same nonce that pays more; or a cancellation, if `cancels`.

        None keeps what the newest attempt is. Call it under the nonce lock. Nothing happens when the intent is
        settled, when the fee would pass the cap, or when the attempts reach their number.
        """
        sender = self._sender
        entry = await sender.journal.find(intent)
        if entry is None or entry.status is not Status.PENDING or len(entry.attempts) >= MAX_ATTEMPTS:
            return
        newest, cap = entry.newest, sender.policy.max_fee
        try:
            suggested = await suggest_fees(sender.chain, intent=intent, cap=cap)
        except FeeAboveCap:
            suggested = Fees(0, 0)
        fees = bump(Fees(newest.max_fee, newest.tip), suggested, cap=cap)
        self._broadcast_at[newest.hash] = trio.current_time()
        if fees is None:
            log.warning("fee_cap_reached", intent=intent, max_fee=newest.max_fee, cap=cap)
            return
        attempt = self._sign_again(entry, nonce=entry.nonce, fees=fees, cancels=cancels)
        await sender.journal.add_attempt(intent, attempt)
        await sender.broadcast(attempt)

    def _sign_again(self, entry: Entry, *, nonce: int, fees: Fees, cancels: bool | None = None) -> Attempt:
        if entry.newest.cancels if cancels is None else cancels:
            return self._sender.sign_cancellation(nonce=nonce, fees=fees)
        return self._sender.sign(entry.call, gas_limit=entry.gas_limit, nonce=nonce, fees=fees)

    async def _look_for_foreign(self, entry: Entry) -> None:
        """The nonce is used, by none of our attempts: once that is buried, give the intent another nonce."""
        sender = self._sender
        buried = await sender.chain.finalized(sender.policy.depth)
        if buried < 0 or await sender.chain.nonce(sender.signer.account, buried) <= entry.nonce:
            return
        for attempt in entry.attempts:  # once more, now that the nonce cannot be used any more
            if await sender.chain.receipt(attempt.hash) is not None:
                return
        async with sender.nonce_lock:
            current = await sender.journal.find(entry.intent)
            if current is None or current.attempts != entry.attempts or current.status is not Status.PENDING:
                return
            nonce = await sender.next_nonce()
            fees = Fees(entry.newest.max_fee, entry.newest.tip)
            attempt = self._sign_again(entry, nonce=nonce, fees=fees)
            log.warning("nonce_taken_by_others", intent=entry.intent, nonce=entry.nonce, new_nonce=nonce)
            await sender.journal.add_attempt(entry.intent, attempt)
            await sender.broadcast(attempt)

    async def _fill_gap(self, first: Entry, mined_nonce: int) -> None:
        """Nobody's transaction holds the nonce that must come first: send a transfer of nothing with it."""
        sender = self._sender
        now = trio.current_time()
        waiting_since = self._broadcast_at.setdefault(first.newest.hash, now)
        if now - waiting_since <= sender.policy.stuck_seconds:
            return
        if await sender.chain.nonce(sender.signer.account, "pending") > mined_nonce:
            return  # the pool has one
        async with sender.nonce_lock:
            holder = await sender.journal.holder(mined_nonce)
            if holder is not None:  # settled once, but a reorganisation deeper than the policy threw it out
                for attempt in holder.attempts:
                    await sender.broadcast(attempt)
                return
            intent = GAP_INTENT.format(nonce=mined_nonce)
            fees = await suggest_fees(sender.chain, intent=intent, cap=sender.policy.max_fee)
            filler = sender.sign_cancellation(nonce=mined_nonce, fees=fees)
            log.warning("nonce_gap_filled", nonce=mined_nonce)
            await sender.journal.record(intent, Call(sender.signer.account), gas_limit=21_000, attempt=filler)
            await sender.broadcast(filler)
