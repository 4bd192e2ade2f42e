"""Peer ids: how an Ed25519 public key is named on the mesh.

A peer id is the base58 form of an identity multihash (code 0x00) over the protobuf of the public key
(libp2p peer id specification: keys of at most 42 bytes are inlined). For Ed25519 that is six constant bytes
and the raw key, so both directions are exact and need no libp2p.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .errors import AddressInvalid

KEY_BYTES: Final = 32
"""Length of a raw Ed25519 key, public or private."""

_PREFIX: Final = bytes([0x00, 0x24, 0x08, 0x01, 0x12, 0x20])
"""Identity multihash of 36 bytes; protobuf: key type Ed25519, then 32 bytes of key."""
_PEER_ID_BYTES: Final = len(_PREFIX) + KEY_BYTES
_MOST_PEER_ID_TEXT: Final = 64
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGIT: Final = {symbol: value for value, symbol in enumerate(_ALPHABET)}


def peer_id_of(public_key: bytes) -> str:
    """The peer id of a raw Ed25519 public key (32 bytes); AddressInvalid when it has another length."""
    if len(public_key) != KEY_BYTES:
        raise AddressInvalid(public_key.hex(), f"an Ed25519 public key has {KEY_BYTES} bytes")
    return _base58(_PREFIX + public_key)


def public_key_of(peer_id: str) -> bytes:
    """The raw Ed25519 public key (32 bytes) inside a peer id; AddressInvalid when it holds no such key."""
    raw = _unbase58(peer_id)
    if len(raw) != _PEER_ID_BYTES or not raw.startswith(_PREFIX):
        raise AddressInvalid(peer_id, "it is not the peer id of an Ed25519 key")
    return raw[len(_PREFIX) :]


def peer_id_of_private(private_key: bytes) -> str:
    """The peer id that belongs to a raw Ed25519 private key (32 bytes)."""
    return peer_id_of(public_key_of_private(private_key))


def public_key_of_private(private_key: bytes) -> bytes:
    """The raw Ed25519 public key of a raw private key (32 bytes)."""
    return Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def is_ed25519_peer(raw_peer_id: bytes) -> bool:
    """Whether the bytes of a peer id inline an Ed25519 key."""
    return len(raw_peer_id) == _PEER_ID_BYTES and raw_peer_id.startswith(_PREFIX)


def _base58(raw: bytes) -> str:
    value = int.from_bytes(raw, "big")
    symbols: list[str] = []
    while value:
        value, digit = divmod(value, 58)
        symbols.append(_ALPHABET[digit])
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(symbols))


def _unbase58(text: str) -> bytes:
    if not 0 < len(text) <= _MOST_PEER_ID_TEXT:
        raise AddressInvalid(text, f"a peer id has 1 to {_MOST_PEER_ID_TEXT} characters")
    value = 0
    for symbol in text:
        digit = _DIGIT.get(symbol)
        if digit is None:
            raise AddressInvalid(text, "it is not base58")
        value = value * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + value.to_bytes((value.bit_length() + 7) // 8, "big")
