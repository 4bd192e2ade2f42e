"""The market's events: logs of the chain to frozen dataclasses.

A log is a mapping with `topics` and `data`, as eth_getLogs gives it (hexadecimal strings) or as web3 does (bytes).
Where it was mined (block, transaction, index) stays with the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, cast

from eth_abi.abi import decode as decode_abi

from .address import Address, Digest, parse_address
from .artifacts import Entry, entries
from .errors import MalformedLog, UnknownEvent
from .messages import Request


@dataclass(frozen=True, slots=True)
class Deposited:
    """`amount` of `token` arrived and belongs to `account`."""

    token: Address
    account: Address
    amount: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """`amount` of `token` left for `account`."""

    token: Address
    account: Address
    amount: int


@dataclass(frozen=True, slots=True)
class Submitted:
    """`request` exists and its maximal price is in escrow."""

    request_id: Digest
    requestor: Address
    program: Digest
    request: Request


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The requestor took the request back."""

    request_id: Digest


@dataclass(frozen=True, slots=True)
class Locked:
    """The committee is bound: party i is members[i - 1], paid prices[i - 1], reached by peer_keys[i - 1]."""

    request_id: Digest
    members: tuple[Address, ...]
    prices: tuple[int, ...]
    peer_keys: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Fulfilled:
    """The result is attested by the parties `signers` (1..n) and `paid` is the sum of the prices."""

    request_id: Digest
    result_digest: Digest
    paid: int
    signers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Faulted:
    """The parties `reporters` named `accused`, which lost `slashed`; a zero accused is nobody: a client failed."""

    request_id: Digest
    accused: Address
    slashed: int
    reporters: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Expired:
    """The deadline passed in silence; `slashed` is what a locked committee lost in all."""

    request_id: Digest
    slashed: int


MarketEvent: TypeAlias = Deposited | Withdrawn | Submitted | Cancelled | Locked | Fulfilled | Faulted | Expired


def decode_event(log: Mapping[str, Any]) -> MarketEvent:
    """The event in `log`; raises UnknownEvent for one the market does not have, MalformedLog for bad bytes."""
    try:
        topics = [_bytes(topic) for topic in log["topics"]]
        data = _bytes(log["data"])
    except (KeyError, TypeError, ValueError):
        raise MalformedLog("topics and data must be there, as bytes or hexadecimal strings") from None
    entry = _by_topic().get(topics[0]) if topics else None
    if entry is None:
        raise UnknownEvent(topics[0] if topics else b"")
    try:
        values = _values(entry, topics[1:], data)
        return _BUILDERS[entry.name](values)
    except Exception as error:  # eth_abi raises many types for bad bytes
        raise MalformedLog(f"{entry.name} ({type(error).__name__})") from None


def topic_of(kind: type[MarketEvent]) -> bytes:
    """The first topic of the logs of an event class, 32 bytes, for filters."""
    return entries("QuorateMarket", "event")[kind.__name__].topic


@lru_cache(maxsize=1)
def _by_topic() -> dict[bytes, Entry]:
    market = entries("QuorateMarket", "event").values()
    return {entry.topic: entry for entry in market if entry.name in _BUILDERS}


def _values(entry: Entry, topics: Sequence[bytes], data: bytes) -> tuple[Any, ...]:
    inputs = list(zip(entry.types, entry.indexed, strict=True))
    indexed = [kind for kind, is_indexed in inputs if is_indexed]
    plain = [kind for kind, is_indexed in inputs if not is_indexed]
    from_topics = iter([decode_abi([kind], topic)[0] for kind, topic in zip(indexed, topics, strict=True)])
    from_data = iter(decode_abi(plain, data))
    return tuple(next(from_topics) if is_indexed else next(from_data) for _, is_indexed in inputs)


def _bytes(value: Any) -> bytes:
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)


def _parties(bits: int) -> tuple[int, ...]:
    return tuple(index + 1 for index in range(bits.bit_length()) if bits >> index & 1)


def _request(values: Sequence[Any]) -> Request:
    pairs = zip(Request.TYPE.fields, values, strict=True)
    fields: dict[str, Any] = {
        name: parse_address(value) if kind == "address" else value for (kind, name), value in pairs
    }
    return Request(**fields)


_BUILDERS: dict[str, Callable[[tuple[Any, ...]], MarketEvent]] = {
    "Deposited": lambda v: Deposited(parse_address(v[0]), parse_address(v[1]), v[2]),
    "Withdrawn": lambda v: Withdrawn(parse_address(v[0]), parse_address(v[1]), v[2]),
    "Submitted": lambda v: Submitted(v[0], parse_address(v[1]), v[2], _request(v[3])),
    "Cancelled": lambda v: Cancelled(v[0]),
    "Locked": lambda v: Locked(v[0], tuple(map(parse_address, v[1])), tuple(v[2]), tuple(v[3])),
    "Fulfilled": lambda v: Fulfilled(v[0], v[1], v[2], _parties(cast(int, v[3]))),
    "Faulted": lambda v: Faulted(v[0], parse_address(v[1]), v[2], _parties(cast(int, v[3]))),
    "Expired": lambda v: Expired(v[0], v[1]),
}
