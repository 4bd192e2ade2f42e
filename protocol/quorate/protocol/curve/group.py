"""Groups of prime order as values: `Curve` and its elements, `Point`.

A `Point` is always in the subgroup of prime order: it comes from the generator, from `decode`, which checks, or from
other points. Scalars are Python integers modulo the order. The second generator of Pedersen commitments is hashed
from a public string, so that nobody knows its logarithm.

Arithmetic is not constant time: duration and memory accesses depend on scalars and points, here and in the arithmetic
modulo the order that protocols do with Python integers. Who can time a party closely, above all a process on the same
CPU, may learn about the secret scalars in use: shares when they are dealt, checked or proved, nonces, and a key's
share at every signature. Run it on machines whose other users are trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import gmpy2 as untyped_gmpy2

from quorate.protocol.errors import MalformedMessage

from .encoding import Encoding
from .multiplication import FixedBase, sum_of_products
from .weierstrass import Affine, Jacobian, Weierstrass

gmpy2: Any = untyped_gmpy2

SCALAR_BYTES: Final = 32
"""The size of an encoded scalar; every order here is below 2^256."""
EXTRA_RANDOM_BYTES: Final = 16
"""Random bytes beyond the scalar's size, so that reduction leaves a bias below 2^-128."""
MAX_FIXED_BASES: Final = 32
"""Tables of fixed bases that are kept, of some 1 MB each; the least recently used one goes."""
_MAX_ATTEMPTS: Final = 256
"""A candidate is a point with probability 1/2, so that so many all fail with probability 2^-256."""
_HASH_DOMAIN: Final = b"quorate/curve/hash to group/1"
SECOND_GENERATOR_DOMAIN: Final = b"quorate/curve/second generator/1"


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A group of prime order on an elliptic curve; `base` generates it. Two curves are equal only when identical.

    `in_subgroup` tells whether a point on the curve, never the identity, belongs to the group.
    """

    name: str
    law: Weierstrass = field(repr=False)
    order: int = field(kw_only=True, repr=False)
    base: Affine = field(kw_only=True, repr=False)
    encoding: Encoding = field(kw_only=True, repr=False)
    cofactor: int = field(default=1, kw_only=True, repr=False)
    in_subgroup: Callable[[Affine], bool] | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        base = (gmpy2.mpz(self.base[0]), gmpy2.mpz(self.base[1]))
        if not self.law.contains(base) or not gmpy2.is_prime(self.order):
            raise ValueError(f"{self.name}: the base is not on the curve, or the order is not prime")
        object.__setattr__(self, "base", base)

    def __reduce__(self) -> tuple[Callable[[str], Curve], tuple[str]]:
        from .curves import curve_named  # the table of curves is made of this class

        return curve_named, (self.name,)

    # Elements.

    @property
    def identity(self) -> Point:
        """The neutral element."""
        return Point(self, None)

    @property
    def generator(self) -> Point:
        """The standard's generator."""
        return Point(self, self.base)

    @property
    def second_generator(self) -> Point:
        """A generator whose logarithm to `generator` nobody knows: `hash_to_group(SECOND_GENERATOR_DOMAIN)`."""
        return _second_generator(self)

    @property
    def size_bytes(self) -> int:
        """The size of an encoded element."""
        return self.encoding.size_bytes

    def decode(self, data: bytes, *, identity: bool = False) -> Point:
        """The element of untrusted bytes; the identity only where `identity` allows it.

        Raises MalformedMessage for anything but the one encoding of an element of the group.
        """
        affine = self.encoding.decode(data)
        if affine is None:
            if not identity:
                raise MalformedMessage("the identity where another element is needed")
        elif self.in_subgroup is not None and not self.in_subgroup(affine):
            raise MalformedMessage(f"a point outside the group of {self.name}")
        return Point(self, affine)

    def hash_to_group(self, data: bytes) -> Point:
        """A point, not the identity, that follows from public `data` and has no known logarithm.

        Try and increment: the first counter 0.. for which SHAKE-256 of domain, curve name, data and counter (384
        bits and a sign) gives a coordinate of the encoding (y for ed25519, x else) of a point on the curve; times
        the cofactor. Its time depends on `data`, so that `data` must not be secret.
        """
        name = self.name.encode()
        prefix = _HASH_DOMAIN + bytes([len(name)]) + name + len(data).to_bytes(8, "big") + data
        for counter in range(_MAX_ATTEMPTS):
            digest = hashlib.shake_256(prefix + bytes([counter])).digest(65)
            affine = self.encoding.lift(int.from_bytes(digest[:64], "big"), odd=bool(digest[64] & 1))
            if affine is not None:
                cleared = self.law.to_affine(sum_of_products(self.law, [self.cofactor], [affine]))
                if cleared is not None:
                    return Point(self, cleared)
        raise AssertionError("unreachable: no candidate was a point")

    # Scalars.

    def random_scalar(self, randomness: Callable[[int], bytes]) -> int:
        """A uniform scalar, bias below 2^-128, from 48 bytes of `randomness`; it may be 0 with probability 1/order."""
        return int.from_bytes(randomness(SCALAR_BYTES + EXTRA_RANDOM_BYTES), "big") % self.order

    def encode_scalar(self, scalar: int) -> bytes:
        """32 big-endian bytes of a scalar, reduced."""
        return (scalar % self.order).to_bytes(SCALAR_BYTES, "big")

    def decode_scalar(self, data: bytes) -> int:
        """The scalar of 32 untrusted big-endian bytes; raises MalformedMessage unless it is below the order."""
        value = int.from_bytes(data, "big")
        if len(data) != SCALAR_BYTES or value >= self.order:
            raise MalformedMessage(f"not a scalar of {self.name}")
        return value

    # Arithmetic.

    def multiply_base(self, scalar: int) -> Point:
        """scalar times `generator`, by a table that the first call makes."""
        return self.generator.fixed_multiple(scalar)

    def commit(self, value: int, blinding: int) -> Point:
        """value times `generator` plus blinding times `second_generator`: Pedersen's commitment."""
        left = _fixed_base(self, self.base).multiply(value % self.order)
        second = self.second_generator.affine
        assert second is not None
        right = _fixed_base(self, second).multiply(blinding % self.order)
        return self._point(self.law.add(left, right))

    def sum(self, points: Iterable[Point]) -> Point:
        """The sum of any number of elements."""
        return self._point(self.law.sum(self._affine(point) for point in points))

    def sum_of_products(self, scalars: Sequence[int], points: Sequence[Point]) -> Point:
        """The sum of scalars[i] points[i]; raises ValueError for unequal lengths.

        Scalars are reduced; small ones, of either sign, cost less.
        """
        if len(scalars) != len(points):
            raise ValueError(f"{len(scalars)} scalars for {len(points)} points")
        order = self.order
        positive: list[int] = []
        affine: list[Affine] = []
        for scalar, point in zip(scalars, points, strict=True):
            place = self._affine(point)
            scalar %= order
            if place is None or not scalar:
                continue
            if order - scalar < scalar:  # a small negative scalar stays small
                scalar, place = order - scalar, (place[0], self.law.p - place[1])
            positive.append(scalar)
            affine.append(place)
        return self._point(sum_of_products(self.law, positive, affine))

    def _affine(self, point: Point) -> Affine | None:
        if point.curve is not self:
            raise ValueError(f"a point of {point.curve.name} among points of {self.name}")
        return point.affine

    def _point(self, jacobian: Jacobian) -> Point:
        return Point(self, self.law.to_affine(jacobian))


