"""The S-box of AES as a public table: inversion in GF(2^8) and an affine map of the bits [FIPS 197, section 5.1.1]."""

from __future__ import annotations

from typing import Final

from quorate.protocol.mpc.galois import inverse

AFFINE_CONSTANT: Final = 0x63
AFFINE_TURNS: Final = (0, 4, 5, 6, 7)
"""Bit i of the result is the exclusive or of bits i + turn (mod 8) of the inverse, and of bit i of the constant."""


def _substituted(value: int) -> int:
    inverted = inverse(value) if value else 0
    result = AFFINE_CONSTANT
    for turn in AFFINE_TURNS:
        result ^= (inverted >> turn | inverted << (8 - turn)) & 0xFF
    return result


S_BOX: Final = bytes(_substituted(value) for value in range(256))
