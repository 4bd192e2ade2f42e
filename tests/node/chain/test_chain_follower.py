"""The log follower: against a simulated chain that changes at every turn, and against real ones."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest
import trio

from quorate.contracts import COIN, calldata
from quorate.node.chain import (
    Block,
    Call,
    Chain,
    ChainUnreachable,
    FollowerPolicy,
    JournalInUse,
    Log,
    LogFilter,
    LogFollower,
    MalformedResponse,
    ReorgTooDeep,
    RpcError,
    SenderPolicy,
    Signer,
    deploy_market,
    open_chain,
    open_sender,
)

WANTED = LogFilter(addresses=(b"\x0a" * 20,))


class SimulatedChain:
    """A chain in memory whose blocks have 0 to 2 logs, and which may be changed between any two requests."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.serial = itertools.count(1)
        self.blocks: list[Block] = []
        self.contents: list[tuple[Log, ...]] = []
        self.largest_range = 10**9
        self.between = lambda: None
        self.requests = 0
        self.mine()

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            hash_ = next(self.serial).to_bytes(32, "big")
            parent = self.blocks[-1].hash if self.blocks else bytes(32)
            number = len(self.blocks)
            self.blocks.append(Block(number, hash_, parent, number, 0))
            logs = tuple(
                Log(WANTED.addresses[0], (), hash_, number, hash_, hash_, index)
                for index in range(self.random.choice([0, 0, 1, 2]))
            )
            self.contents.append(logs)

    def reorganise(self, depth: int, length: int) -> None:
        depth = min(depth, len(self.blocks) - 1)
        del self.blocks[len(self.blocks) - depth :], self.contents[len(self.contents) - depth :]
        self.mine(length)

    def all_logs(self, through: int | None = None) -> list[Log]:
        contents = self.contents if through is None else self.contents[: through + 1]
        return [log for logs in contents for log in logs]

    async def latest(self) -> Block:
        self.requests += 1
        self.between()
        return self.blocks[-1]

    async def block(self, number: int) -> Block | None:
        self.requests += 1
        self.between()
        return self.blocks[number] if number < len(self.blocks) else None

    async def logs(self, *, first: int, last: int, addresses: Sequence[bytes], topics: object) -> tuple[Log, ...]:
        self.requests += 1
        self.between()
        if last - first + 1 > self.largest_range:
            raise RpcError("eth_getLogs", code=-32005, message="too many blocks")
        found = [log for logs in self.contents[first : last + 1] for log in logs]
        self.random.shuffle(found)
        return tuple(found)


class Recorder:
    """A handler that keeps what stands, and checks the contract as it goes."""

    def __init__(self) -> None:
        self.standing: dict[tuple[bytes, int], Log] = {}
        self.rollbacks: list[int] = []
        self.calls = 0
        self.applied = 0
        self.fail_at: int | None = None

    async def apply(self, logs: Sequence[Log]) -> None:
        assert logs
        order = [(log.block_number, log.log_index) for log in logs]
        assert order == sorted(order)
        for log in logs:
            self.standing[log.block_hash, log.log_index] = log
        self.applied += 1
        self._count()

    async def rollback(self, block_number: int) -> None:
        self.rollbacks.append(block_number)
        self.standing = {key: log for key, log in self.standing.items() if log.block_number <= block_number}
        self._count()

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self.fail_at:
            raise KeyboardInterrupt  # the process is killed after the handler's work, before the follower's

    def logs(self) -> list[Log]:
        return sorted(self.standing.values(), key=lambda log: (log.block_number, log.log_index))


def follower(chain: SimulatedChain, path: Path, *, start: int = 0, **policy: int) -> LogFollower:
    return LogFollower(
        cast(Chain, chain), WANTED, path=path, start=start, policy=FollowerPolicy(poll_seconds=0, **policy)
    )


@pytest.mark.parametrize("seed", range(16))
async def test_what_stands_is_what_the_chain_says_whatever_happens(seed: int, tmp_path: Path) -> None:
    chain, recorder = SimulatedChain(seed), Recorder()
    rng = random.Random(seed)

    def change() -> None:
        dice = rng.random()
        if dice < 0.10:
            chain.mine(rng.randint(1, 4))
        elif dice < 0.17:
            depth = rng.randint(1, 6)
            chain.reorganise(depth, rng.randint(0, depth + 3))

    chain.mine(rng.randint(0, 30))
    path = tmp_path / "follower.sqlite"
    following = follower(chain, path, ring_blocks=64, range_blocks=rng.choice([1, 3, 100]))
    for _ in range(60):
        chain.between = change
        recorder.fail_at = recorder.calls + 1 if rng.random() < 0.1 else None
        try:
            await following.step(recorder)
        except KeyboardInterrupt:
            following.close()
            following = follower(chain, path, ring_blocks=64)
        if rng.random() < 0.2:
            chain.between = lambda: None
            recorder.fail_at = None
            await following.catch_up(recorder)
            assert recorder.logs() == chain.all_logs(), f"seed {seed}"
            assert await following.place() == len(chain.blocks) - 1
    following.close()


async def test_a_backfill_is_bounded_and_cheap(tmp_path: Path) -> None:
    chain, recorder = SimulatedChain(1), Recorder()
    chain.mine(2000)
    chain.largest_range = 130
    following = follower(chain, tmp_path / "f", ring_blocks=16, range_blocks=1000)
    await following.catch_up(recorder)
    assert recorder.logs() == chain.all_logs()
    assert chain.requests < 200
    before = chain.requests
    assert not await following.step(recorder)
    assert chain.requests - before == 1  # a quiet chain costs one request a look
    following.close()