@dataclass(frozen=True, slots=True)
class Point:
    """An element of the group of `curve`: P + Q, P - Q, -P, P * scalar; `affine` is None for the identity."""

    curve: Curve
    affine: Affine | None

    @property
    def is_identity(self) -> bool:
        """Whether this is the neutral element."""
        return self.affine is None

    @property
    def coordinates(self) -> tuple[int, int]:
        """(x, y) of the Weierstrass form as Python integers; raises ValueError for the identity."""
        if self.affine is None:
            raise ValueError("the identity has no coordinates")
        return int(self.affine[0]), int(self.affine[1])

    def encode(self) -> bytes:
        """The one encoding of this element, `curve.size_bytes` long."""
        return self.curve.encoding.encode(self.affine)

    def __add__(self, other: Point) -> Point:
        return self.curve.sum((self, other))

    def __neg__(self) -> Point:
        return Point(self.curve, self.curve.law.negate(self.affine))

    def __sub__(self, other: Point) -> Point:
        return self + -other

    def __mul__(self, scalar: int) -> Point:
        return self.curve.sum_of_products((scalar,), (self,))

    def fixed_multiple(self, scalar: int) -> Point:
        """scalar times this point by a table of it; worth it from some 40 multiplications of one point on."""
        if self.affine is None:
            return self
        curve = self.curve
        product = _fixed_base(curve, self.affine).multiply(scalar % curve.order)
        return Point(curve, curve.law.to_affine(product))


@lru_cache(maxsize=MAX_FIXED_BASES)
def _fixed_base(curve: Curve, point: Affine) -> FixedBase:
    return FixedBase(curve.law, point, bits=curve.order.bit_length())


@lru_cache(maxsize=MAX_FIXED_BASES)
def _second_generator(curve: Curve) -> Point:
    return curve.hash_to_group(SECOND_GENERATOR_DOMAIN)
