"""What needs a mempool and reorganisations: replacement, loss, cancellation, foreign transactions, gaps, restarts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from quorate.node.chain import (
    Call,
    Chain,
    ChainUnreachable,
    Receipt,
    SenderPolicy,
    Signer,
    TransactionCancelled,
    TransactionSender,
    open_chain,
    open_sender,
)
from quorate.node.chain.journal import Entry

from .conftest import Endpoint, start_anvil

pytestmark = pytest.mark.anvil

FRIEND = bytes.fromhex("2a" * 20)
IMPATIENT = SenderPolicy(poll_seconds=0.05, stuck_seconds=0.2)
PATIENT = SenderPolicy(poll_seconds=0.05, stuck_seconds=1000)
TIMEOUT_SECONDS = 30


class Setting:
    """A chain of one test, with one funded signer and its sender."""

    def __init__(self, anvil: Endpoint, chain: Chain, signer: Signer, sender: TransactionSender) -> None:
        self.anvil = anvil
        self.chain = chain
        self.signer = signer
        self.sender = sender

    async def until(self, condition: Callable[[Entry], bool], intent: str = "pay") -> Entry:
        """Wait for the journal's entry to look so."""
        with trio.fail_after(TIMEOUT_SECONDS):
            while True:
                entry = await self.sender.journal.find(intent)
                if entry is not None and condition(entry):
                    return entry
                await trio.sleep(0.02)

    async def receipt(self, intent: str = "pay") -> Receipt:
        with trio.fail_after(TIMEOUT_SECONDS):
            return await self.sender.wait(intent)


@pytest.fixture
def opened(anvil: Endpoint, new_signer: Callable[[], Signer], tmp_path: Path):
    signer = new_signer()
    anvil.fund(signer.account)

    @asynccontextmanager
    async def open_setting(policy: SenderPolicy) -> AsyncIterator[Setting]:
        path = tmp_path / "tx.sqlite"
        async with (
            open_chain(anvil.url) as chain,
            open_sender(chain, signer, journal_path=path, policy=policy) as sender,
        ):
            yield Setting(anvil, chain, signer, sender)

    return open_setting


async def test_a_stuck_transaction_is_replaced_by_one_that_pays_more(opened) -> None:
    async with opened(IMPATIENT) as setting:
        setting.anvil.rpc("evm_setAutomine", False)
        await setting.sender.submit("pay", Call(FRIEND, value=7))
        entry = await setting.until(lambda entry: len(entry.attempts) >= 3)
        for old, new in zip(entry.attempts, entry.attempts[1:], strict=False):
            assert new.nonce == old.nonce == 0
            assert new.max_fee * 8 >= old.max_fee * 9
            assert new.tip * 8 >= old.tip * 9
        setting.anvil.rpc("evm_mine")
        receipt = await setting.receipt()
        entry = await setting.until(lambda entry: True)
        assert receipt.transaction_hash in {attempt.hash for attempt in entry.attempts}
        assert await setting.chain.nonce(setting.signer.account) == 1
        assert await setting.chain.balance(FRIEND) == 7


