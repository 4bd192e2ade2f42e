"""The fields that have names. Another one is another line: `PrimeField("name", modulus)`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from .prime import PrimeField

BN254: Final = PrimeField("bn254", 21888242871839275222246405745257275088548364400416034343698204186575808495617)
"""The scalar field of BN254 (alt_bn128), 254 bits; its prime is the group order r of EIP-196."""

BN254_BASE: Final = PrimeField(
    "bn254-base", 21888242871839275222246405745257275088696311157297823662689037894645226208583
)
"""The base field of BN254, 254 bits: the coordinates of its points, p of EIP-196."""

BLS12_381: Final = PrimeField("bls12-381", 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001)
"""The scalar field of BLS12-381, 255 bits; r of draft-irtf-cfrg-pairing-friendly-curves, section 4.2.1."""

SECP256K1: Final = PrimeField("secp256k1", 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141)
"""The scalar field of secp256k1, 256 bits; its prime is the group order n of SEC 2, section 2.4.1."""

P256: Final = PrimeField("p256", 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551)
"""The scalar field of P-256, 256 bits; its prime is the group order n of SP 800-186, section 3.2.1.3."""

ED25519: Final = PrimeField("ed25519", 2**252 + 27742317777372353535851937790883648493)
"""The scalar field of Ed25519, 253 bits; its prime is the group order L of RFC 8032, section 5.1."""

GOLDILOCKS: Final = PrimeField("goldilocks", 2**64 - 2**32 + 1)
"""The prime 2^64 - 2^32 + 1, with roots of unity of order 2^32."""

MERSENNE61: Final = PrimeField("mersenne61", 2**61 - 1)
"""The Mersenne prime 2^61 - 1."""

by_name: Final = MappingProxyType(
    {
        field.name: field
        for field in (BN254, BN254_BASE, BLS12_381, SECP256K1, P256, ED25519, GOLDILOCKS, MERSENNE61)
    }
)
"""The fields that have names, by name."""
