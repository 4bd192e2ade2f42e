"""Sends transactions so that each intent happens once, whatever fails in between.

    async with open_sender(chain, signer, journal_path=path) as sender:
        receipt = await sender.send("lock 0x12..", Call(to=market, data=data))

One nonce at a time, under one lock: simulate, choose fees, sign, write to the journal, broadcast. From then on the
watcher carries the intent to its end: it looks for the receipts of all attempts, since any of them may be mined;
broadcasts again what the endpoint forgot or a reorganisation threw out; replaces what is stuck with a copy that
pays 12.5 % more; and calls an intent confirmed when its block has enough others on top and is still in the chain.

An intent is never signed for a second nonce while the first may still be mined. Only when somebody else's
transaction took the nonce, and is itself buried, does it get another one.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from quorate.contracts import ContractError, decode_revert

from .background import background
from .errors import (
    ChainUnreachable,
    InsufficientFunds,
    IntentConflict,
    MalformedResponse,
    RpcError,
    TransactionCancelled,
    TransactionFailed,
    TransactionRejected,
    TransactionReverted,
)
from .fees import GWEI, Fees, suggest_fees
from .journal import Attempt, Call, Entry, Status, TransactionJournal
from .pool_errors import Refusal, classify
from .provider import Chain
from .signer import Signer
from .values import Receipt, parse_receipt
from .watcher import Watcher

MAX_PENDING = 256
TRANSFER_GAS = 21_000
EXECUTION_REVERTED_CODE = 3


@dataclass(frozen=True, slots=True)
class SenderPolicy:
    """How careful and how generous a sender is.

    `depth` blocks, its own included, confirm a transaction; `max_fee` is in wei per gas; a transaction that waits
    `stuck_seconds` is replaced; the chain is asked every `poll_seconds` at the latest.
    """

    depth: int = 1
    max_fee: int = 500 * GWEI
    stuck_seconds: float = 30.0
    poll_seconds: float = 2.0
    gas_margin_percent: int = 20


class TransactionSender:
    """The only one who spends nonces of `signer` on `chain`; made by `open_sender`."""

    def __init__(
        self,
        chain: Chain,
        signer: Signer,
        journal: TransactionJournal,
        *,
        policy: SenderPolicy,
        decode_error: Callable[[bytes], ContractError],
    ) -> None:
        self.chain = chain
        self.signer = signer
        self.journal = journal
        self.policy = policy
        self.nonce_lock = trio.Lock()
        self._decode_error = decode_error
        self._watcher = Watcher(self)

    async def send(self, intent: str, call: Call) -> Receipt:
        """Do `call` once under the id `intent`, and wait until it is confirmed.

        Sending the same intent again, in this process or a later one, gives the receipt of the first time.
        Bound the wait with a cancel scope if need be: the transaction goes on without us.

        TransactionReverted, InsufficientFunds, FeeAboveCap, TransactionRejected: nothing was sent.
        TransactionFailed, TransactionCancelled: it is over. IntentConflict: a bug. DiskFull: nothing was sent.
        """
        await self.submit(intent, call)
        return await self.wait(intent)

    async def submit(self, intent: str, call: Call) -> Entry:
        """The part of `send` up to the broadcast; an endpoint that does not answer then is asked again later."""
        async with self.nonce_lock:
            entry = await self.journal.find(intent)
            if entry is not None and entry.call != call:
                raise IntentConflict(intent)
            if entry is not None and entry.status is not Status.REJECTED:
                return entry
            nonce = await self._nonce_again(entry) if entry is not None else None
            gas_limit, attempt = await self._prepare(intent, call, nonce)
            await self.journal.record(intent, call, gas_limit=gas_limit, attempt=attempt)
            await self._first_broadcast(intent, attempt)
        entry = await self.journal.find(intent)
        assert entry is not None
        self._watcher.wake()
        return entry

    async def wait(self, intent: str) -> Receipt:
        """Wait until the intent is over; its receipt. KeyError if it was never submitted."""
        while True:
            finished = self._watcher.finished(intent)
            entry = await self.journal.find(intent)
            if entry is None:
                raise KeyError(intent)
            if entry.status is not Status.PENDING:
                self._watcher.forget(intent)
                return _outcome(entry)
            await finished.wait()

    async def cancel(self, intent: str) -> None:
        """Try to put a transfer of nothing in the place of a pending intent; `wait` tells which one was mined."""
        async with self.nonce_lock:
            entry = await self.journal.find(intent)
            if entry is None:
                raise KeyError(intent)
            if entry.status is Status.PENDING:
                await self._watcher.replace(intent, cancels=True)
        self._watcher.wake()

    async def run(self) -> None:
        """Carry pending intents on, for ever; `open_sender` runs it."""
        await self._watcher.run()

    async def reconcile(self) -> None:
        """Check that the journal fits the chain, and broadcast again what was on its way when we stopped."""
        genesis = await self.chain.block(0)
        if genesis is None:
            raise MalformedResponse(self.chain.url, "eth_getBlockByNumber", "there is no block 0")
        await self.journal.bind(chain_id=self.chain.chain_id, account=self.signer.account, genesis=genesis.hash)
        for entry in await self.journal.pending(MAX_PENDING):
            await self.broadcast(entry.newest)

    def sign(self, call: Call, *, gas_limit: int, nonce: int, fees: Fees) -> Attempt:
        """An attempt at `call`."""
        fields: dict[str, int | bytes] = {
            "chainId": self.chain.chain_id,
            "nonce": nonce,
            "gas": gas_limit,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.tip,
            "to": call.to if call.to is not None else b"",
            "value": call.value,
            "data": call.data,
        }
        signed = self.signer.sign_transaction(fields)
        return Attempt(signed.hash, signed.raw, nonce, fees.max_fee, fees.tip)

    def sign_cancellation(self, *, nonce: int, fees: Fees) -> Attempt:
        """A transfer of nothing to ourselves."""
        attempt = self.sign(Call(self.signer.account), gas_limit=TRANSFER_GAS, nonce=nonce, fees=fees)
        return Attempt(attempt.hash, attempt.raw, nonce, fees.max_fee, fees.tip, cancels=True)

    async def broadcast(self, attempt: Attempt) -> Refusal | None:
        """Hand an attempt to the endpoint; None if it took it, or could not be asked, or knew it."""
        try:
            await self.chain.send_raw(attempt.raw)
        except RpcError as error:
            refusal = classify(error)
            return None if refusal is Refusal.KNOWN else refusal
        except (ChainUnreachable, MalformedResponse):
            pass  # it may or may not have arrived; the watcher finds out
        return None

    async def _prepare(self, intent: str, call: Call, nonce: int | None) -> tuple[int, Attempt]:
        """The gas limit and the signed first attempt, after every check that can be made beforehand."""
        account = self.signer.account
        # In this order a transaction that is mined in between is counted neither in the balance nor as reserved;
        # the other way round it would be counted twice, and funds that are there would be missed.
        balance = await self.chain.balance(account)
        count, reserved = await self.journal.pending_summary(await self.chain.nonce(account))
        if count >= MAX_PENDING:
            raise TransactionRejected(intent, f"{MAX_PENDING} transactions are on their way already")
        self._check_funds(intent, balance=balance, needed=reserved + call.value)
        gas_limit = await self.simulate(intent, call)
        fees = await suggest_fees(self.chain, intent=intent, cap=self.policy.max_fee)
        self._check_funds(intent, balance=balance, needed=reserved + call.value + gas_limit * fees.max_fee)
        nonce = nonce if nonce is not None else await self.next_nonce()
        return gas_limit, self.sign(call, gas_limit=gas_limit, nonce=nonce, fees=fees)

    async def next_nonce(self) -> int:
        """The lowest nonce that neither the chain, nor its pool, nor the journal knows to be taken."""
        known = await self.chain.nonce(self.signer.account, "pending")
        return max(known, await self.journal.next_nonce())

    async def simulate(self, intent: str, call: Call) -> int:
        """Gas for the call with a margin; TransactionReverted if the contract would refuse it."""
        try:
            gas = await self.chain.estimate_gas(
                sender=self.signer.account, to=call.to, data=call.data, value=call.value
            )
        except RpcError as error:
            if classify(error) is Refusal.UNFUNDED:
                balance = await self.chain.balance(self.signer.account)
                raise InsufficientFunds(
                    intent, address=self.signer.address, balance=balance, needed=max(call.value, balance + 1)
                ) from None
            if error.data or error.code == EXECUTION_REVERTED_CODE or "revert" in error.message.lower():
                reason = self._decode_error(error.data)
                raise TransactionReverted(
                    intent, name=reason.name, arguments=reason.arguments, advice=reason.advice
                ) from None
            raise TransactionRejected(intent, error.message) from None
        return gas if gas == TRANSFER_GAS else gas + gas * self.policy.gas_margin_percent // 100

    def _check_funds(self, intent: str, *, balance: int, needed: int) -> None:
        if needed > balance:
            raise InsufficientFunds(intent, address=self.signer.address, balance=balance, needed=needed)

    async def _first_broadcast(self, intent: str, attempt: Attempt) -> None:
        """Broadcast; if the endpoint will never take it, free the nonce and say why."""
        try:
            await self.chain.send_raw(attempt.raw)
        except RpcError as error:
            refusal = classify(error)
            if refusal not in (Refusal.UNFUNDED, Refusal.INVALID):
                return
            await self.journal.reject(intent)
            if refusal is Refusal.INVALID:
                raise TransactionRejected(intent, error.message) from None
            balance = await self.chain.balance(self.signer.account)
            needed = max(attempt.max_fee * TRANSFER_GAS, balance + 1)
            raise InsufficientFunds(intent, address=self.signer.address, balance=balance, needed=needed) from None
        except (ChainUnreachable, MalformedResponse):
            return  # it may or may not have arrived; the watcher finds out

    async def _nonce_again(self, entry: Entry) -> int | None:
        """The nonce that a rejected intent must take again; None if it may take any.

        The endpoint refused the old attempt but still has it. So the intent gets another nonce only when the old
        one is used up and buried, and not by the old attempt.
        """
        holder = await self.journal.holder(entry.nonce)
        if holder is not None and holder.status is Status.PENDING:
            raise TransactionRejected(entry.intent, f"{holder.intent!r} uses its nonce and is on its way")
        buried = await self.chain.finalized(self.policy.depth)
        mined = await self.chain.nonce(self.signer.account, max(buried, 0))
        if mined <= entry.nonce:
            return entry.nonce
        for attempt in entry.attempts:
            if await self.chain.receipt(attempt.hash) is not None:
                raise TransactionRejected(entry.intent, f"yet 0x{attempt.hash.hex()} of it was mined")
        return None


def _outcome(entry: Entry) -> Receipt:
    if entry.status is Status.REJECTED or entry.receipt is None:
        raise TransactionRejected(entry.intent, "the endpoint refused it")
    receipt = parse_receipt(json.loads(entry.receipt))
    if entry.status is Status.CANCELLED:
        raise TransactionCancelled(entry.intent, hash=receipt.transaction_hash)
    if not receipt.succeeded:
        raise TransactionFailed(entry.intent, hash=receipt.transaction_hash, block_number=receipt.block_number)
    return receipt


@asynccontextmanager
async def open_sender(
    chain: Chain,
    signer: Signer,
    *,
    journal_path: Path,
    policy: SenderPolicy | None = None,
    decode_error: Callable[[bytes], ContractError] = decode_revert,
) -> AsyncIterator[TransactionSender]:
    """Open the journal, reconcile it with the chain, and run the watcher until the block ends.

    JournalMismatch, JournalInUse, JournalCorrupt or DiskFull if the journal cannot be used.
    """
    journal = TransactionJournal(journal_path)
    try:
        sender = TransactionSender(
            chain, signer, journal, policy=policy or SenderPolicy(), decode_error=decode_error
        )
        await sender.reconcile()
        async with background(sender.run):
            yield sender
    finally:
        journal.close()
