"""Prime fields: integers modulo p, one at a time on gmpy2 and as vectors on compiled kernels.

`PrimeField` is a value; `BN254`, the scalar field of the curve BN254 (alt_bn128), is the field of the committees.
Importing this package does not import numba: the first operation on a vector does, and compiles its kernel or
reads it from the cache. `warm.warm` does that for all kernels of a field at once.
"""

from __future__ import annotations

from .dispatch import KernelFault
from .named import BLS12_381, BN254, BN254_BASE, ED25519, GOLDILOCKS, MERSENNE61, P256, SECP256K1, by_name
from .prime import PrimeField
from .vectors import Vector

__all__ = [
    "BLS12_381",
    "BN254",
    "BN254_BASE",
    "ED25519",
    "GOLDILOCKS",
    "MERSENNE61",
    "P256",
    "SECP256K1",
    "KernelFault",
    "PrimeField",
    "Vector",
    "by_name",
]
