"""EIP-712 for structs of static fields: type hashes, struct hashes, domains, digests.

digest = keccak(0x1901 || separator || hashStruct(message)), where hashStruct = keccak(typeHash || words) and
every static field is one 32-byte word (EIP-712, "Definition of encodeData"). Dynamic fields and nested structs
have other rules, and none of the market's messages needs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

from eth_utils.crypto import keccak

from .address import Address

DOMAIN_NAME: Final = "Quorate Market"
DOMAIN_VERSION: Final = "1"


class StructType:
    """One EIP-712 struct type of static fields, given as Solidity writes it: `Name(type field,type field)`.

    A Python value has the same fields in snake case.
    """

    __slots__ = ("encoders", "fields", "name", "signature", "type_hash")

    def __init__(self, signature: str) -> None:
        self.signature = signature
        self.name, _, members = signature.removesuffix(")").partition("(")
        pairs = [member.split(" ") for member in members.split(",")]
        self.type_hash = keccak(text=signature)
        self.fields = tuple((kind, snake_case(name)) for kind, name in pairs)
        self.encoders = tuple((name, _encoder(kind, f"{self.name}.{name}")) for kind, name in self.fields)

    def hash(self, value: object) -> bytes:
        """hashStruct of `value`, 32 bytes; ValueError when a field does not fit its type."""
        words = [encode(getattr(value, name)) for name, encode in self.encoders]
        return keccak(self.type_hash + b"".join(words))

    def values(self, value: object) -> tuple[int | bytes, ...]:
        """The fields of `value` in order, as ABI codecs want a tuple."""
        return tuple(getattr(value, name) for _, name in self.fields)


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a signature counts: one market contract on one chain."""

    chain_id: int
    market: Address

    @property
    def separator(self) -> bytes:
        """hashStruct of the EIP-712 domain, 32 bytes."""
        return _separator(self.chain_id, self.market)

    def digest(self, struct_hash: bytes) -> bytes:
        """What is signed for a struct with this hash, 32 bytes."""
        return keccak(b"\x19\x01" + self.separator + struct_hash)


def snake_case(name: str) -> str:
    """`bidDeadline` as `bid_deadline`."""
    return re.sub("[A-Z]", lambda match: "_" + match[0].lower(), name)


@lru_cache(maxsize=64)
def _separator(chain_id: int, market: bytes) -> bytes:
    type_hash = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    name, version = keccak(text=DOMAIN_NAME), keccak(text=DOMAIN_VERSION)
    chain, contract = _unsigned(chain_id, 256, "chain_id"), _address(market, "market")
    return keccak(type_hash + name + version + chain + contract)


def _encoder(kind: str, where: str) -> Callable[[int | bytes], bytes]:
    if kind == "address":
        return partial(_address, where=where)
    if kind == "bytes32":
        return partial(_word, where=where)
    if match := re.fullmatch(r"uint(\d+)", kind):
        return partial(_unsigned, bits=int(match[1]), where=where)
    raise TypeError(f"{where}: {kind} is not a static EIP-712 type that this encoder knows")


def _address(value: int | bytes, where: str) -> bytes:
    if not isinstance(value, bytes) or len(value) != 20:
        raise ValueError(f"{where} is not an address of 20 bytes")
    return bytes(12) + value


def _word(value: int | bytes, where: str) -> bytes:
    if not isinstance(value, bytes) or len(value) != 32:
        raise ValueError(f"{where} is not 32 bytes")
    return value


def _unsigned(value: int | bytes, bits: int, where: str) -> bytes:
    if not isinstance(value, int) or not 0 <= value < 1 << bits:
        raise ValueError(f"{where} is not an unsigned integer of {bits} bits")
    return value.to_bytes(32, "big")
