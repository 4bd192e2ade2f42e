"""The chain as the rest of the node sees it: one endpoint, checked to be of the right chain, with typed answers.

    async with open_chain(url, expected_chain_id=31337) as chain:
        block = await chain.block("latest")

`chain.web3` is an AsyncWeb3 over the same connection, for those who want its contract objects; the node's own
code talks through the typed methods, which cost one request each.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import trio

from .errors import MalformedResponse, WrongChain
from .rpc import REQUEST_TIMEOUT_SECONDS, RpcClient
from .values import (
    BadValue,
    Block,
    Log,
    Receipt,
    hex_data,
    parse_block,
    parse_logs,
    parse_receipt,
    quantity,
    to_hex,
)

if TYPE_CHECKING:
    from web3 import AsyncWeb3

MAX_LOGS = 20_000
FIRST_POLL_SECONDS = 0.05
MAX_POLL_SECONDS = 2.0

BlockTag = Literal["latest", "pending", "finalized", "safe", "earliest"]
T = TypeVar("T")


class Chain:
    """An endpoint of chain `chain_id`; every method is one request, unless it says otherwise."""

    def __init__(self, client: RpcClient, chain_id: int) -> None:
        self.client = client
        self.chain_id = chain_id

    @property
    def url(self) -> str:
        """Where the endpoint is, without access keys."""
        return self.client.display_url

    @cached_property
    def web3(self) -> AsyncWeb3[Any]:
        """An AsyncWeb3 over this connection, without middleware; web3 is imported when this is first used."""
        from .async_web3 import connect

        return connect(self.client)

    async def request(self, method: str, *params: object) -> Any:  # Any: JSON, checked by who asks
        """The raw result of one call; ChainUnreachable, RpcError or MalformedResponse."""
        return await self.client.request(method, *params)

    async def _read(self, parse: Callable[[Any], T], method: str, *params: object) -> T:
        result = await self.request(method, *params)
        try:
            return parse(result)
        except BadValue as error:
            raise MalformedResponse(self.url, method, str(error)) from None

    async def height(self) -> int:
        """The number of the latest block."""
        return await self._read(quantity, "eth_blockNumber")

    async def finalized(self, depth: int) -> int:
        """The number of the newest block under which `depth - 1` others lie on top; -1 if there is none yet."""
        return await self.height() - (depth - 1)

    async def block(self, which: int | BlockTag = "latest") -> Block | None:
        """A block's header by number or tag, or None if there is no such block."""

        def parse(value: Any) -> Block | None:
            return parse_block(value) if value is not None else None

        return await self._read(parse, "eth_getBlockByNumber", _tag(which), False)

    async def latest(self) -> Block:
        """The latest block's header."""
        return await self._read(parse_block, "eth_getBlockByNumber", "latest", False)

    async def balance(self, account: bytes, which: int | BlockTag = "latest") -> int:
        """The account's coins in wei."""
        return await self._read(quantity, "eth_getBalance", to_hex(account), _tag(which))

    async def nonce(self, account: bytes, which: int | BlockTag = "latest") -> int:
        """How many transactions the account has in blocks; with those in the pool for "pending"."""
        return await self._read(quantity, "eth_getTransactionCount", to_hex(account), _tag(which))

    async def code(self, account: bytes) -> bytes:
        """The contract at an address; empty if there is none."""
        return await self._read(hex_data, "eth_getCode", to_hex(account), "latest")

    async def call(
        self,
        to: bytes,
        data: bytes,
        *,
        sender: bytes | None = None,
        value: int = 0,
        which: int | BlockTag = "latest",
    ) -> bytes:
        """What a contract returns; RpcError with the revert data if it refuses."""
        message = call_object(to=to, data=data, sender=sender, value=value)
        return await self._read(hex_data, "eth_call", message, _tag(which))

    async def logs(
        self,
        *,
        first: int,
        last: int,
        addresses: Sequence[bytes] = (),
        topics: Sequence[Sequence[bytes] | None] = (),
    ) -> tuple[Log, ...]:
        """The logs of blocks `first`..`last` that match; `topics` has alternatives by position, None for any."""
        wanted: dict[str, object] = {"fromBlock": hex(first), "toBlock": hex(last)}
        if addresses:
            wanted["address"] = [to_hex(address) for address in addresses]
        if topics:
            wanted["topics"] = [each if each is None else [to_hex(topic) for topic in each] for each in topics]
        return await self._read(lambda value: parse_logs(value, MAX_LOGS), "eth_getLogs", wanted)

    async def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """The receipt of a mined transaction, or None while it is not in a block."""

        found = await self.receipt_with_json(transaction_hash)
        return found[0] if found is not None else None

    async def receipt_with_json(self, transaction_hash: bytes) -> tuple[Receipt, str] | None:
        """The receipt with its JSON as the endpoint gave it, for a journal."""

        def parse(value: Any) -> tuple[Receipt, str] | None:
            return (parse_receipt(value), json.dumps(value)) if value is not None else None

        found = await self._read(parse, "eth_getTransactionReceipt", to_hex(transaction_hash))
        if found is not None and found[0].transaction_hash != transaction_hash:
            raise MalformedResponse(self.url, "eth_getTransactionReceipt", "it is of another transaction")
        return found

    async def knows(self, transaction_hash: bytes) -> bool:
        """Whether the endpoint has the transaction, in its pool or in a block."""
        return await self.request("eth_getTransactionByHash", to_hex(transaction_hash)) is not None

    async def wait_for_receipt(self, transaction_hash: bytes, *, depth: int = 1) -> Receipt:
        """Poll until the transaction is mined under `depth - 1` further blocks, and still in the chain then.

        Bound it with a cancel scope: a transaction that was dropped never comes.
        """
        delay = FIRST_POLL_SECONDS
        while True:
            receipt = await self.receipt(transaction_hash)
            if receipt is not None and await self.is_settled(receipt, depth=depth):
                return receipt
            await trio.sleep(delay)
            delay = min(2 * delay, MAX_POLL_SECONDS)

    async def is_settled(self, receipt: Receipt, *, depth: int) -> bool:
        """Whether the receipt's block has `depth - 1` others on top and is in the chain; two requests."""
        if receipt.block_number > await self.finalized(depth):
            return False
        block = await self.block(receipt.block_number)
        return block is not None and block.hash == receipt.block_hash

    async def estimate_gas(self, *, sender: bytes, to: bytes | None, data: bytes, value: int) -> int:
        """Gas that a transaction needs on top of the pending ones; RpcError with revert data if it would fail."""
        message = call_object(to=to, data=data, sender=sender, value=value)
        return await self._read(quantity, "eth_estimateGas", message, "pending")

    async def send_raw(self, raw: bytes) -> bytes:
        """Hand a signed transaction to the endpoint; its hash. RpcError if it is refused."""
        return await self._read(lambda value: hex_data(value, size=32), "eth_sendRawTransaction", to_hex(raw))


