"""Who signs: an account whose private key never shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from quorate.node.keys import ChainKey, Secret

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction that the chain takes as it is; `hash` names it."""

    hash: bytes
    raw: bytes


class Signer:
    """Signs transactions and EIP-712 digests with one chain key; its repr shows the address only."""

    def __init__(self, key: ChainKey) -> None:
        self._key = key
        self._local: LocalAccount | None = None

    @classmethod
    def from_private_key(cls, private_key: bytes) -> Self:
        """The signer of a 32-byte secp256k1 key; ValueError if it is none."""
        return cls(ChainKey(Secret(private_key)))

    @property
    def account(self) -> bytes:
        """The account's 20 bytes."""
        return self._key.account

    @property
    def address(self) -> str:
        """The account as people write it, with its EIP-55 checksum."""
        return self._key.address

    def sign_digest(self, digest: bytes) -> bytes:
        """The 65-byte signature r, s, v of a 32-byte digest, in the form the market takes."""
        return self._key.sign_digest(digest)

    def sign_transaction(self, fields: Mapping[str, int | bytes]) -> SignedTransaction:
        """Sign an EIP-1559 transaction with the fields that eth_account names."""
        if self._local is None:
            self._local = self._key.local_account()
        signed = self._local.sign_transaction({**fields})
        return SignedTransaction(hash=bytes(signed.hash), raw=bytes(signed.raw_transaction))

    def __repr__(self) -> str:
        return f"Signer({self.address})"
