"""The compiled contracts that ship with the package: ABI, bytecode and how they were compiled.

contracts/compile.js writes the files from the Solidity sources; contracts/check.py compares them with a rebuild.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import encode as encode_abi
from eth_utils.crypto import keccak

from .address import Address


@dataclass(frozen=True, slots=True)
class Entry:
    """One function, event or error of an ABI.

    `signature` is canonical, as in `deposit(address,uint256)`; `names`, `types` and `indexed` go by input;
    `outputs` are the types a function returns.
    """

    kind: str
    name: str
    signature: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    indexed: tuple[bool, ...]
    outputs: tuple[str, ...]

    @property
    def topic(self) -> bytes:
        """keccak of the signature, 32 bytes: the first topic of an event's log."""
        return keccak(text=self.signature)

    @property
    def selector(self) -> bytes:
        """The first 4 bytes of a function's calldata or an error's revert data."""
        return self.topic[:4]


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract; `abi` is the JSON ABI, `bytecode` creates the contract, `compiler` says how."""

    contract: str
    abi: Sequence[Mapping[str, Any]]  # JSON
    bytecode: bytes
    compiler: Mapping[str, Any]  # JSON

    def entries(self, kind: str) -> dict[str, Entry]:
        """The ABI's entries of `kind` (function, event, error, constructor), by name."""
        found = (_entry(item) for item in self.abi if item["type"] == kind)
        return {entry.name: entry for entry in found}


@lru_cache(maxsize=8)
def load_artifact(contract: str) -> Artifact:
    """The artifact of `contract` (QuorateMarket or TestToken); ValueError for any other name."""
    if contract not in ("QuorateMarket", "TestToken"):
        raise ValueError(f"no artifact is named {contract!r}; there are QuorateMarket and TestToken")
    text = files("quorate.contracts").joinpath("artifacts", f"{contract}.json").read_text(encoding="ascii")
    value = json.loads(text)
    return Artifact(value["contract"], value["abi"], bytes.fromhex(value["bytecode"][2:]), value["compiler"])


@lru_cache(maxsize=32)
def entries(contract: str, kind: str) -> dict[str, Entry]:
    """The entries of `kind` in the ABI of `contract`, by name; shared, so do not change it."""
    return load_artifact(contract).entries(kind)


def market_deployment(treasury: Address) -> bytes:
    """The data of the transaction that creates a market whose half of slashed collateral goes to `treasury`."""
    return load_artifact("QuorateMarket").bytecode + encode_abi(["address"], [treasury])


def token_deployment() -> bytes:
    """The data of the transaction that creates a TestToken, for development chains only."""
    return load_artifact("TestToken").bytecode


def _entry(item: Mapping[str, Any]) -> Entry:
    inputs = item.get("inputs", [])
    types = tuple(_type(each) for each in inputs)
    name = item.get("name", "")
    return Entry(
        kind=item["type"],
        name=name,
        signature=f"{name}({','.join(types)})",
        names=tuple(each["name"] for each in inputs),
        types=types,
        indexed=tuple(each.get("indexed", False) for each in inputs),
        outputs=tuple(_type(each) for each in item.get("outputs", [])),
    )


def _type(item: Mapping[str, Any]) -> str:
    kind: str = item["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(each) for each in item['components'])}){kind.removeprefix('tuple')}"
