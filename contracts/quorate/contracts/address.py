"""Accounts and digests as bytes, and how people read and write them."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from eth_utils.crypto import keccak

from quorate.protocol.codec import Limit

Address: TypeAlias = Annotated[bytes, Limit(size=20)]
"""An account or contract on the chain: 20 bytes."""
Digest: TypeAlias = Annotated[bytes, Limit(size=32)]
"""A keccak or sha256 digest, or another 32 bytes: a request id, a program's content hash, an Ed25519 key."""

ZERO_ADDRESS: Final[Address] = bytes(20)
"""No account; as the accused of a fault, nobody."""
COIN: Final[Address] = ZERO_ADDRESS
"""The token that stands for the chain's own coin."""


def checksum(address: bytes) -> str:
    """`address` as people write it: 0x and 40 digits whose case is the EIP-55 checksum."""
    if len(address) != 20:
        raise ValueError(f"an address has 20 bytes, not {len(address)}")
    digits = address.hex()
    nibbles = keccak(text=digits).hex()
    cased = (
        digit.upper() if int(nibble, 16) >= 8 else digit for digit, nibble in zip(digits, nibbles, strict=False)
    )
    return "0x" + "".join(cased)


def parse_address(text: str) -> Address:
    """The address that `text` writes; ValueError if it is none, or if its EIP-55 checksum is wrong.

    Digits of one case carry no checksum and are taken as they are.
    """
    digits = text.removeprefix("0x")
    if len(text) != 42 or len(digits) != 40:
        raise ValueError(f"an address is 0x and 40 hexadecimal digits, not {text[:64]!r}")
    try:
        address = bytes.fromhex(digits)
    except ValueError:
        raise ValueError(f"an address is 0x and 40 hexadecimal digits, not {text!r}") from None
    if digits not in (digits.lower(), digits.upper()) and checksum(address) != text:
        raise ValueError(f"the checksum of address {text!r} is wrong; is a digit mistyped?")
    return address