async def test_an_older_attempt_that_is_mined_counts(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(IMPATIENT) as setting:
        setting.anvil.rpc("evm_setAutomine", False)
        entry = await setting.sender.submit("pay", Call(FRIEND, value=7))

        async def lost(raw: bytes) -> bytes:
            raise ChainUnreachable(setting.chain.url, "lost on the way")

        monkeypatch.setattr(setting.chain, "send_raw", lost)
        await setting.until(lambda entry: len(entry.attempts) >= 2)
        setting.anvil.rpc("evm_mine")
        assert (await setting.receipt()).transaction_hash == entry.attempts[0].hash


async def test_a_transaction_dropped_from_the_pool_is_broadcast_again(opened) -> None:
    async with opened(PATIENT) as setting:
        setting.anvil.rpc("evm_setAutomine", False)
        entry = await setting.sender.submit("pay", Call(FRIEND, value=7))
        hash_ = "0x" + entry.newest.hash.hex()
        assert setting.anvil.rpc("anvil_dropTransaction", hash_) == hash_
        with trio.fail_after(TIMEOUT_SECONDS):
            while not await setting.chain.knows(entry.newest.hash):
                await trio.sleep(0.02)
        setting.anvil.rpc("evm_mine")
        assert (await setting.receipt()).transaction_hash == entry.newest.hash


async def test_a_reorganised_transaction_lands_again_before_it_is_confirmed(opened) -> None:
    async with opened(SenderPolicy(depth=3, poll_seconds=0.05)) as setting:
        entry = await setting.sender.submit("pay", Call(FRIEND, value=7))
        first = await setting.chain.wait_for_receipt(entry.newest.hash)
        setting.anvil.rpc("anvil_mine", "0x1")
        setting.anvil.rpc("anvil_reorg", 2, [])
        with trio.fail_after(TIMEOUT_SECONDS):
            second = await setting.chain.wait_for_receipt(entry.newest.hash)
        assert second.block_hash != first.block_hash
        assert (await setting.until(lambda entry: True)).receipt is None  # not deep enough yet
        setting.anvil.rpc("anvil_mine", "0x2")
        assert await setting.receipt() == second
        assert await setting.chain.nonce(setting.signer.account) == 1
        assert await setting.chain.balance(FRIEND) == 7


async def test_a_nonce_taken_by_another_program_is_not_the_end(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(PATIENT) as setting:
        send_raw = setting.chain.send_raw

        async def unreachable(raw: bytes) -> bytes:
            raise ChainUnreachable(setting.chain.url, "for a while")

        monkeypatch.setattr(setting.chain, "send_raw", unreachable)
        entry = await setting.sender.submit("pay", Call(FRIEND, value=7))
        other = setting.signer.sign_transaction(
            {
                "chainId": 31337,
                "nonce": 0,
                "gas": 21000,
                "maxFeePerGas": 10**11,
                "maxPriorityFeePerGas": 10**9,
                "to": FRIEND,
                "value": 100,
                "data": b"",
            }
        )
        await send_raw(other.raw)
        monkeypatch.setattr(setting.chain, "send_raw", send_raw)
        receipt = await setting.receipt()
        assert receipt.transaction_hash not in {other.hash, entry.newest.hash}
        assert await setting.chain.nonce(setting.signer.account) == 2
        assert await setting.chain.balance(FRIEND) == 107


async def test_cancellation(opened) -> None:
    async with opened(PATIENT) as setting:
        setting.anvil.rpc("evm_setAutomine", False)
        await setting.sender.submit("pay", Call(FRIEND, value=7))
        await setting.sender.cancel("pay")
        setting.anvil.rpc("evm_mine")
        for _ in range(2):
            with pytest.raises(TransactionCancelled):
                await setting.receipt()
        assert await setting.chain.balance(FRIEND) == 0
        assert await setting.chain.nonce(setting.signer.account) == 1
        setting.anvil.rpc("evm_setAutomine", True)
        await setting.sender.send("pay again", Call(FRIEND, value=8))
        await setting.sender.cancel("pay again")  # too late: nothing happens
        assert await setting.chain.balance(FRIEND) == 8


async def test_a_gap_left_by_another_program_is_filled(opened) -> None:
    async with opened(IMPATIENT) as setting:
        setting.anvil.rpc("evm_setAutomine", False)
        other = setting.signer.sign_transaction(
            {
                "chainId": 31337,
                "nonce": 0,
                "gas": 21000,
                "maxFeePerGas": 10**11,
                "maxPriorityFeePerGas": 10**9,
                "to": FRIEND,
                "value": 100,
                "data": b"",
            }
        )
        await setting.chain.send_raw(other.raw)
        entry = await setting.sender.submit("pay", Call(FRIEND, value=7))
        assert entry.nonce == 1
        setting.anvil.rpc("anvil_dropTransaction", "0x" + other.hash.hex())
        await setting.until(lambda entry: True, intent="fill nonce 0")
        setting.anvil.rpc("evm_setAutomine", True)
        setting.anvil.rpc("evm_mine")
        await setting.receipt()
        assert await setting.chain.nonce(setting.signer.account) == 2
        assert await setting.chain.balance(FRIEND) == 7


async def test_after_a_restart_what_the_pool_forgot_is_broadcast_again(opened) -> None:
    async with opened(PATIENT) as setting:
        setting.anvil.rpc("evm_setAutomine", False)
        for number in range(3):
            await setting.sender.submit(f"pay {number}", Call(FRIEND, value=1))
    setting.anvil.rpc("anvil_dropAllTransactions")
    setting.anvil.rpc("evm_setAutomine", True)
    async with opened(PATIENT) as setting:
        for number in range(3):
            assert (await setting.receipt(f"pay {number}")).succeeded
        assert await setting.chain.nonce(setting.signer.account) == 3
        assert await setting.chain.balance(FRIEND) == 3


async def test_pending_transactions_are_counted_against_the_balance_once(opened) -> None:
    async with opened(SenderPolicy(depth=5, poll_seconds=0.05)) as setting:
        setting.anvil.fund(setting.signer.account, 10**18)
        await setting.sender.submit("most of it", Call(FRIEND, value=9 * 10**17))
        entry = await setting.sender.submit("a little", Call(FRIEND, value=5 * 10**16))
        assert entry.nonce == 1
        setting.anvil.rpc("anvil_mine", "0x5")
        assert (await setting.receipt("a little")).succeeded


async def test_a_sender_outlives_the_restart_of_its_chain(
    new_signer: Callable[[], Signer], tmp_path: Path
) -> None:
    signer = new_signer()
    state = str(tmp_path / "state.json")
    receipts = []
    for number in range(2):
        anvil = start_anvil("--state", state)
        try:
            if not receipts:
                anvil.fund(signer.account)
            async with (
                open_chain(anvil.url) as chain,
                open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite", policy=PATIENT) as sender,
            ):
                receipts.append(await sender.send("first", Call(FRIEND, value=1)))
                await sender.send(f"then {number}", Call(FRIEND, value=1))
                assert await chain.balance(FRIEND) == 2 + number
        finally:
            anvil.stop()
    assert receipts[0] == receipts[1]
