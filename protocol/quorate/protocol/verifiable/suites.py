"""What a threshold Schnorr signature hashes, and how it is written: the suites of RFC 9591, and BIP 340.

| suite | curve | signature | verifies as |
|---|---|---|---|
| `FROST_ED25519` | ed25519 | R, z little-endian, 64 bytes | Ed25519, RFC 8032 (RFC 9591, section 6.1) |
| `FROST_P256` | p-256 | R, z big-endian, 65 bytes | RFC 9591, section 6.4 |
| `FROST_SECP256K1` | secp256k1 | R, z big-endian, 65 bytes | RFC 9591, section 6.5 |
| `BIP340` | secp256k1 | x of R, z, 64 bytes | BIP 340 |

BIP 340 takes only x of the public key and of R and means the point with an even y. The signers therefore negate their
shares when the key's y is odd, and their nonces when R's is. Its challenge is that of BIP 340; the other hashes, which
no verifier sees, are those of FROST(secp256k1, SHA-256) under a context string of their own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from quorate.protocol.curve import ED25519, P256, SCALAR_BYTES, SECP256K1, Curve, Point
from quorate.protocol.errors import MalformedMessage

_WIDE_BYTES: Final = 48
_BLOCK_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class Suite:
    """A group with the hashes H1 to H5 of RFC 9591, section 6; `even_y` is for BIP 340."""

    curve: Curve
    context: bytes
    even_y: bool = False

    @property
    def _is_edwards(self) -> bool:
        return self.curve is ED25519

    @property
    def byte_order(self) -> Literal["little", "big"]:
        """The order of the bytes of scalars."""
        return "little" if self._is_edwards else "big"

    def _scalar(self, tag: bytes, data: bytes) -> int:
        if self._is_edwards:
            digest = hashlib.sha512(self.context + tag + data).digest()
            return int.from_bytes(digest, "little") % self.curve.order
        wide = expand_message(data, tag=self.context + tag)
        return int.from_bytes(wide, "big") % self.curve.order

    def _digest(self, tag: bytes, data: bytes) -> bytes:
        algorithm = hashlib.sha512 if self._is_edwards else hashlib.sha256
        return algorithm(self.context + tag + data).digest()

    def binding_factor(self, data: bytes) -> int:
        """H1."""
        return self._scalar(b"rho", data)

    def challenge(self, group_commitment: Point, public_key: Point, message: bytes) -> int:
        """H2 of R, the key and the message, as the suite's verifiers compute it."""
        if self.even_y:
            data = self._x(group_commitment) + self._x(public_key) + message
            return int.from_bytes(tagged_hash(b"BIP0340/challenge", data), "big") % self.curve.order
        data = group_commitment.encode() + public_key.encode() + message
        if self._is_edwards:
            return int.from_bytes(hashlib.sha512(data).digest(), "little") % self.curve.order
        return self._scalar(b"chal", data)

    def nonce(self, data: bytes) -> int:
        """H3."""
        return self._scalar(b"nonce", data)

    def message_digest(self, message: bytes) -> bytes:
        """H4."""
        return self._digest(b"msg", message)

    def commitments_digest(self, data: bytes) -> bytes:
        """H5."""
        return self._digest(b"com", data)

    def encode_scalar(self, scalar: int) -> bytes:
        """A scalar as the suite writes it."""
        return (scalar % self.curve.order).to_bytes(SCALAR_BYTES, self.byte_order)

    def decode_scalar(self, data: bytes) -> int:
        """A scalar of untrusted bytes; raises MalformedMessage unless it is below the order."""
        return self.curve.decode_scalar(data if self.byte_order == "big" else data[::-1])

    def encode_signature(self, group_commitment: Point, response: int) -> bytes:
        """The signature of R and z."""
        head = self._x(group_commitment) if self.even_y else group_commitment.encode()
        return head + self.encode_scalar(response)

    def encode_public_key(self, public_key: Point) -> bytes:
        """The public key as verifiers take it."""
        return self._x(public_key) if self.even_y else public_key.encode()

    def sign_of(self, point: Point) -> int:
        """-1 where the suite means the negative of `point`, else 1."""
        return -1 if self.even_y and point.coordinates[1] & 1 else 1

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether this is a signature; malformed keys and signatures are not."""
        try:
            key = self._decode_point(public_key)
            group_commitment = self._decode_point(signature[:-SCALAR_BYTES])
            response = self.decode_scalar(signature[-SCALAR_BYTES:])
        except MalformedMessage:
            return False
        challenge = self.challenge(group_commitment, key, message) * self.sign_of(key)
        return self.holds(group_commitment, response, key * challenge)

    def holds(self, group_commitment: Point, response: int, challenged_key: Point) -> bool:
        """Whether z G = R + c Y for the R that the suite means; `challenged_key` is c Y, with the key's sign."""
        signed = group_commitment if self.sign_of(group_commitment) == 1 else -group_commitment
        return self.curve.multiply_base(response) == signed + challenged_key

    def _decode_point(self, data: bytes) -> Point:
        return self.curve.decode(b"\2" + data if self.even_y else data)

    def _x(self, point: Point) -> bytes:
        return point.coordinates[0].to_bytes(SCALAR_BYTES, "big")


def expand_message(data: bytes, *, tag: bytes) -> bytes:
    """48 uniform bytes by expand_message_xmd with SHA-256 (RFC 9380, section 5.3.1)."""
    suffix = tag + bytes([len(tag)])
    head = bytes(_BLOCK_BYTES) + data + _WIDE_BYTES.to_bytes(2, "big") + b"\0" + suffix
    first = hashlib.sha256(head).digest()
    block = hashlib.sha256(first + b"\1" + suffix).digest()
    mixed = bytes(left ^ right for left, right in zip(first, block, strict=True))
    return (block + hashlib.sha256(mixed + b"\2" + suffix).digest())[:_WIDE_BYTES]


def tagged_hash(tag: bytes, data: bytes) -> bytes:
    """SHA-256 under a tag (BIP 340, section "Design")."""
    prefix = hashlib.sha256(tag).digest()
    return hashlib.sha256(prefix + prefix + data).digest()


FROST_ED25519: Final = Suite(ED25519, b"FROST-ED25519-SHA512-v1")
FROST_P256: Final = Suite(P256, b"FROST-P256-SHA256-v1")
FROST_SECP256K1: Final = Suite(SECP256K1, b"FROST-secp256k1-SHA256-v1")
BIP340: Final = Suite(SECP256K1, b"quorate-FROST-secp256k1-BIP340-v1", even_y=True)
