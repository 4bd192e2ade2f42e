"""The transaction sender, on every chain at hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from quorate.contracts import COIN, calldata, market_deployment
from quorate.node.chain import (
    Call,
    FeeAboveCap,
    InsufficientFunds,
    IntentConflict,
    JournalInUse,
    JournalMismatch,
    SenderPolicy,
    Signer,
    Status,
    TransactionFailed,
    TransactionRejected,
    TransactionReverted,
    TransactionSender,
    open_chain,
    open_sender,
)
from quorate.node.chain.rpc import RpcClient
from quorate.node.errors import DiskFull

FRIEND = bytes.fromhex("22" * 19 + "01")
FAST = SenderPolicy(poll_seconds=0.1)


async def test_send_confirms_and_charges(endpoint, signer: Signer, tmp_path: Path) -> None:
    async with (
        open_chain(endpoint.url, expected_chain_id=31337) as chain,
        open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite", policy=FAST) as sender,
    ):
        friend = bytes.fromhex("33" * 20)
        before = await chain.balance(friend)
        receipt = await sender.send("pay", Call(friend, value=12345))
        assert receipt.succeeded
        assert receipt.gas_used == 21_000
        assert await chain.balance(friend) == before + 12345
        assert await chain.nonce(signer.account) == 1
        assert await chain.wait_for_receipt(receipt.transaction_hash) == receipt


async def test_same_intent_is_sent_once(endpoint, signer: Signer, tmp_path: Path) -> None:
    path = tmp_path / "tx.sqlite"
    async with open_chain(endpoint.url) as chain:
        async with open_sender(chain, signer, journal_path=path, policy=FAST) as sender:
            receipts = []

            async def send() -> None:
                receipts.append(await sender.send("once", Call(FRIEND, value=1)))

            async with trio.open_nursery() as nursery:
                for _ in range(5):
                    nursery.start_soon(send)
            with pytest.raises(IntentConflict, match="used for another call"):
                await sender.send("once", Call(FRIEND, value=2))
        async with open_sender(chain, signer, journal_path=path, policy=FAST) as sender:
            receipts.append(await sender.send("once", Call(FRIEND, value=1)))
        assert len(set(receipts)) == 1
        assert await chain.nonce(signer.account) == 1


async def test_concurrent_sends_take_distinct_nonces_and_all_land(
    endpoint, signer: Signer, tmp_path: Path
) -> None:
    async with (
        open_chain(endpoint.url) as chain,
        open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite", policy=FAST) as sender,
    ):
        hashes = []

        async def send(number: int) -> None:
            hashes.append((await sender.send(f"pay {number}", Call(FRIEND, value=number))).transaction_hash)

        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(send, number)
        assert len(set(hashes)) == 20
        assert await chain.nonce(signer.account) == 20


async def test_empty_wallet_says_who_has_what_and_needs_what(
    endpoint, new_signer: Callable[[], Signer], tmp_path: Path
) -> None:
    poor = new_signer()
    async with (
        open_chain(endpoint.url) as chain,
        open_sender(chain, poor, journal_path=tmp_path / "tx.sqlite", policy=FAST) as sender,
    ):
        with pytest.raises(InsufficientFunds) as caught:
            await sender.send("pay", Call(FRIEND, value=10**18))
        assert caught.value.address == poor.address
        assert caught.value.balance == 0
        assert caught.value.needed >= 10**18
        assert poor.address in caught.value.todo
        with pytest.raises(InsufficientFunds, match="cannot pay"):
            await sender.send("pay nothing", Call(FRIEND))
        endpoint.fund(poor.account)
        assert (await sender.send("pay", Call(FRIEND, value=10**18))).succeeded


async def test_revert_is_decoded_and_nothing_is_sent(endpoint, signer: Signer, tmp_path: Path) -> None:
    async with (
        open_chain(endpoint.url) as chain,
        open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite", policy=FAST) as sender,
    ):
        deployed = await sender.send("deploy", Call(None, market_deployment(signer.account)))
        assert deployed.created is not None
        assert await chain.code(deployed.created)
        with pytest.raises(TransactionReverted) as caught:
            await sender.send("withdraw", Call(deployed.created, calldata.withdraw(COIN, 77)))
        assert caught.value.name == "InsufficientBalance"
        assert caught.value.arguments["needed"] == 77
        assert "77 is needed" in str(caught.value)
        assert await chain.nonce(signer.account) == 1


async def test_fee_cap(endpoint, signer: Signer, tmp_path: Path) -> None:
    policy = SenderPolicy(max_fee=1)
    async with (
        open_chain(endpoint.url) as chain,
        open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite", policy=policy) as sender,
    ):
        with pytest.raises(FeeAboveCap):
            await sender.send("pay", Call(FRIEND))
        assert await sender.journal.find("pay") is None


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("step", ["before journal", "after journal", "after broadcast"])
async def test_killed_at_any_step_lands_exactly_once(
    endpoint, signer: Signer, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tx.sqlite"
    call = Call(FRIEND, value=5)
    async with open_chain(endpoint.url) as chain:

        async def killed() -> None:
            async with open_sender(chain, signer, journal_path=path, policy=FAST) as sender:
                _kill_at(patch, sender, step)
                await sender.send("pay", call)

        with monkeypatch.context() as patch, pytest.raises(Killed):
            await killed()
        async with open_sender(chain, signer, journal_path=path, policy=FAST) as sender:
            entry = await sender.journal.find("pay")
            assert (entry is None) == (step == "before journal")
            receipt = await sender.send("pay", call)
            assert receipt.succeeded
            assert await chain.nonce(signer.account, "pending") == 1


def _kill_at(patch: pytest.MonkeyPatch, sender: TransactionSender, step: str) -> None:
    record, send_raw = sender.journal.record, sender.chain.send_raw

    async def killed_record(*arguments, **named) -> None:
        raise Killed

    async def record_then_killed(*arguments, **named) -> None:
        await record(*arguments, **named)
        raise Killed

    async def send_then_killed(raw: bytes) -> bytes:
        await send_raw(raw)
        raise Killed

    if step == "before journal":
        patch.setattr(sender.journal, "record", killed_record)
    elif step == "after journal":
        patch.setattr(sender.journal, "record", record_then_killed)
    else:
        patch.setattr(sender.chain, "send_raw", send_then_killed)


async def test_full_disk_stops_before_the_broadcast(endpoint, signer: Signer, tmp_path: Path) -> None:
    async with (
        open_chain(endpoint.url) as chain,
        open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite", policy=FAST) as sender,
    ):
        await sender.send("first", Call(FRIEND))
        database = sender.journal._database

        def limit(pages: int | None):
            def work(connection):
                used = connection.execute("PRAGMA page_count").fetchone()[0]
                connection.execute(f"PRAGMA max_page_count = {pages if pages is not None else used}")

            return work

        await database.run(limit(None))

        async def fill() -> None:
            for number in range(100):
                await sender.submit(f"more {number}", Call(FRIEND, data=bytes(2000)))

        with pytest.raises(DiskFull, match="cannot write"):
            await fill()
        landed = await chain.nonce(signer.account, "pending")
        assert await sender.journal.next_nonce() == landed
        await database.run(limit(1 << 20))
        assert (await sender.send("after", Call(FRIEND))).succeeded


async def test_a_journal_serves_one_process_one_chain_and_one_account(
    endpoint, signer: Signer, new_signer: Callable[[], Signer], tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / "tx.sqlite"
    async with open_chain(endpoint.url) as chain:
        async with open_sender(chain, signer, journal_path=path, policy=FAST):
            with pytest.raises(JournalInUse):
                async with open_sender(chain, signer, journal_path=path):
                    pass
        with pytest.raises(JournalMismatch, match="of account"):
            async with open_sender(chain, new_signer(), journal_path=path):
                pass
        genesis = await chain.block(0)
        assert genesis is not None
        other = type(genesis)(0, bytes(32), bytes(32), 0, 0)

        async def another_genesis(which) -> object:
            return other

        monkeypatch.setattr(chain, "block", another_genesis)
        with pytest.raises(JournalMismatch, match="started anew"):
            async with open_sender(chain, signer, journal_path=path):
                pass


async def test_a_refused_transaction_frees_its_nonce_and_may_be_tried_again(
    endpoint, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        open_chain(endpoint.url) as chain,
        open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite", policy=FAST) as sender,
    ):
        sign = sender.sign

        def sign_for_another_chain(call, **named):
            monkeypatch.setattr(chain, "chain_id", 1)
            try:
                return sign(call, **named)
            finally:
                monkeypatch.setattr(chain, "chain_id", 31337)

        monkeypatch.setattr(sender, "sign", sign_for_another_chain)
        with pytest.raises(TransactionRejected, match="chain"):
            await sender.send("pay", Call(FRIEND))
        entry = await sender.journal.find("pay")
        assert entry is not None
        assert entry.status is Status.REJECTED
        monkeypatch.setattr(sender, "sign", sign)
        assert (await sender.send("pay", Call(FRIEND))).succeeded
        assert (await sender.send("pay more", Call(FRIEND))).succeeded
        assert await chain.nonce(signer.account) == 2


async def test_a_transaction_that_can_never_be_mined_is_given_up_after_a_restart(
    endpoint, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tx.sqlite"
    async with open_chain(endpoint.url) as chain:

        async def killed() -> None:
            async with open_sender(chain, signer, journal_path=path, policy=FAST) as sender:
                _kill_at(monkeypatch, sender, "after journal")
                monkeypatch.setattr(chain, "chain_id", 31337)
                sign = sender.sign

                def sign_for_another_chain(call, **named):
                    chain.chain_id = 1
                    try:
                        return sign(call, **named)
                    finally:
                        chain.chain_id = 31337

                sender.sign = sign_for_another_chain
                await sender.submit("doomed", Call(FRIEND))

        with pytest.raises(Killed):
            await killed()
        async with open_sender(chain, signer, journal_path=path, policy=FAST) as sender:
            with trio.fail_after(30), pytest.raises(TransactionRejected):
                await sender.wait("doomed")
            assert (await sender.send("after", Call(FRIEND))).succeeded
            with trio.fail_after(30):
                assert (await sender.send("doomed", Call(FRIEND))).succeeded
        assert await chain.nonce(signer.account) == 2


async def test_a_transaction_that_reverts_when_mined_raises_each_time(
    endpoint, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        open_chain(endpoint.url) as chain,
        open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite", policy=FAST) as sender,
    ):
        deployed = await sender.send("deploy", Call(None, market_deployment(signer.account)))

        async def unaware(intent: str, call: Call) -> int:
            return 200_000

        monkeypatch.setattr(sender, "simulate", unaware)
        call = Call(deployed.created, calldata.withdraw(COIN, 77))
        for _ in range(2):
            with pytest.raises(TransactionFailed, match="failed in block"):
                await sender.send("withdraw", call)
        assert await chain.nonce(signer.account) == 2


async def test_an_endpoint_that_goes_silent_at_the_broadcast_is_asked_again(
    endpoint, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = 2
    post = RpcClient._post

    async def flaky(self: RpcClient, method: str, content: bytes) -> tuple[int, bytes]:
        nonlocal failures
        status, body = await post(self, method, content)
        if method == "eth_sendRawTransaction" and failures:
            failures -= 1
            return 503, b""  # it took the transaction, and the answer was lost
        return status, body

    monkeypatch.setattr(RpcClient, "_post", flaky)
    async with (
        open_chain(endpoint.url) as chain,
        open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite", policy=FAST) as sender,
    ):
        assert (await sender.send("pay", Call(FRIEND))).succeeded
        assert (await sender.send("pay again", Call(FRIEND))).succeeded
        assert await chain.nonce(signer.account) == 2


async def test_sending_after_the_journal_says_confirmed_needs_no_chain(
    endpoint, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        open_chain(endpoint.url) as chain,
        open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite", policy=FAST) as sender,
    ):
        receipt = await sender.send("pay", Call(FRIEND))

        async def no_request(method: str, *params: object) -> object:
            raise AssertionError(method)

        monkeypatch.setattr(chain.client, "request", no_request)
        assert await sender.send("pay", Call(FRIEND)) == receipt
        with pytest.raises(KeyError):
            await sender.wait("never")
        entry = await sender.journal.find("pay")
        assert entry is not None
        assert json.loads(entry.receipt or "")["status"] == "0x1"
