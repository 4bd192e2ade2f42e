"""Elliptic-curve groups of prime order as values: bn254 (G1), bls12-381 (G1), secp256k1, p-256, ed25519.

`Curve` has the generators, decoding with every check, hashing to the group and sums of many products; `Point` is an
element. Arithmetic is not constant time (see `group` for what follows from that).
"""

from .curves import BLS12_381_G1, BN254_G1, CURVES, ED25519, P256, SECP256K1, curve_named
from .group import SCALAR_BYTES, SECOND_GENERATOR_DOMAIN, Curve, Point

__all__ = [
    "BLS12_381_G1",
    "BN254_G1",
    "CURVES",
    "ED25519",
    "P256",
    "SCALAR_BYTES",
    "SECOND_GENERATOR_DOMAIN",
    "SECP256K1",
    "Curve",
    "Point",
    "curve_named",
]