async def test_a_range_of_one_that_is_refused_is_an_error(tmp_path: Path) -> None:
    chain = SimulatedChain(1)
    chain.largest_range = 0
    following = follower(chain, tmp_path / "f")
    with pytest.raises(RpcError, match="too many blocks"):
        await following.catch_up(Recorder())
    following.close()


async def test_depth_keeps_a_distance(tmp_path: Path) -> None:
    chain, recorder = SimulatedChain(3), Recorder()
    chain.mine(20)
    following = follower(chain, tmp_path / "f", depth=5)
    await following.catch_up(recorder)
    assert await following.place() == 20 - 4
    assert recorder.logs() == chain.all_logs(through=16)
    chain.reorganise(4, 6)
    await following.catch_up(recorder)
    assert recorder.rollbacks == [-1]  # the one with which each start begins
    following.close()


async def test_start_is_respected(tmp_path: Path) -> None:
    chain, recorder = SimulatedChain(3), Recorder()
    chain.mine(20)
    following = follower(chain, tmp_path / "f", start=15)
    await following.catch_up(recorder)
    assert recorder.logs() == [log for log in chain.all_logs() if log.block_number >= 15]
    following.close()
    later = follower(chain, tmp_path / "g", start=25)
    await later.catch_up(recorder)
    assert await later.place() == 24
    chain.mine(10)
    await later.catch_up(recorder)
    assert await later.place() == 30
    later.close()


async def test_a_reorganisation_deeper_than_the_ring_is_an_error(tmp_path: Path) -> None:
    chain, recorder = SimulatedChain(3), Recorder()
    chain.mine(50)
    following = follower(chain, tmp_path / "f", ring_blocks=8)
    await following.catch_up(recorder)
    chain.reorganise(20, 30)
    with pytest.raises(ReorgTooDeep, match="below block 43") as caught:
        await following.catch_up(recorder)
    assert caught.value.oldest == 43
    following.close()


async def test_a_chain_started_anew_is_read_from_the_start(tmp_path: Path) -> None:
    recorder, path = Recorder(), tmp_path / "f"
    first = SimulatedChain(3)
    first.mine(10)
    following = follower(first, path)
    await following.catch_up(recorder)
    following.close()
    second = SimulatedChain(4)
    second.serial = itertools.count(1000)
    second.blocks, second.contents = [], []
    second.mine(5)
    following = follower(second, path)
    await following.catch_up(recorder)
    assert recorder.rollbacks == [-1, 10, -1]  # two starts, and the change
    assert recorder.logs() == second.all_logs()
    following.close()


async def test_run_waits_out_an_endpoint_that_fails(tmp_path: Path, autojump_clock) -> None:
    chain, recorder = SimulatedChain(5), Recorder()
    chain.mine(10)
    failures = iter(
        [ChainUnreachable("x", "y"), MalformedResponse("x", "y", "z"), RpcError("x", code=1, message="y")]
    )

    def fail() -> None:
        for error in failures:
            raise error

    chain.between = fail
    following = follower(chain, tmp_path / "f")
    with trio.move_on_after(5):
        await following.run(recorder)
    assert recorder.logs() == chain.all_logs()
    with pytest.raises(JournalInUse):
        follower(chain, tmp_path / "f")
    following.close()


async def test_a_real_chain_across_a_restart(endpoint, signer: Signer, tmp_path: Path) -> None:
    recorder = Recorder()
    async with (
        open_chain(endpoint.url) as chain,
        open_sender(
            chain, signer, journal_path=tmp_path / "tx.sqlite", policy=SenderPolicy(poll_seconds=0.1)
        ) as sender,
    ):
        market = await deploy_market(sender, treasury=signer.account, intent="deploy")
        start = await chain.height()
        wanted = LogFilter(addresses=(market.address,))
        for number in range(4):
            if number == 2:  # logs come while nobody follows
                await market.deposit(COIN, 2, intent="unseen")
            following = LogFollower(chain, wanted, path=tmp_path / "follower.sqlite", start=start)
            await market.deposit(COIN, number + 3, intent=f"deposit {number}")
            await following.catch_up(recorder)
            following.close()
        amounts = [int.from_bytes(log.data, "big") for log in recorder.logs()]
        assert amounts == [3, 4, 2, 5, 6]
        assert recorder.applied == 4
        assert len(recorder.rollbacks) == 4
        assert recorder.rollbacks == sorted(recorder.rollbacks)


@pytest.mark.anvil
async def test_a_reorganisation_of_anvil(anvil, new_signer, tmp_path: Path) -> None:
    signer, recorder = new_signer(), Recorder()
    anvil.fund(signer.account)
    policy = SenderPolicy(poll_seconds=0.05, depth=1)
    async with (
        open_chain(anvil.url) as chain,
        open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite", policy=policy) as sender,
    ):
        market = await deploy_market(sender, treasury=signer.account, intent="deploy")
        wanted = LogFilter(addresses=(market.address,))
        following = LogFollower(chain, wanted, path=tmp_path / "follower.sqlite")
        await sender.send("first", Call(market.address, calldata.deposit(COIN, 1), 1))
        height = await chain.height()
        await sender.send("second", Call(market.address, calldata.deposit(COIN, 2), 2))
        await following.catch_up(recorder)
        assert [int.from_bytes(log.data, "big") for log in recorder.logs()] == [1, 2]
        anvil.rpc("anvil_reorg", 1, [])
        await following.catch_up(recorder)
        assert recorder.rollbacks == [-1, height]
        assert [int.from_bytes(log.data, "big") for log in recorder.logs()] == [1]
        following.close()
