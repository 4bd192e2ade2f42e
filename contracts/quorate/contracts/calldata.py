"""Calldata of the market's functions, and what its views return.

data = calldata.submit(request)              # the transaction's data
data = calldata.balance_of(token, account)   # the call's data; then decode_amount(returned)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode as decode_abi
from eth_abi.abi import encode as encode_abi

from .address import Address, parse_address
from .artifacts import entries
from .messages import Bid, Request
from .states import RequestState


@dataclass(frozen=True, slots=True)
class Record:
    """What the market keeps of a request; `committee_store` and `collateral` are zero before the lock."""

    requestor: Address
    deadline: int
    parties: int
    threshold: int
    state: RequestState
    token: Address
    escrow: int
    committee_store: Address
    collateral: int


def encode_call(name: str, *arguments: object, contract: str = "QuorateMarket") -> bytes:
    """Calldata of function `name` of `contract`; structs are tuples, addresses 20 bytes."""
    function = entries(contract, "function")[name]
    return function.selector + encode_abi(function.types, arguments)


def decode_result(name: str, data: bytes, *, contract: str = "QuorateMarket") -> tuple[Any, ...]:
    """What function `name` returned, as eth_abi gives it: addresses are lower-case strings."""
    return decode_abi(entries(contract, "function")[name].outputs, data)


def deposit(token: Address, amount: int) -> bytes:
    """deposit; for the coin, the transaction's value is `amount` too."""
    return encode_call("deposit", token, amount)


def withdraw(token: Address, amount: int) -> bytes:
    """withdraw; only the sender's own free balance."""
    return encode_call("withdraw", token, amount)


def submit(request: Request) -> bytes:
    """submit; for the coin, the transaction's value is up to max_price and the free balance pays the rest."""
    return encode_call("submit", Request.TYPE.values(request))


def cancel(request_id: bytes) -> bytes:
    """cancel; only by the requestor, only before the lock."""
    return encode_call("cancel", request_id)


def lock(request: Request, bids: Sequence[Bid], signatures: Sequence[bytes]) -> bytes:
    """lock; bid i is party i + 1, with its member's signature at the same place."""
    return encode_call("lock", Request.TYPE.values(request), [Bid.TYPE.values(bid) for bid in bids], signatures)


def fulfil(request_id: bytes, result_digest: bytes, signatures: Sequence[bytes]) -> bytes:
    """fulfil; t+1 or more attestations, in any order."""
    return encode_call("fulfil", request_id, result_digest, signatures)


def report_fault(request_id: bytes, accused: Address, signatures: Sequence[bytes]) -> bytes:
    """reportFault; t+1 or more faults signed by members other than `accused`; zero accuses nobody."""
    return encode_call("reportFault", request_id, accused, signatures)


def expire(request_id: bytes) -> bytes:
    """expire; by anyone, after the deadline."""
    return encode_call("expire", request_id)


def balance_of(token: Address, account: Address) -> bytes:
    """balanceOf: the free balance; read the answer with `decode_amount`."""
    return encode_call("balanceOf", token, account)


def request_state(request_id: bytes) -> bytes:
    """requestState; read the answer with `decode_state`."""
    return encode_call("requestState", request_id)


def record(request_id: bytes) -> bytes:
    """record; read the answer with `decode_record`."""
    return encode_call("record", request_id)


def committee(request_id: bytes) -> bytes:
    """committee; read the answer with `decode_committee`."""
    return encode_call("committee", request_id)


def treasury() -> bytes:
    """treasury; read the answer with `decode_address`."""
    return encode_call("treasury")


def domain_fields() -> bytes:
    """eip712Domain (ERC-5267); tells whether an address holds a market. Read it with `decode_domain`."""
    return encode_call("eip712Domain")


def decode_amount(data: bytes) -> int:
    """The one uint256 in `data`, for example of balance_of."""
    amount: int = decode_abi(["uint256"], data)[0]
    return amount


def decode_address(data: bytes) -> Address:
    """The one address in `data`."""
    return parse_address(decode_abi(["address"], data)[0])


def decode_state(data: bytes) -> RequestState:
    """The answer to request_state."""
    return RequestState(decode_amount(data))


def decode_record(data: bytes) -> Record:
    """The answer to record; all zero for a request that was never submitted."""
    (fields,) = decode_result("record", data)
    requestor, deadline, parties, threshold, state, token, escrow, store, collateral = fields
    return Record(
        requestor=parse_address(requestor),
        deadline=deadline,
        parties=parties,
        threshold=threshold,
        state=RequestState(state),
        token=parse_address(token),
        escrow=escrow,
        committee_store=parse_address(store),
        collateral=collateral,
    )


def decode_committee(data: bytes) -> tuple[tuple[Address, ...], tuple[int, ...]]:
    """The members in the order of the parties and their prices, from the answer to committee."""
    members, prices = decode_result("committee", data)
    return tuple(parse_address(member) for member in members), tuple(prices)


def decode_domain(data: bytes) -> tuple[str, str, int, Address]:
    """Name, version, chain id and contract of the EIP-712 domain, from the answer to domain_fields."""
    _, name, version, chain_id, contract, _, _ = decode_result("eip712Domain", data)
    return name, version, chain_id, parse_address(contract)
