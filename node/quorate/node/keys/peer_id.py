"""libp2p peer ids of Ed25519 keys, without importing libp2p (which takes a second).

A peer id is the multihash of the protobuf-encoded public key; Ed25519 keys are short enough for the identity
multihash, so the id holds the key itself (libp2p specification, peer-ids: "Keys" and "Peer Ids").
"""

from __future__ import annotations

from typing import Final

ED25519_KEY_BYTES: Final = 32
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# identity multihash (0x00) of 36 bytes: protobuf field 1 = key type 1 (Ed25519), field 2 = 32 bytes
_PREFIX: Final = bytes([0x00, 0x24, 0x08, 0x01, 0x12, 0x20])
_MAX_PEER_ID_CHARACTERS: Final = 64


def peer_id_of(public_key: bytes) -> str:
    """The peer id (base58btc, "12D3Koo...") of a raw 32-byte Ed25519 public key; ValueError for another size."""
    if len(public_key) != ED25519_KEY_BYTES:
        raise ValueError(f"an Ed25519 public key has {ED25519_KEY_BYTES} bytes, not {len(public_key)}")
    return _base58(_PREFIX + public_key)


def public_key_of(peer_id: str) -> bytes:
    """The raw Ed25519 public key inside `peer_id`; ValueError when it is not the id of an Ed25519 key."""
    data = _from_base58(peer_id)
    if not data.startswith(_PREFIX) or len(data) != len(_PREFIX) + ED25519_KEY_BYTES:
        raise ValueError("not the peer id of an Ed25519 key")
    return data[len(_PREFIX) :]


def _base58(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _ALPHABET[digit] + digits
    zeros = len(data) - len(data.lstrip(b"\0"))
    return _ALPHABET[0] * zeros + digits


def _from_base58(text: str) -> bytes:
    if not 0 < len(text) <= _MAX_PEER_ID_CHARACTERS:
        raise ValueError(f"a peer id has 1 to {_MAX_PEER_ID_CHARACTERS} characters")
    number = 0
    for character in text:
        digit = _ALPHABET.find(character)
        if digit < 0:
            raise ValueError("a character that is not base58")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip(_ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