def call_object(*, to: bytes | None, data: bytes, sender: bytes | None, value: int) -> dict[str, object]:
    """The object that eth_call and eth_estimateGas take."""
    message: dict[str, object] = {"data": to_hex(data)}
    if to is not None:
        message["to"] = to_hex(to)
    if sender is not None:
        message["from"] = to_hex(sender)
    if value:
        message["value"] = hex(value)
    return message


def _tag(which: int | BlockTag) -> str:
    return hex(which) if isinstance(which, int) else which


@asynccontextmanager
async def open_chain(
    url: str, *, expected_chain_id: int | None = None, timeout_seconds: float = REQUEST_TIMEOUT_SECONDS
) -> AsyncIterator[Chain]:
    """Connect to `url` and check its chain id, once.

    ChainUnreachable if nothing answers, WrongChain if `expected_chain_id` is given and another one answers.
    """
    client = RpcClient(url, timeout_seconds=timeout_seconds)
    try:
        try:
            actual = quantity(await client.request("eth_chainId"))
        except BadValue as error:
            raise MalformedResponse(client.display_url, "eth_chainId", str(error)) from None
        if expected_chain_id is not None and actual != expected_chain_id:
            raise WrongChain(client.display_url, expected=expected_chain_id, actual=actual)
        yield Chain(client, actual)
    finally:
        with trio.move_on_after(1) as scope:
            scope.shield = True
            await client.aclose()
