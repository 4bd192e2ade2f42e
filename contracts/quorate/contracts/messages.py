"""What requestors and members sign: EIP-712 structs, which also travel over the mesh by `quorate.protocol.codec`.

The field order is the order of the Solidity structs in contracts/src/IQuorateMarket.sol; amounts are in the
token's smallest unit (wei), times in seconds of Unix time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from quorate.protocol.codec import Limit

from .address import Address, Digest
from .eip712 import Domain, StructType

MAX_PARTIES: Final = 64
"""The largest committee that the market takes."""
MAX_DURATION_SECONDS: Final = 90 * 86400
"""The longest time from submit to deadline."""
MAX_AMOUNT: Final = (1 << 96) - 1
"""The largest price, escrow or collateral of one request."""

Amount = Annotated[int, Limit(most=MAX_AMOUNT)]
Timestamp = Annotated[int, Limit(most=(1 << 64) - 1)]


@dataclass(frozen=True, slots=True)
class Request:
    """What a requestor wants computed, and what it pays at most; its digest is the request's id.

    `token` is the coin when zero; `max_price` bounds the sum of the members' prices; each member locks
    `collateral`. A committee has `parties` >= 2 * `threshold` + 1 members, locked by `bid_deadline`, done by
    `deadline`. `program` is a content hash, `details` the sha256 of the details that travel off the chain.
    """

    TYPE: ClassVar[StructType] = StructType(
        "Request(address requestor,uint256 nonce,address token,uint256 maxPrice,uint256 collateral,uint16 parties,"
        "uint16 threshold,uint64 bidDeadline,uint64 deadline,bytes32 program,bytes32 details)"
    )

    requestor: Address
    nonce: int
    token: Address
    max_price: Amount
    collateral: Amount
    parties: Annotated[int, Limit(least=3, most=MAX_PARTIES)]
    threshold: Annotated[int, Limit(least=1, most=(MAX_PARTIES - 1) // 2)]
    bid_deadline: Timestamp
    deadline: Timestamp
    program: Digest
    details: Digest

    def digest(self, domain: Domain) -> bytes:
        """The EIP-712 digest, 32 bytes; ValueError when a field does not fit its Solidity type."""
        return domain.digest(self.TYPE.hash(self))

    def request_id(self, domain: Domain) -> bytes:
        """The id under which the market keeps this request: its digest."""
        return self.digest(domain)


@dataclass(frozen=True, slots=True)
class Bid:
    """What `member` asks for its part in one request; `peer_key` is the raw Ed25519 public key of its node."""

    TYPE: ClassVar[StructType] = StructType(
        "Bid(bytes32 requestId,address member,uint256 price,bytes32 peerKey,uint64 validUntil)"
    )

    request_id: Digest
    member: Address
    price: Amount
    peer_key: Digest
    valid_until: Timestamp

    def digest(self, domain: Domain) -> bytes:
        """The EIP-712 digest that the member signs, 32 bytes."""
        return domain.digest(self.TYPE.hash(self))


@dataclass(frozen=True, slots=True)
class Attestation:
    """A member's word that the request's result has this digest; t+1 of them fulfil the request."""

    TYPE: ClassVar[StructType] = StructType("Attestation(bytes32 requestId,bytes32 resultDigest)")

    request_id: Digest
    result_digest: Digest

    def digest(self, domain: Domain) -> bytes:
        """The EIP-712 digest that the member signs, 32 bytes."""
        return domain.digest(self.TYPE.hash(self))


@dataclass(frozen=True, slots=True)
class Fault:
    """A member's word that `accused` broke down, or a client when it is zero; t+1 of them end the request."""

    TYPE: ClassVar[StructType] = StructType("Fault(bytes32 requestId,address accused)")

    request_id: Digest
    accused: Address

    def digest(self, domain: Domain) -> bytes:
        """The EIP-712 digest that the member signs, 32 bytes."""
        return domain.digest(self.TYPE.hash(self))
