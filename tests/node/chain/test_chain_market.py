"""The market client: the life of a request, on every chain at hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import trio

from quorate.contracts import (
    COIN,
    Attestation,
    Bid,
    Deposited,
    Expired,
    Fault,
    Faulted,
    Fulfilled,
    Locked,
    Request,
    RequestState,
    Submitted,
    erc20,
)
from quorate.node.chain import (
    Call,
    MarketClient,
    NoMarket,
    ReadOnly,
    SenderPolicy,
    Signer,
    TransactionReverted,
    deploy_market,
    deploy_token,
    open_chain,
    open_sender,
)

FAST = SenderPolicy(poll_seconds=0.1)
COLLATERAL = 10**15
PRICE = 10**14
TREASURY = bytes(19) + b"\x77"


async def _request(market: MarketClient, requestor: Signer, *, seconds: int = 3600, nonce: int = 1) -> Request:
    now = (await market.chain.latest()).timestamp
    return Request(
        requestor=requestor.account,
        nonce=nonce,
        token=COIN,
        max_price=3 * PRICE,
        collateral=COLLATERAL,
        parties=3,
        threshold=1,
        bid_deadline=now + seconds // 2,
        deadline=now + seconds,
        program=hashlib.sha256(b"program").digest(),
        details=hashlib.sha256(b"details").digest(),
    )


def _bids(market: MarketClient, request: Request, members: list[Signer]) -> tuple[list[Bid], list[bytes]]:
    request_id = request.request_id(market.domain)
    bids = [
        Bid(request_id, member.account, PRICE, bytes([index]) * 32, request.deadline)
        for index, member in enumerate(members, 1)
    ]
    return bids, [member.sign_digest(bid.digest(market.domain)) for member, bid in zip(members, bids, strict=True)]


class World:
    """A market, its requestor, and three members with collateral."""

    def __init__(self, market: MarketClient, requestor: Signer, members: list[Signer]) -> None:
        self.market = market
        self.requestor = requestor
        self.members = members

    async def locked(self) -> tuple[Request, bytes]:
        request = await _request(self.market, self.requestor)
        request_id = request.request_id(self.market.domain)
        submitted = await self.market.submit(request, value=request.max_price, intent="submit")
        assert submitted.events == (Submitted(request_id, self.requestor.account, request.program, request),)
        assert await self.market.state(request_id) is RequestState.SUBMITTED
        assert await self.market.committee(request_id) == ()
        bids, signatures = _bids(self.market, request, self.members)
        locked = await self.market.lock(request, bids, signatures, intent="lock")
        (event,) = locked.events
        assert isinstance(event, Locked)
        assert event.members == tuple(member.account for member in self.members)
        assert await self.market.state(request_id) is RequestState.LOCKED
        committee = await self.market.committee(request_id)
        assert [member.account for member in committee] == [member.account for member in self.members]
        assert {member.price for member in committee} == {PRICE}
        return request, request_id


@pytest.fixture
async def world(endpoint, new_signer, tmp_path: Path, nursery):
    requestor, members = new_signer(), [new_signer() for _ in range(3)]
    for each in [requestor, *members]:
        endpoint.fund(each.account)
    async with (
        open_chain(endpoint.url) as chain,
        open_sender(chain, requestor, journal_path=tmp_path / "requestor", policy=FAST) as sender,
    ):
        market = await deploy_market(sender, treasury=TREASURY, intent="deploy")
        for index, member in enumerate(members):
            path = tmp_path / f"member{index}"
            async with open_sender(chain, member, journal_path=path, policy=FAST) as own:
                client = MarketClient(chain, market.address, sender=own)
                result = await client.deposit(COIN, COLLATERAL, intent="collateral")
                assert result.events == (Deposited(COIN, member.account, COLLATERAL),)
                assert result.gas_used > 21_000
        yield World(market, requestor, members)


async def test_a_request_from_submit_to_payment(world: World) -> None:
    market = world.market
    await market.check()
    assert await market.treasury() == TREASURY
    _, request_id = await world.locked()
    record = await market.record(request_id)
    assert record.requestor == world.requestor.account
    assert record.escrow == 3 * PRICE
    attestation = Attestation(request_id, hashlib.sha256(b"result").digest())
    signatures = [member.sign_digest(attestation.digest(market.domain)) for member in world.members[:2]]
    done = await market.fulfil(request_id, attestation.result_digest, signatures, intent="fulfil")
    assert done.events == (Fulfilled(request_id, attestation.result_digest, 3 * PRICE, (1, 2)),)
    for member in world.members:
        assert await market.free_balance(COIN, member.account) == COLLATERAL + PRICE
    with pytest.raises(TransactionReverted, match="WrongState"):
        await market.expire(request_id, intent="expire")


async def test_a_fault_refunds_and_slashes(world: World) -> None:
    market = world.market
    _, request_id = await world.locked()
    accused = world.members[2].account
    fault = Fault(request_id, accused)
    signatures = [member.sign_digest(fault.digest(market.domain)) for member in world.members[:2]]
    done = await market.report_fault(request_id, accused, signatures, intent="fault")
    assert done.events == (Faulted(request_id, accused, COLLATERAL, (1, 2)),)
    assert await market.state(request_id) is RequestState.FAULTED
    assert await market.free_balance(COIN, accused) == 0
    back = await market.free_balance(COIN, world.requestor.account)
    assert back == 3 * PRICE + COLLATERAL // 2
    await market.withdraw(COIN, back, intent="withdraw")
    assert await market.free_balance(COIN, world.requestor.account) == 0


async def test_a_request_expires_in_real_time(world: World) -> None:
    market = world.market
    request = await _request(market, world.requestor, seconds=5)
    request_id = request.request_id(market.domain)
    await market.submit(request, value=request.max_price, intent="submit")
    with pytest.raises(TransactionReverted, match="DeadlineNotReached"):
        await market.expire(request_id, intent="early")
    while True:
        try:
            done = await market.expire(request_id, intent="expire")
        except TransactionReverted as error:
            assert error.name == "DeadlineNotReached"
            await trio.sleep(0.2)
        else:
            break
    assert done.events == (Expired(request_id, 0),)
    assert await market.state(request_id) is RequestState.EXPIRED


async def test_cancel_and_deploy_again(world: World) -> None:
    market = world.market
    request = await _request(market, world.requestor)
    request_id = request.request_id(market.domain)
    await market.submit(request, value=request.max_price, intent="submit")
    await market.cancel(request_id, intent="cancel")
    assert await market.state(request_id) is RequestState.CANCELLED
    assert market.sender is not None
    again = await deploy_market(market.sender, treasury=TREASURY, intent="deploy")
    assert again.address == market.address


async def test_tokens(world: World) -> None:
    market = world.market
    assert market.sender is not None
    me = world.requestor.account
    token = await deploy_token(market.sender, intent="token")
    await market.sender.send("mint", Call(token, erc20.mint(me, 100)))
    assert await market.token_balance(token, me) == 100
    assert await market.token_balance(COIN, me) == await market.chain.balance(me)
    with pytest.raises(TransactionReverted, match="approve it first"):
        await market.deposit(token, 60, intent="too early")
    await market.approve(token, 60, intent="approve")
    assert await market.allowance(token, me) == 60
    await market.deposit(token, 60, intent="deposit")
    assert await market.free_balance(token, me) == 60


async def test_no_market_at_the_address(endpoint, signer: Signer) -> None:
    async with open_chain(endpoint.url) as chain:
        nobody = MarketClient(chain, bytes(18) + b"\x12\x34")
        with pytest.raises(NoMarket, match="no market at 0x"):
            await nobody.check()
        with pytest.raises(NoMarket):
            await nobody.state(bytes(32))
        with pytest.raises(ReadOnly):
            await nobody.expire(bytes(32), intent="expire")


async def test_another_contract_is_no_market(world: World) -> None:
    assert world.market.sender is not None
    other = MarketClient(world.market.chain, await deploy_token(world.market.sender, intent="token"))
    with pytest.raises(NoMarket):
        await other.check()
    with pytest.raises(NoMarket):
        await other.state(bytes(32))
