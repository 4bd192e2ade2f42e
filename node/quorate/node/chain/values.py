"""Blocks, logs and receipts as the chain's endpoint gives them, checked and bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_TOPICS = 4
MAX_LOG_BYTES = 1 << 20
MAX_RECEIPT_LOGS = 4096

ParsedJson = Any  # what json.loads gives; every reader below checks what it takes


class BadValue(ValueError):
    """A field of an answer that is absent, or of another form than the execution API says."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header: `timestamp` in Unix seconds, `base_fee` in wei per gas (0 where there is none)."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    base_fee: int


@dataclass(frozen=True, slots=True)
class Log:
    """One log and where it was mined; (block_hash, log_index) names it for ever."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int

    def as_mapping(self) -> Mapping[str, Any]:
        """The form that `quorate.contracts.decode_event` takes."""
        return {"topics": self.topics, "data": self.data}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a mined transaction; `created` is the new contract's address, or None."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    gas_price: int
    created: bytes | None
    logs: tuple[Log, ...]


def quantity(value: ParsedJson) -> int:
    """A non-negative integer from 0x-hex."""
    if not isinstance(value, str) or not value.startswith("0x") or len(value) > 66:
        raise BadValue("a quantity is absent or not 0x-hex")
    try:
        return int(value[2:], 16)
    except ValueError:
        raise BadValue("a quantity is not 0x-hex") from None


def hex_data(value: ParsedJson, *, size: int | None = None) -> bytes:
    """Bytes from 0x-hex; exactly `size` of them if given, else at most MAX_LOG_BYTES."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise BadValue("data is absent or not 0x-hex")
    try:
        data = bytes.fromhex(value[2:])
    except ValueError:
        raise BadValue("data is not 0x-hex") from None
    if len(data) != size if size is not None else len(data) > MAX_LOG_BYTES:
        raise BadValue(f"data has {len(data)} bytes")
    return data


def _fields(value: ParsedJson) -> dict[str, ParsedJson]:
    if not isinstance(value, dict):
        raise BadValue("it is not an object")
    return value


def _items(value: ParsedJson, most: int) -> list[ParsedJson]:
    if not isinstance(value, list) or len(value) > most:
        raise BadValue(f"it is not a list of at most {most}")
    return value


def parse_block(value: ParsedJson) -> Block:
    """A mined block; BadValue if a field is wrong."""
    fields = _fields(value)
    base_fee = fields.get("baseFeePerGas")
    return Block(
        number=quantity(fields.get("number")),
        hash=hex_data(fields.get("hash"), size=32),
        parent_hash=hex_data(fields.get("parentHash"), size=32),
        timestamp=quantity(fields.get("timestamp")),
        base_fee=quantity(base_fee) if base_fee is not None else 0,
    )


def parse_log(value: ParsedJson) -> Log:
    """A mined log; BadValue if a field is wrong."""
    fields = _fields(value)
    return Log(
        address=hex_data(fields.get("address"), size=20),
        topics=tuple(hex_data(topic, size=32) for topic in _items(fields.get("topics"), MAX_TOPICS)),
        data=hex_data(fields.get("data")),
        block_number=quantity(fields.get("blockNumber")),
        block_hash=hex_data(fields.get("blockHash"), size=32),
        transaction_hash=hex_data(fields.get("transactionHash"), size=32),
        log_index=quantity(fields.get("logIndex")),
    )


def parse_logs(value: ParsedJson, most: int) -> tuple[Log, ...]:
    """At most `most` logs; BadValue if there are more, or a field is wrong."""
    return tuple(parse_log(log) for log in _items(value, most))


def parse_receipt(value: ParsedJson) -> Receipt:
    """A receipt; BadValue if a field is wrong."""
    fields = _fields(value)
    created, price = fields.get("contractAddress"), fields.get("effectiveGasPrice")
    return Receipt(
        transaction_hash=hex_data(fields.get("transactionHash"), size=32),
        block_number=quantity(fields.get("blockNumber")),
        block_hash=hex_data(fields.get("blockHash"), size=32),
        succeeded=quantity(fields.get("status")) == 1,
        gas_used=quantity(fields.get("gasUsed")),
        gas_price=quantity(price) if price is not None else 0,
        created=hex_data(created, size=20) if created is not None else None,
        logs=parse_logs(fields.get("logs"), MAX_RECEIPT_LOGS),
    )


def to_hex(data: bytes) -> str:
    """0x-hex of bytes, as parameters want it."""
    return "0x" + data.hex()
