"""Ed25519 through the Weierstrass form of Curve25519, and back to the encoding of RFC 8032.

Three models of one group [RFC 7748, section 4.1]: Edwards -x^2 + y^2 = 1 + d x^2 y^2, on the wire; Montgomery
v^2 = u (u^2 + A u + 1), for the subgroup check; Weierstrass, by X = u + A / 3, for all arithmetic. So one group law
serves every curve here; its doubling costs two products more than that of the Edwards form.

The group is cyclic of order 8 l. A point is in the subgroup of order l when it can be halved three times: a point
is a double when its u is a square, and a half of it takes two square roots [Pornin, "Point-Halving and Subgroup
Membership in Twisted Edwards Curves", 2022]. That is five times faster than to multiply by l.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import gmpy2 as untyped_gmpy2

from quorate.protocol.errors import MalformedMessage

from .weierstrass import Affine, Weierstrass

gmpy2: Any = untyped_gmpy2

SIZE_BYTES: Final = 32
P: Final = gmpy2.mpz((1 << 255) - 19)
A: Final = gmpy2.mpz(486662)
"""The coefficient of the Montgomery form."""
D: Final = -121665 * gmpy2.invert(121666, P) % P
"""The coefficient of the Edwards form."""
_THIRD_OF_A: Final = A * gmpy2.invert(3, P) % P
_ROOT_OF_MINUS_1: Final = gmpy2.powmod(2, (P - 1) >> 2, P)

LAW: Final = Weierstrass(P, (3 - A * A) * gmpy2.invert(3, P) % P, (2 * A**3 - 9 * A) * gmpy2.invert(27, P) % P)
"""Curve25519 in short Weierstrass form."""


def square_root(value: int) -> int | None:
    """A square root modulo 2^255 - 19, which is 5 modulo 8; None when there is none."""
    root = gmpy2.powmod(value, (P + 3) >> 3, P)
    if (root * root - value) % P:
        root = root * _ROOT_OF_MINUS_1 % P
    return root if (root * root - value) % P == 0 else None


_SCALE: Final = square_root(-(A + 2) % P)
"""x = scale u / v maps the Montgomery to the Edwards form; either sign is an isomorphism."""


def _scale() -> int:
    """The even one of the two roots, so that the base points of RFC 7748 and RFC 8032 correspond."""
    assert _SCALE is not None
    return _SCALE if not _SCALE & 1 else P - _SCALE


SCALE: Final = _scale()


def from_edwards(x: int, y: int) -> Affine | None:
    """The Weierstrass point of an Edwards point other than (0, -1); None is the identity, (0, 1)."""
    if y == 1:
        return None
    inverse = gmpy2.invert((1 - y) * x, P)
    u = (1 + y) * x * inverse % P
    v = SCALE * (1 + y) * inverse % P
    return (u + _THIRD_OF_A) % P, v


def to_edwards(point: Affine | None) -> tuple[int, int]:
    """The Edwards point of a Weierstrass point of odd order."""
    if point is None:
        return 0, 1
    u, v = (point[0] - _THIRD_OF_A) % P, point[1]
    inverse = gmpy2.invert(v * (u + 1), P)
    return SCALE * u * (u + 1) * inverse % P, (u - 1) * v * inverse % P


def _half(u: int, v: int) -> Affine | None:
    """A Montgomery point whose double is (u, v); None when there is none.

    Doubling is an isogeny of degree 2 to v^2 = u (u^2 - 2 A u + A^2 - 4) and its dual back; each is undone.
    """
    if gmpy2.legendre(u, P) != 1:
        return None
    root = square_root(u)
    assert root is not None
    slope = 2 * v * gmpy2.invert(root, P)
    middle = (2 * u + A - slope) % P
    if gmpy2.legendre(middle, P) != 1:
        root, middle = -root, (2 * u + A + slope) % P
    other_root = square_root(middle)
    assert other_root is not None
    u_half = (middle - A - 2 * root * other_root) * gmpy2.invert(2, P) % P
    return u_half, other_root * u_half % P


def in_prime_subgroup(point: Affine) -> bool:
    """Whether a Weierstrass point of Curve25519 has order l: whether it can be halved three times."""
    current: Affine | None = ((point[0] - _THIRD_OF_A) % P, point[1])
    for _ in range(2):
        assert current is not None
        current = _half(*current)
        if current is None:
            return False
    assert current is not None
    return bool(gmpy2.legendre(current[0], P) == 1)


@dataclass(frozen=True, slots=True)
class Rfc8032:
    """RFC 8032, section 5.1.2: y in little-endian order, and the parity of x in the top bit.

    Stricter than section 5.1.3 asks: y must be below p, and the points (0, -1) and x = 0 with a sign are refused.
    """

    @property
    def size_bytes(self) -> int:
        """32."""
        return SIZE_BYTES

    def encode(self, point: Affine | None) -> bytes:
        """y and the parity of x."""
        x, y = to_edwards(point)
        return int(y | (x & 1) << 255).to_bytes(SIZE_BYTES, "little")

    def decode(self, data: bytes) -> Affine | None:
        """The point, of any order but 2; raises MalformedMessage for what is not the encoding of one."""
        if len(data) != SIZE_BYTES:
            raise MalformedMessage(f"a point of {len(data)} bytes, not {SIZE_BYTES}")
        value = int.from_bytes(data, "little")
        y, odd = value & ((1 << 255) - 1), bool(value >> 255)
        if y >= P:
            raise MalformedMessage("not a canonical point")
        if y == 1 and not odd:
            return None
        point = self.lift(y, odd=odd)
        if point is None:
            raise MalformedMessage("no point of odd order has this coordinate")
        return point

    def lift(self, coordinate: int, *, odd: bool) -> Affine | None:
        """The point of this y, modulo p, whose x is odd or even; None for x = 0 too."""
        y = gmpy2.mpz(coordinate) % P
        square = (y * y - 1) * gmpy2.invert(D * y * y + 1, P) % P
        x = square_root(square)
        if not x:
            return None
        return from_edwards(x if bool(x & 1) == odd else P - x, y)
