"""The five groups, with the constants of their standards.

| curve | group | standard | encoding |
|---|---|---|---|
| secp256k1 | all points | SEC 2, section 2.4.1 | SEC 1, 33 bytes |
| p-256 | all points | FIPS 186-5 and SP 800-186, section 3.2.1.3 | SEC 1, 33 bytes |
| ed25519 | order l of 8 l | RFC 8032, section 5.1 | RFC 8032, 32 bytes |
| bn254 | G1, all points | EIP-196 | 32 bytes; top bits 10: the smaller y, 11: the larger, 01: identity |
| bls12-381 | G1, cofactor (z - 1)^2 / 3 | draft-irtf-cfrg-pairing-friendly-curves 4.2.1 | its appendix C, 48 bytes |
"""

from __future__ import annotations

from typing import Any, Final

import gmpy2 as untyped_gmpy2

from . import edwards
from .encoding import Flagged, Sec1
from .group import Curve
from .weierstrass import IDENTITY, Affine, Weierstrass

gmpy2: Any = untyped_gmpy2

_SECP256K1: Final = Weierstrass((1 << 256) - (1 << 32) - 977, 0, 7)
SECP256K1: Final = Curve(
    "secp256k1",
    _SECP256K1,
    order=0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141,
    base=(
        0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798,
        0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8,
    ),
    encoding=Sec1(_SECP256K1, 32),
)

_P256: Final = Weierstrass(
    (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1,
    -3,
    0x5AC635D8_AA3A93E7_B3EBBD55_769886BC_651D06B0_CC53B0F6_3BCE3C3E_27D2604B,
)
P256: Final = Curve(
    "p-256",
    _P256,
    order=0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
    base=(
        0x6B17D1F2_E12C4247_F8BCE6E5_63A440F2_77037D81_2DEB33A0_F4A13945_D898C296,
        0x4FE342E2_FE1A7F9B_8EE7EB4A_7C0F9E16_2BCE3357_6B315ECE_CBB64068_37BF51F5,
    ),
    encoding=Sec1(_P256, 32),
)


def _ed25519_base() -> Affine:
    base = edwards.Rfc8032().lift(4 * gmpy2.invert(5, edwards.P), odd=False)
    assert base is not None
    return base


ED25519: Final = Curve(
    "ed25519",
    edwards.LAW,
    order=(1 << 252) + 27742317777372353535851937790883648493,
    cofactor=8,
    base=_ed25519_base(),
    encoding=edwards.Rfc8032(),
    in_subgroup=edwards.in_prime_subgroup,
)

_BN254: Final = Weierstrass(21888242871839275222246405745257275088696311157297823662689037894645226208583, 0, 3)
BN254_G1: Final = Curve(
    "bn254",
    _BN254,
    order=21888242871839275222246405745257275088548364400416034343698204186575808495617,
    base=(1, 2),
    encoding=Flagged(_BN254, 32, mask=0xC0, smaller=0x80, larger=0xC0, identity=0x40),
)

_BLS_Z: Final = 0xD201000000010000
"""The absolute value of the parameter of BLS12-381, which is negative."""
_BLS12_381: Final = Weierstrass(
    0x1A0111EA_397FE69A_4B1BA7B6_434BACD7_64774B84_F38512BF_6730D2A0_F6B0F624_1EABFFFE_B153FFFF_B9FEFFFF_FFFFAAAB,
    0,
    4,
)
_BLS_ORDER: Final = 0x73EDA753_299D7D48_3339D808_09A1D805_53BDA402_FFFE5BFE_FFFFFFFF_00000001
_BLS_BASE: Final = (
    0x17F1D3A7_3197D794_2695638C_4FA9AC0F_C3688C4F_9774B905_A14E3A3F_171BAC58_6C55E83F_F97A1AEF_FB3AF00A_DB22C6BB,
    0x08B3F481_E3AAA0F1_A09E30ED_741D8AE4_FCF5E095_D5D00AF6_00DB18CB_2C04B3ED_D03CC744_A2888AE4_0CAA2329_46C5E7E1,
)


def _times_z_squared(point: Affine) -> Affine | None:
    """z^2 P by double and add, since only 6 of the 64 bits of z are set."""
    law = _BLS12_381
    total = law.add_affine(IDENTITY, point)
    for _ in range(2):
        once = total
        for bit in range(_BLS_Z.bit_length() - 2, -1, -1):
            total = law.double(total)
            if _BLS_Z >> bit & 1:
                total = law.add(total, once)
    return law.to_affine(total)


def _cube_root_of_one() -> int:
    """The beta of the endomorphism (x, y) -> (beta x, y) that is multiplication by -z^2 on G1."""
    root = gmpy2.powmod(2, (_BLS12_381.p - 1) // 3, _BLS12_381.p)
    multiple = _times_z_squared((gmpy2.mpz(_BLS_BASE[0]), gmpy2.mpz(_BLS_BASE[1])))
    assert multiple is not None
    first = root * _BLS_BASE[0] % _BLS12_381.p == multiple[0]
    return int(root if first else root * root % _BLS12_381.p)


_BETA: Final = _cube_root_of_one()


def _in_bls_subgroup(point: Affine) -> bool:
    """Whether a point of the curve of BLS12-381 is in G1 [Scott, "A note on group membership tests", 2021].

    phi(x, y) = (beta x, y) satisfies phi^2 + phi + 1 = 0 on the whole curve. Where phi(P) = -z^2 P, therefore,
    (z^4 - z^2 + 1) P = 0, and that number is the order.
    """
    multiple = _times_z_squared(point)
    return multiple == (_BETA * point[0] % _BLS12_381.p, _BLS12_381.p - point[1])


BLS12_381_G1: Final = Curve(
    "bls12-381",
    _BLS12_381,
    order=_BLS_ORDER,
    cofactor=(_BLS_Z + 1) ** 2 // 3,
    base=_BLS_BASE,
    encoding=Flagged(_BLS12_381, 48, mask=0xE0, smaller=0x80, larger=0xA0, identity=0xC0),
    in_subgroup=_in_bls_subgroup,
)

CURVES: Final = {curve.name: curve for curve in (BN254_G1, BLS12_381_G1, SECP256K1, P256, ED25519)}
"""All curves by name."""


def curve_named(name: str) -> Curve:
    """The curve of this name; raises ValueError, with the names there are, for another."""
    if name not in CURVES:
        raise ValueError(f"no curve is called {name!r}; there are {', '.join(CURVES)}")
    return CURVES[name]
