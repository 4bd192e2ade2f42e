"""secp256k1 signatures as the market takes them: r, s and v in 65 bytes, s in the lower half, v 27 or 28.

One digest and key have one signature in this form (RFC 6979 nonces, EIP-2 low s), so that a signature cannot be
turned into another valid one by a third party.
"""

from __future__ import annotations

from typing import Final

from coincurve import PrivateKey, PublicKey
from eth_utils.crypto import keccak

from .address import Address
from .errors import InvalidSignature

SIGNATURE_BYTES: Final = 65
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def sign(digest: bytes, private_key: bytes) -> bytes:
    """The 65-byte signature of a 32-byte `digest`; ValueError when the key is not a secp256k1 scalar."""
    if len(digest) != 32:
        raise ValueError(f"a digest has 32 bytes, not {len(digest)}")
    signature = _key(private_key).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes((27 + signature[64],))


def recover(digest: bytes, signature: bytes) -> Address:
    """Who signed `digest`; raises InvalidSignature for what the market would refuse to look at."""
    if len(signature) != SIGNATURE_BYTES:
        raise InvalidSignature(f"{len(signature)} bytes, not {SIGNATURE_BYTES}")
    if signature[64] not in (27, 28):
        raise InvalidSignature(f"the last byte is {signature[64]}, not 27 or 28")
    if int.from_bytes(signature[32:64], "big") > _ORDER // 2:
        raise InvalidSignature("s is in the upper half of the order")
    raw = signature[:64] + bytes((signature[64] - 27,))
    try:
        return _account(PublicKey.from_signature_and_message(raw, digest, hasher=None))
    except Exception:  # coincurve raises bare Exception and ValueError for points that do not exist
        raise InvalidSignature("no public key fits r and s") from None


def is_signed_by(account: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether `signature` of `digest` is one of `account` that the market takes."""
    try:
        return recover(digest, signature) == account
    except InvalidSignature:
        return False


def account_of(private_key: bytes) -> Address:
    """The account that `private_key` controls; ValueError when it is not a secp256k1 scalar."""
    return _account(_key(private_key).public_key)


def _account(key: PublicKey) -> Address:
    return keccak(key.format(compressed=False)[1:])[12:]


def _key(private_key: bytes) -> PrivateKey:
    if len(private_key) != 32 or not 0 < int.from_bytes(private_key, "big") < _ORDER:
        raise ValueError(
            "a private key is 32 bytes, from 1 to the group order; this one is not (and is not shown)"
        )
    return PrivateKey(private_key)
