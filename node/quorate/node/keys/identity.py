"""The three private keys of a home: who we are on the mesh, who we are on the chain, who may read our outputs.

- MeshKey: Ed25519, the libp2p identity; its public key is the `peerKey` of a bid.
- ChainKey: secp256k1, the account that bids, attests and pays.
- EncryptionKey: X25519, to which committee members seal the outputs of a client.
"""

from __future__ import annotations

import secrets
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate.contracts import account_of, checksum, sign

from .peer_id import peer_id_of
from .secret import Secret

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

KEY_BYTES: Final = 32
_CURVE_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


class MeshKey:
    """An Ed25519 key, the identity of a node on the mesh."""

    def __init__(self, secret: Secret) -> None:
        self.secret = secret
        self._key = Ed25519PrivateKey.from_private_bytes(secret.reveal())

    @classmethod
    def generate(cls) -> Self:
        """A fresh key from the operating system's randomness."""
        return cls(Secret(secrets.token_bytes(KEY_BYTES)))

    @cached_property
    def public_key(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    @cached_property
    def peer_id(self) -> str:
        """The libp2p peer id in base58btc."""
        return peer_id_of(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature of `message` (RFC 8032)."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"MeshKey({self.peer_id})"


class ChainKey:
    """A secp256k1 key, the account of a node or a client on the chain."""

    def __init__(self, secret: Secret) -> None:
        if len(secret) != KEY_BYTES or not 0 < int.from_bytes(secret.reveal(), "big") < _CURVE_ORDER:
            raise ValueError("a secp256k1 key is 32 bytes, above zero and below the order of the curve")
        self.secret = secret

    @classmethod
    def generate(cls) -> Self:
        """A fresh key from the operating system's randomness."""
        return cls(Secret((secrets.randbelow(_CURVE_ORDER - 1) + 1).to_bytes(KEY_BYTES, "big")))

    @cached_property
    def account(self) -> bytes:
        """The 20-byte account address."""
        return account_of(self.secret.reveal())

    @cached_property
    def address(self) -> str:
        """The account address as 0x and hex digits with the EIP-55 checksum."""
        return checksum(self.account)

    def sign_digest(self, digest: bytes) -> bytes:
        """The 65-byte signature r, s, v (v is 27 or 28, s in the lower half) of a 32-byte digest."""
        return sign(digest, self.secret.reveal())

    def local_account(self) -> LocalAccount:
        """The same key as an eth_account signer, for transactions and typed data."""
        from eth_account import Account

        account: LocalAccount = Account.from_key(self.secret.reveal())
        return account

    def __repr__(self) -> str:
        return f"ChainKey({self.address})"


class EncryptionKey:
    """An X25519 key to which the outputs of a client are sealed (quorate.protocol.envelope)."""

    def __init__(self, secret: Secret) -> None:
        self.secret = secret
        self._key = X25519PrivateKey.from_private_bytes(secret.reveal())

    @classmethod
    def generate(cls) -> Self:
        """A fresh key from the operating system's randomness."""
        return cls(Secret(secrets.token_bytes(KEY_BYTES)))

    @cached_property
    def public_key(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"EncryptionKey({self.public_key.hex()})"
