"""The market contract: reads straight from the chain, writes through the transaction sender.

    market = MarketClient(chain, address, sender=sender)
    await market.submit(request, value=request.max_price, intent=f"submit {request_id.hex()}")
    state = await market.state(request_id)

Every write takes the intent id under which it happens once; see `sender` for what it waits for and raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from eth_abi.exceptions import DecodingError

from quorate.contracts import (
    COIN,
    Bid,
    ContractError,
    Domain,
    MarketEvent,
    Record,
    Request,
    RequestState,
    UnknownEvent,
    calldata,
    checksum,
    decode_event,
    decode_revert,
    erc20,
    market_deployment,
    token_deployment,
)

from .errors import MalformedResponse, NoMarket, ReadOnly, RpcError
from .journal import Call
from .provider import Chain
from .sender import EXECUTION_REVERTED_CODE, TransactionSender
from .values import Log, Receipt

T = TypeVar("T")

MARKET_NAME = "Quorate Market"


@dataclass(frozen=True, slots=True)
class TransactionResult:
    """What a write did: its hash, the gas it used, its block, and the market's events in it, in order."""

    hash: bytes
    gas_used: int
    block_number: int
    events: tuple[MarketEvent, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a committee and its price; its place in the committee is its party number."""

    account: bytes
    price: int


class MarketClient:
    """One market on one chain. Without a sender it only reads."""

    def __init__(self, chain: Chain, address: bytes, *, sender: TransactionSender | None = None) -> None:
        self.chain = chain
        self.address = address
        self.sender = sender

    @property
    def domain(self) -> Domain:
        """The EIP-712 domain under which requests, bids, attestations and faults are signed."""
        return Domain(self.chain.chain_id, self.address)

    async def check(self) -> None:
        """Raise NoMarket unless there is a market of this version at the address."""
        try:
            name, version, chain_id, contract = await self._read(calldata.decode_domain, calldata.domain_fields())
        except ContractError:
            raise NoMarket(checksum(self.address), self.chain.url) from None
        if (name, version, chain_id, contract) != (MARKET_NAME, "1", self.chain.chain_id, self.address):
            raise NoMarket(checksum(self.address), self.chain.url)

    # --- reads

    async def state(self, request_id: bytes) -> RequestState:
        """Where a request stands."""
        return await self._read(calldata.decode_state, calldata.request_state(request_id))

    async def record(self, request_id: bytes) -> Record:
        """What the market keeps of a request; all zero if it was never submitted."""
        return await self._read(calldata.decode_record, calldata.record(request_id))

    async def committee(self, request_id: bytes) -> tuple[Member, ...]:
        """The members of a locked request, party 1 first; empty before the lock."""
        accounts, prices = await self._read(calldata.decode_committee, calldata.committee(request_id))
        return tuple(Member(account, price) for account, price in zip(accounts, prices, strict=True))

    async def free_balance(self, token: bytes, account: bytes) -> int:
        """What the account may withdraw, or use as collateral."""
        return await self._read(calldata.decode_amount, calldata.balance_of(token, account))

    async def treasury(self) -> bytes:
        """Who gets the half of slashed collateral that the requestor does not."""
        return await self._read(calldata.decode_address, calldata.treasury())

    async def allowance(self, token: bytes, owner: bytes) -> int:
        """How much of an ERC-20 the market may pull from its owner."""
        data = erc20.allowance(owner, self.address)
        return await self._read(calldata.decode_amount, data, to=token)

    async def token_balance(self, token: bytes, account: bytes) -> int:
        """What an account holds outside of the market; of the coin, in wei."""
        if token == COIN:
            return await self.chain.balance(account)
        return await self._read(calldata.decode_amount, erc20.balance_of(account), to=token)

    async def _read(self, decode: Callable[[bytes], T], data: bytes, *, to: bytes | None = None) -> T:
        """Call a view; none of the market's reverts or returns nothing, so what does is no market."""
        target = to if to is not None else self.address
        try:
            return decode(await self.chain.call(target, data))
        except RpcError as error:
            if error.data:
                raise decode_revert(error.data) from None
            if error.code != EXECUTION_REVERTED_CODE and "revert" not in error.message.lower():
                raise
        except (DecodingError, ValueError):
            pass
        raise NoMarket(checksum(target), self.chain.url) from None

    # --- writes

    async def deposit(self, token: bytes, amount: int, *, intent: str) -> TransactionResult:
        """Add to our free balance; an ERC-20 must be approved first."""
        return await self._send(intent, calldata.deposit(token, amount), amount if token == COIN else 0)

    async def withdraw(self, token: bytes, amount: int, *, intent: str) -> TransactionResult:
        """Take from our free balance."""
        return await self._send(intent, calldata.withdraw(token, amount))

    async def approve(self, token: bytes, amount: int, *, intent: str) -> TransactionResult:
        """Let the market pull up to `amount` of an ERC-20 from us."""
        return await self._send(intent, erc20.approve(self.address, amount), to=token)

    async def submit(self, request: Request, *, value: int = 0, intent: str) -> TransactionResult:
        """Escrow the most that a request may cost; `value` wei go with it, the free balance pays the rest."""
        return await self._send(intent, calldata.submit(request), value)

    async def cancel(self, request_id: bytes, *, intent: str) -> TransactionResult:
        """Take a request back before it is locked."""
        return await self._send(intent, calldata.cancel(request_id))

    async def lock(
        self, request: Request, bids: Sequence[Bid], signatures: Sequence[bytes], *, intent: str
    ) -> TransactionResult:
        """Bind the committee of these bids, party 1 first; bid i with signature i."""
        return await self._send(intent, calldata.lock(request, bids, signatures))

    async def fulfil(
        self, request_id: bytes, result_digest: bytes, signatures: Sequence[bytes], *, intent: str
    ) -> TransactionResult:
        """Have the committee paid for the result that t+1 or more members attest."""
        return await self._send(intent, calldata.fulfil(request_id, result_digest, signatures))

    async def report_fault(
        self, request_id: bytes, accused: bytes, signatures: Sequence[bytes], *, intent: str
    ) -> TransactionResult:
        """End a request on the word of t+1 or more members; the zero address accuses nobody."""
        return await self._send(intent, calldata.report_fault(request_id, accused, signatures))

    async def expire(self, request_id: bytes, *, intent: str) -> TransactionResult:
        """End a request whose deadline is over."""
        return await self._send(intent, calldata.expire(request_id))

    async def _send(
        self, intent: str, data: bytes, value: int = 0, *, to: bytes | None = None
    ) -> TransactionResult:
        if self.sender is None:
            raise ReadOnly(intent)
        receipt = await self.sender.send(intent, Call(to if to is not None else self.address, data, value))
        return self.result_of(receipt)

    def result_of(self, receipt: Receipt) -> TransactionResult:
        """A receipt with its market events decoded."""
        return TransactionResult(
            hash=receipt.transaction_hash,
            gas_used=receipt.gas_used,
            block_number=receipt.block_number,
            events=tuple(event for event in map(self.event_of, receipt.logs) if event is not None),
        )

    def event_of(self, log: Log) -> MarketEvent | None:
        """The market's event in a log; None for a log of another contract, or of an event we do not know."""
        if log.address != self.address:
            return None
        try:
            return decode_event(log.as_mapping())
        except UnknownEvent:
            return None


async def deploy_market(sender: TransactionSender, *, treasury: bytes, intent: str) -> MarketClient:
    """Create a market; the same intent gives the same market again."""
    return MarketClient(sender.chain, await _deploy(sender, market_deployment(treasury), intent), sender=sender)


async def deploy_token(sender: TransactionSender, *, intent: str) -> bytes:
    """Create a TestToken, for development chains; its address."""
    return await _deploy(sender, token_deployment(), intent)


async def _deploy(sender: TransactionSender, data: bytes, intent: str) -> bytes:
    receipt = await sender.send(intent, Call(None, data))
    if receipt.created is None:
        raise MalformedResponse(sender.chain.url, "eth_getTransactionReceipt", "it names no created contract")
    return receipt.created
