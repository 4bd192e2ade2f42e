"""The JSON of transactions, receipts and logs as the execution API defines it.

alysis has these too, but it cannot show the creation of a contract, and finds a transaction by walking the chain.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth._utils.address import generate_contract_address
from eth.abc import BlockAPI, LogAPI, ReceiptAPI, SignedTransactionAPI
from eth.vm.forks.berlin.transactions import TypedTransaction

Json = dict[str, object]


def hex_bytes(value: bytes) -> str:
    """0x-hex of bytes."""
    return "0x" + bytes(value).hex()


def transaction_type(transaction: SignedTransactionAPI) -> int:
    """The EIP-2718 type; 0 for a legacy transaction."""
    return int(transaction.type_id or 0) if isinstance(transaction, TypedTransaction) else 0


def tip_per_gas(transaction: SignedTransactionAPI, base_fee: int) -> int:
    """What the transaction pays per gas above the base fee, in wei."""
    return min(transaction.max_priority_fee_per_gas, transaction.max_fee_per_gas - base_fee)


def transaction_json(block: BlockAPI, index: int, chain_id: int) -> Json:
    """A mined transaction."""
    transaction = block.transactions[index]
    kind = transaction_type(transaction)
    view: Json = {
        "blockHash": hex_bytes(block.hash),
        "blockNumber": hex(block.number),
        "chainId": hex(chain_id),
        "from": hex_bytes(transaction.sender),
        "gas": hex(transaction.gas),
        "gasPrice": hex(_effective_price(block, transaction)),
        "hash": hex_bytes(transaction.hash),
        "input": hex_bytes(transaction.data),
        "nonce": hex(transaction.nonce),
        "r": hex(transaction.r),
        "s": hex(transaction.s),
        "to": hex_bytes(transaction.to) if transaction.to else None,
        "transactionIndex": hex(index),
        "type": hex(kind),
        "v": hex(transaction.y_parity if kind else transaction.y_parity + 35 + 2 * chain_id),
        "value": hex(transaction.value),
    }
    if kind >= 2:
        view["maxFeePerGas"] = hex(transaction.max_fee_per_gas)
        view["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    return view


def receipt_json(block: BlockAPI, receipts: Sequence[ReceiptAPI], index: int) -> Json:
    """The receipt of the `index`-th transaction of `block`."""
    transaction, receipt = block.transactions[index], receipts[index]
    gas_before = receipts[index - 1].gas_used if index else 0
    logs_before = sum(len(earlier.logs) for earlier in receipts[:index])
    created = None
    if not transaction.to:
        created = hex_bytes(generate_contract_address(transaction.sender, transaction.nonce))
    return {
        "blockHash": hex_bytes(block.hash),
        "blockNumber": hex(block.number),
        "contractAddress": created,
        "cumulativeGasUsed": hex(receipt.gas_used),
        "effectiveGasPrice": hex(_effective_price(block, transaction)),
        "from": hex_bytes(transaction.sender),
        "gasUsed": hex(receipt.gas_used - gas_before),
        "logs": [log_json(block, index, log, logs_before + position) for position, log in enumerate(receipt.logs)],
        "logsBloom": hex_bytes(receipt.bloom.to_bytes(256, "big")),
        "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
        "to": hex_bytes(transaction.to) if transaction.to else None,
        "transactionHash": hex_bytes(transaction.hash),
        "transactionIndex": hex(index),
        "type": hex(transaction_type(transaction)),
    }


def log_json(block: BlockAPI, transaction_index: int, log: LogAPI, log_index: int) -> Json:
    """One log; `log_index` counts within the block."""
    return {
        "address": hex_bytes(log.address),
        "blockHash": hex_bytes(block.hash),
        "blockNumber": hex(block.number),
        "blockTimestamp": hex(block.header.timestamp),
        "data": hex_bytes(log.data),
        "logIndex": hex(log_index),
        "removed": False,
        "topics": [hex_bytes(topic.to_bytes(32, "big")) for topic in log.topics],
        "transactionHash": hex_bytes(block.transactions[transaction_index].hash),
        "transactionIndex": hex(transaction_index),
    }


def block_logs(block: BlockAPI, receipts: Sequence[ReceiptAPI]) -> list[Json]:
    """Every log of a block, in order."""
    logs: list[Json] = []
    for index, receipt in enumerate(receipts):
        for log in receipt.logs:
            logs.append(log_json(block, index, log, len(logs)))
    return logs


def _effective_price(block: BlockAPI, transaction: SignedTransactionAPI) -> int:
    base_fee = block.header.base_fee_per_gas or 0
    return base_fee + tip_per_gas(transaction, base_fee)
