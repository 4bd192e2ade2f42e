"""A chain in this process (revm) with a market, a token, a requestor and five members."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from quorate.contracts import (
    COIN,
    Bid,
    ContractError,
    Domain,
    MarketEvent,
    Request,
    account_of,
    calldata,
    checksum,
    decode_event,
    decode_revert,
    erc20,
    market_deployment,
    parse_address,
    sign,
    token_deployment,
)

try:
    import pyrevm
except ModuleNotFoundError:  # it has no wheels for Python 3.13; the chain room runs the same contract on py-evm
    pyrevm = None

CHAIN_ID = 31337
START = 1_800_000_000
COLLATERAL = 301
PRICES = (100, 110, 120, 130, 140)
TREASURY = bytes.fromhex("7e" * 20)


@dataclass
class Chain:
    """One market on one chain; `keys[0]` is the requestor's, the others are the members'."""

    keys: list[bytes] = field(default_factory=lambda: [bytes([index]) * 32 for index in range(1, 7)])
    evm: Any = None
    market: bytes = b""
    token: bytes = b""
    events: list[MarketEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.evm = pyrevm.EVM(env=pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=CHAIN_ID)))
        self.at(START)
        for key in self.keys:
            self.evm.set_balance(checksum(account_of(key)), 10**9)
        creator = checksum(account_of(self.keys[0]))
        self.market = parse_address(checksum_of(self.evm.deploy(creator, market_deployment(TREASURY))))
        self.token = parse_address(checksum_of(self.evm.deploy(creator, token_deployment())))
        for key in self.keys:
            self.send(key, erc20.mint(account_of(key), 10**6), to=self.token)
            self.send(key, erc20.approve(self.market, 10**6), to=self.token)

    @property
    def domain(self) -> Domain:
        return Domain(CHAIN_ID, self.market)

    @property
    def requestor(self) -> bytes:
        return self.keys[0]

    @property
    def members(self) -> list[bytes]:
        return self.keys[1:]

    def at(self, timestamp: int) -> None:
        self.evm.set_block_env(pyrevm.BlockEnv(timestamp=timestamp, number=1))

    def send(self, key: bytes, data: bytes, *, value: int = 0, to: bytes | None = None) -> bytes:
        """Call as `key`'s account and return what came back; a refusal raises its ContractError."""
        target = self.market if to is None else to
        sender = checksum(account_of(key))
        try:
            returned = self.evm.message_call(sender, checksum(target), calldata=data, value=value)
        except RuntimeError as error:
            match = re.search(r"output: 0x([0-9a-f]*)", str(error))
            assert match is not None, error
            raise decode_revert(match[1]) from None
        if target == self.market:
            self.events += [
                decode_event(log_of(each)) for each in self.evm.result.logs if is_from(each, self.market)
            ]
        return bytes(returned)

    def balance(self, key: bytes, token: bytes = COIN) -> int:
        return calldata.decode_amount(self.send(self.requestor, calldata.balance_of(token, account_of(key))))

    def request(self, **changes: Any) -> Request:
        values = {
            "requestor": account_of(self.requestor),
            "nonce": 1,
            "token": COIN,
            "max_price": 1000,
            "collateral": COLLATERAL,
            "parties": 5,
            "threshold": 2,
            "bid_deadline": START + 100,
            "deadline": START + 1000,
            "program": b"\x11" * 32,
            "details": b"\x22" * 32,
        }
        return Request(**{**values, **changes})

    def bids(self, request: Request) -> list[Bid]:
        request_id = request.request_id(self.domain)
        return [
            Bid(request_id, account_of(key), price, bytes([price]) * 32, START + 50)
            for key, price in zip(self.members, PRICES, strict=True)
        ]

    def sign_bids(self, bids: list[Bid]) -> list[bytes]:
        return [sign(bid.digest(self.domain), key) for bid, key in zip(bids, self.members, strict=True)]

    def locked(self, **changes: Any) -> tuple[Request, bytes]:
        """A request whose committee is bound, and its id."""
        request = self.request(**changes)
        for key in self.members:
            value = 0 if request.token != COIN else request.collateral
            self.send(key, calldata.deposit(request.token, request.collateral), value=value)
        value = 0 if request.token != COIN else request.max_price
        request_id = self.send(self.requestor, calldata.submit(request), value=value)
        bids = self.bids(request)
        self.send(self.requestor, calldata.lock(request, bids, self.sign_bids(bids)))
        return request, request_id

    def refusal(self, key: bytes, data: bytes, *, value: int = 0) -> ContractError:
        with pytest.raises(ContractError) as caught:
            self.send(key, data, value=value)
        return caught.value


def checksum_of(text: str) -> str:
    return checksum(bytes.fromhex(text.removeprefix("0x")))


def is_from(log: Any, contract: bytes) -> bool:
    return bytes.fromhex(log.address.removeprefix("0x")) == contract


def log_of(log: Any) -> Mapping[str, Any]:
    return {"topics": log.topics, "data": bytes(log.data[1])}


@pytest.fixture
def chain() -> Chain:
    if pyrevm is None:
        pytest.skip("pyrevm, which has no wheels for Python 3.13, is not installed")
    return Chain()
