"""Peer bindings: the proof that a mesh identity and a chain account on one market are the same node.

Each key signs the other one, under a domain (chain id and market), so that neither can claim the other alone and a
binding of one market is void on another:

- the Ed25519 key signs  TAG || chain id (32 bytes) || market (20) || account (20);
- the secp256k1 key signs keccak256(0x19 0x00 || market || TAG || chain id (32) || peer key (32)), the form of
  ERC-191 version 0 ("data with intended validator"), which no transaction and no EIP-712 message can share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from quorate.node.errors import BindingInvalid
from quorate.protocol.codec import Limit

from .identity import ChainKey, MeshKey, recover_account, verify_mesh_signature
from .peer_id import peer_id_of

_TAG: Final = b"quorate peer binding 1\0"

Account = Annotated[bytes, Limit(size=20)]
PeerKey = Annotated[bytes, Limit(size=32)]


@dataclass(frozen=True, slots=True)
class BindingDomain:
    """Where a binding holds: the chain id and the 20-byte address of the market."""

    chain_id: int
    market: bytes

    def __post_init__(self) -> None:
        if len(self.market) != 20:
            raise ValueError("a market address has 20 bytes")
        if not 0 < self.chain_id < 1 << 256:
            raise ValueError("a chain id is above zero and fits in 32 bytes")


@dataclass(frozen=True, slots=True)
class PeerBinding:
    """A mesh key and an account, each signed by the other's key; meaningless until `verify_binding` accepts it."""

    peer_key: PeerKey
    account: Account
    peer_signature: Annotated[bytes, Limit(size=64)]
    account_signature: Annotated[bytes, Limit(size=65)]


def create_binding(mesh: MeshKey, chain: ChainKey, *, domain: BindingDomain) -> PeerBinding:
    """The binding of `mesh` and `chain` in `domain`."""
    return PeerBinding(
        peer_key=mesh.public_key,
        account=chain.account,
        peer_signature=mesh.sign(_peer_message(chain.account, domain)),
        account_signature=chain.sign_digest(_account_digest(mesh.public_key, domain)),
    )


def verify_binding(binding: PeerBinding, *, domain: BindingDomain) -> None:
    """Accept `binding` in `domain`, or raise BindingInvalid naming the peer."""
    peer = peer_id_of(binding.peer_key)
    message = _peer_message(binding.account, domain)
    if not verify_mesh_signature(binding.peer_key, message, signature=binding.peer_signature):
        raise BindingInvalid(peer, "its mesh key did not sign this account for this market")
    if recover_account(_account_digest(binding.peer_key, domain), binding.account_signature) != binding.account:
        raise BindingInvalid(peer, "its account did not sign this mesh key for this market")


def _peer_message(account: bytes, domain: BindingDomain) -> bytes:
    return _TAG + domain.chain_id.to_bytes(32, "big") + domain.market + account


def _account_digest(peer_key: bytes, domain: BindingDomain) -> bytes:
    from eth_utils.crypto import keccak

    return bytes(keccak(b"\x19\x00" + domain.market + _TAG + domain.chain_id.to_bytes(32, "big") + peer_key))
