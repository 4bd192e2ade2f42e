"""Prime fields: integers modulo p, one at a time on gmpy2 and as vectors on compiled kernels.

`PrimeField` is a value; `BN254` is the scalar field of the curve BN254 (alt_bn128), the field of the committees.
Importing this package does not import numba: the first operation on a vector does, and compiles its kernel or
reads it from the cache. `warm.warm` does that for all kernels at once.
"""

from __future__ import annotations

from typing import Final

from .dispatch import KernelFault
from .prime import RANDOM_BYTES, PrimeField
from .vectors import Vector

BN254: Final = PrimeField("bn254", 21888242871839275222246405745257275088548364400416034343698204186575808495617)
"""The scalar field of BN254, 254 bits; its prime is the group order r of EIP-196."""

__all__ = ["BN254", "RANDOM_BYTES", "KernelFault", "PrimeField", "Vector"]
