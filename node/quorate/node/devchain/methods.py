"""The JSON-RPC methods of the embedded chain: what alysis has, what it lacks, and what it gets wrong.

Errors follow the public nodes: code 3 with the revert data in `error.data`, -32000 for a refused transaction,
-32601 for an unknown method, -32602 for a bad parameter.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from eth.abc import BlockAPI, ReceiptAPI
from eth.exceptions import Revert, VMError
from eth_utils.exceptions import ValidationError
from ethereum_rpc import RPCError

from .evm import EmbeddedChain, TransactionRejected
from .parameters import BadParameter, address, block_number, call_message, data, quantity
from .views import Json, block_logs, hex_bytes, receipt_json, tip_per_gas, transaction_json

CLIENT_VERSION = "quorate-devchain/1"
SUGGESTED_TIP_WEI = 10**9
MAX_LOG_BLOCKS = 10_000
MAX_LOGS = 20_000
MAX_FEE_HISTORY_BLOCKS = 1024
MAX_MINED_BLOCKS = 1000
MAX_CACHED_LOG_BLOCKS = 4096

Params = Sequence[object]
Method = Callable[[Params], object]

# Methods that alysis answers well, with the position of their block parameter, which it wants filled in.
FROM_ALYSIS: dict[str, int | None] = {
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getTransactionCount": 1,
    "eth_getStorageAt": 2,
    "eth_accounts": None,
    "eth_chainId": None,
    "eth_newBlockFilter": None,
    "eth_newPendingTransactionFilter": None,
    "eth_getFilterChanges": None,
    "eth_uninstallFilter": None,
    "net_listening": None,
    "web3_sha3": None,
}


class MethodError(Exception):
    """The error object of a JSON-RPC response: `code`, `message`, and `data` as bytes or None."""

    def __init__(self, code: int, message: str, data: bytes | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class Methods:
    """Every method by name, over one chain; the caller holds the lock."""

    def __init__(self, chain: EmbeddedChain) -> None:
        self._chain = chain
        self._logs_of = functools.lru_cache(MAX_CACHED_LOG_BLOCKS)(self._read_logs)
        self._table: dict[str, Method] = {
            "anvil_mine": self._mine_many,
            "anvil_setBalance": self._set_balance,
            "eth_blockNumber": lambda _: hex(chain.height),
            "eth_call": self._call,
            "eth_estimateGas": self._estimate_gas,
            "eth_feeHistory": self._fee_history,
            "eth_gasPrice": lambda _: hex((chain.chain.header.base_fee_per_gas or 0) + SUGGESTED_TIP_WEI),
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockReceipts": self._block_receipts,
            "eth_getLogs": self._get_logs,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_maxPriorityFeePerGas": lambda _: hex(SUGGESTED_TIP_WEI),
            "eth_sendRawTransaction": lambda params: hex_bytes(chain.send(data(params[0], "transaction"))),
            "eth_syncing": lambda _: False,
            "evm_increaseTime": lambda params: hex(chain.increase_time(quantity(params[0], "seconds"))),
            "evm_mine": self._mine_one,
            "evm_setNextBlockTimestamp": self._set_next_timestamp,
            "net_version": lambda _: str(chain.chain_id),
            "web3_clientVersion": lambda _: CLIENT_VERSION,
        }
        self._table["hardhat_setBalance"] = self._table["anvil_setBalance"]

    def answer(self, method: str, params: Params) -> object:
        """Run a method; MethodError with the code, message and data for the response."""
        try:
            if method in self._table:
                return self._table[method](params)
            if method in FROM_ALYSIS:
                return self._from_alysis(method, params)
        except MethodError:
            raise
        except (BadParameter, IndexError) as error:
            raise MethodError(-32602, f"{method}: {error}") from error
        except Revert as error:
            raise MethodError(3, "execution reverted", _revert_data(error)) from error
        except (VMError, ValidationError, TransactionRejected) as error:
            raise MethodError(-32000, str(error)) from error
        except RPCError as error:
            raise MethodError(error.code, error.message, error.data) from error
        except OSError as error:
            raise MethodError(-32000, f"the state file cannot be written: {error.strerror}") from error
        raise MethodError(-32601, f"the method {method} does not exist")

    def _from_alysis(self, method: str, params: Params) -> object:
        filled: list[Any] = list(params)  # Any: as JSON gave it; alysis checks it
        position = FROM_ALYSIS[method]
        if position is not None:
            address(filled[0], "address")
            tag = filled[position] if len(filled) > position else None
            filled[position:] = [hex(block_number(tag, self._chain.height))]
        return self._chain.reads.rpc(method, *filled)

    def _call(self, params: Params) -> object:
        number = self._optional_block(params, 1)
        return hex_bytes(self._chain.call(call_message(params[0]), number))

    def _estimate_gas(self, params: Params) -> object:
        number = self._optional_block(params, 1)
        return hex(self._chain.estimate_gas(call_message(params[0]), number))

    def _optional_block(self, params: Params, position: int) -> int:
        return block_number(params[position] if len(params) > position else None, self._chain.height)

    def _block(self, number: int) -> tuple[BlockAPI, Sequence[ReceiptAPI]]:
        block = self._chain.block(number)
        return block, block.get_receipts(self._chain.chain.chaindb)

    def _block_by_number(self, params: Params) -> object:
        try:
            number = self._optional_block(params, 0)
        except BadParameter:
            if isinstance(params[0], str):  # a block of the future is null, not an error
                quantity(params[0], "block")
                return None
            raise
        return self._block_view(number, len(params) > 1 and params[1] is True)

    def _block_by_hash(self, params: Params) -> object:
        view = self._chain.reads.rpc("eth_getBlockByHash", hex_bytes(data(params[0], "hash", size=32)), False)
        if not isinstance(view, dict):
            return None
        return self._block_view(quantity(view["number"], "number"), len(params) > 1 and params[1] is True)

    def _block_view(self, number: int, full: bool) -> object:
        view = self._chain.reads.rpc("eth_getBlockByNumber", hex(number), False)
        if full and isinstance(view, dict):
            block, _ = self._block(number)
            count = len(block.transactions)
            return {
                **view,
                "transactions": [transaction_json(block, i, self._chain.chain_id) for i in range(count)],
            }
        return view

    def _block_receipts(self, params: Params) -> object:
        block, receipts = self._block(self._optional_block(params, 0))
        return [receipt_json(block, receipts, index) for index in range(len(block.transactions))]

    def _transaction(self, params: Params) -> object:
        location = self._chain.locations.get(data(params[0], "hash", size=32))
        if location is None:
            return None
        return transaction_json(self._block(location[0])[0], location[1], self._chain.chain_id)

    def _receipt(self, params: Params) -> object:
        location = self._chain.locations.get(data(params[0], "hash", size=32))
        if location is None:
            return None
        block, receipts = self._block(location[0])
        return receipt_json(block, receipts, location[1])

    def _read_logs(self, number: int) -> list[Json]:
        return block_logs(*self._block(number))

    def _get_logs(self, params: Params) -> object:
        wanted = params[0]
        if not isinstance(wanted, dict):
            raise BadParameter("filter: an object is needed")
        first, last = self._log_range(wanted)
        if last - first >= MAX_LOG_BLOCKS:
            raise BadParameter(f"filter: over {MAX_LOG_BLOCKS} blocks")
        addresses = _addresses(wanted.get("address"))
        topics = _topics(wanted.get("topics"))
        found: list[Json] = []
        for number in range(first, last + 1):
            found += [log for log in self._logs_of(number) if _matches(log, addresses, topics)]
            if len(found) > MAX_LOGS:
                raise MethodError(-32005, f"more than {MAX_LOGS} logs; ask for fewer blocks")
        return found

    def _log_range(self, wanted: Json) -> tuple[int, int]:
        height = self._chain.height
        if wanted.get("blockHash") is not None:
            view = self._block_by_hash([wanted["blockHash"]])
            if not isinstance(view, dict):
                raise MethodError(-32000, "unknown block")
            number = quantity(view["number"], "number")
            return number, number
        last = wanted.get("toBlock")
        if isinstance(last, str) and last.startswith("0x"):
            last = hex(min(quantity(last, "toBlock"), height))
        first = wanted.get("fromBlock")
        if isinstance(first, str) and first.startswith("0x") and quantity(first, "fromBlock") > height:
            return 1, 0
        return block_number(first, height), block_number(last, height)

    def _fee_history(self, params: Params) -> object:
        newest = self._optional_block(params, 1)
        count = min(quantity(params[0], "blockCount"), newest + 1, MAX_FEE_HISTORY_BLOCKS)
        percentiles = params[2] if len(params) > 2 and isinstance(params[2], list) else []
        base_fees: list[str] = []
        ratios: list[float] = []
        rewards: list[list[str]] = []
        for number in range(newest - count + 1, newest + 1):
            block, _ = self._block(number)
            base_fee = block.header.base_fee_per_gas or 0
            tips = sorted(tip_per_gas(transaction, base_fee) for transaction in block.transactions) or [0]
            base_fees.append(hex(base_fee))
            ratios.append(block.header.gas_used / block.header.gas_limit)
            rewards.append([hex(tips[_rank(percentile, len(tips))]) for percentile in percentiles])
        following = self._chain.chain.header if newest == self._chain.height else self._block(newest + 1)[0].header
        history: Json = {
            "oldestBlock": hex(newest - count + 1),
            "baseFeePerGas": [*base_fees, hex(following.base_fee_per_gas or 0)],
            "gasUsedRatio": ratios,
        }
        if percentiles:
            history["reward"] = rewards
        return history

    def _mine_one(self, params: Params) -> object:
        if params and params[0] is not None:
            options = params[0]
            self._chain.set_next_timestamp(
                quantity(options.get("timestamp") if isinstance(options, dict) else options, "timestamp")
            )
        self._chain.mine()
        return "0x0"

    def _mine_many(self, params: Params) -> object:
        count = quantity(params[0], "blocks") if params and params[0] is not None else 1
        if count > MAX_MINED_BLOCKS:
            raise BadParameter(f"blocks: at most {MAX_MINED_BLOCKS} at a time")
        for _ in range(count):
            self._chain.mine()
        return None

    def _set_next_timestamp(self, params: Params) -> object:
        timestamp = quantity(params[0], "timestamp")
        self._chain.set_next_timestamp(timestamp)
        return hex(timestamp)

    def _set_balance(self, params: Params) -> object:
        account = address(params[0], "address")
        self._chain.set_balance(hex_bytes(account), quantity(params[1], "balance"))
        return None


def _revert_data(error: Revert) -> bytes:
    payload = error.args[0] if error.args else b""
    return bytes(payload) if isinstance(payload, bytes | bytearray | memoryview) else b""


def _rank(percentile: object, count: int) -> int:
    if not isinstance(percentile, int | float) or not 0 <= percentile <= 100:
        raise BadParameter("rewardPercentiles: numbers from 0 to 100 are needed")
    return min(count - 1, int(percentile * count / 100))


def _addresses(value: object) -> frozenset[str] | None:
    if value is None:
        return None
    given = value if isinstance(value, list) else [value]
    return frozenset(hex_bytes(address(each, "address")) for each in given)


def _topics(value: object) -> list[frozenset[str] | None]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > 4:
        raise BadParameter("topics: a list of at most 4 is needed")
    alternatives: list[frozenset[str] | None] = []
    for topic in value:
        if topic is None:
            alternatives.append(None)
            continue
        given = topic if isinstance(topic, list) else [topic]
        alternatives.append(frozenset(hex_bytes(data(each, "topic", size=32)) for each in given) or None)
    return alternatives


def _matches(log: Json, addresses: frozenset[str] | None, topics: list[frozenset[str] | None]) -> bool:
    if addresses is not None and log["address"] not in addresses:
        return False
    actual = log["topics"]
    assert isinstance(actual, list)
    if len(topics) > len(actual):
        return False
    return all(wanted is None or topic in wanted for wanted, topic in zip(topics, actual, strict=False))
