"""Arrays of points of the two groups of BN254, G1 over F_p and G2 over F_p^2, both of prime order r.

G1: y^2 = x^3 + 3, and every point of the curve belongs to it. G2: y^2 = x^3 + 3 / (9 + i), where i^2 = -1; its curve
has other points too. A point belongs to G2 exactly when the endomorphism psi (untwist, Frobenius, twist) acts on it
as multiplication by 6 u^2 = t - 1: psi^2 - t psi + p = 0 holds on the whole curve, so that such a point is annulled
by (t - 1)^2 - t (t - 1) + p = p + 1 - t = r [M. Scott, "A note on group membership tests for G1, G2 and GT", 2021].

An affine array is (n, 2, 4) for G1 and (n, 2, 2, 4) for G2: coordinates as rows of `field.BN254_BASE`, a pair (a, b)
for a + b i; zeros for infinity. That is the layout of snarkjs's keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.field import BN254_BASE, Vector
from quorate.protocol.field.constants import PORTABLE, constants_of

from . import dispatch
from .errors import MalformedPoint

Points: TypeAlias = NDArray[np.uint64]
"""An array of affine points, or of points in the XYZZ coordinates of `operations`."""
Coordinate: TypeAlias = int | tuple[int, int]
Affine: TypeAlias = tuple[Coordinate, Coordinate] | None
"""(x, y) as integers or pairs of them; None for infinity."""

U: Final = 4965661367192848881
"""The parameter of the curve: p, r and t are polynomials in it."""
TABLE: Final = constants_of(BN254_BASE.modulus, PORTABLE)


@dataclass(frozen=True, slots=True)
class PointGroup:
    """One of the groups, for arrays of points; `width` elements of F_p make a coordinate."""

    name: str
    width: int
    b: tuple[int, ...]
    base: tuple[int, ...]
    """The coordinates of the standard generator [EIP-197]."""

    def shape(self, count: int, coordinates: int = 2) -> tuple[int, ...]:
        """The shape of an array of points."""
        return (count, coordinates, 4) if self.width == 1 else (count, coordinates, 2, 4)

    @property
    def one(self) -> Points:
        """1 as an array of one coordinate."""
        return BN254_BASE.vector([1, *[0] * (self.width - 1)]).reshape(self.shape(1, 1))

    @property
    def generator(self) -> Points:
        """The standard generator, one point."""
        return BN254_BASE.vector(self.base).reshape(self.shape(1))

    def array(self, points: Sequence[Affine]) -> Points:
        """Points as an array; their coordinates are reduced and not checked (see `check`)."""
        numbers: list[int] = []
        for point in points:
            for coordinate in point or ((0,) * self.width,) * 2:
                numbers.extend(coordinate if isinstance(coordinate, tuple) else (coordinate,))
        return BN254_BASE.vector(numbers).reshape(self.shape(len(points)))

    def integers(self, points: Points) -> list[Affine]:
        """The points of an affine array as integers."""
        numbers, width = BN254_BASE.integers(points.reshape(-1, 4)), self.width
        result: list[Affine] = []
        for first in range(0, len(numbers), 2 * width):
            values = numbers[first : first + 2 * width]
            x, y = ((values[0], values[1]), (values[2], values[3])) if width > 1 else (values[0], values[1])
            result.append((x, y) if any(values) else None)
        return result

    def is_infinity(self, points: Points) -> NDArray[np.bool_]:
        """Which points of an affine array are infinity."""
        return np.asarray(~points.reshape(len(points), 8 * self.width).any(axis=1))

    def check(self, points: Points, name: str, *, infinity: bool = True) -> None:
        """Demand that an array from outside has elements of the group only, infinity only if it is allowed.

        Raises MalformedPoint with `name` and the first bad place: coordinates not below p, not on the curve, outside
        the subgroup. The time depends on the points only, which are public.
        """
        try:
            BN254_BASE.from_bytes(np.ascontiguousarray(points).tobytes(), points.size // 4)
        except MalformedMessage:
            bad = next(i for i in range(len(points)) if not _canonical(points[i]))
            raise MalformedPoint(name, bad, "a coordinate is not below the modulus") from None
        infinite = self.is_infinity(points)
        if not infinity:
            _refuse(infinite, name, "infinity, where another element is needed")
        _refuse(~(self._on_curve(points) | infinite), name, f"not on the curve of {self.name}")
        if self.width > 1:
            _refuse(~(self._in_subgroup(points) | infinite), name, f"outside the subgroup {self.name}")

    def _on_curve(self, points: Points) -> NDArray[np.bool_]:
        x, y = self._coordinate(points, 0), self._coordinate(points, 1)
        left, right = self._times(y, y), self._times(self._times(x, x), x)
        terms = zip(left, right, self.b, strict=True)
        same = [(BN254_BASE.add_constant(r, b) == term).all(axis=1) for term, r, b in terms]
        result: NDArray[np.bool_] = np.logical_and.reduce(same)
        return result

    def _in_subgroup(self, points: Points) -> NDArray[np.bool_]:
        """psi(P) = 6 u^2 P; psi conjugates the coordinates and multiplies them by two constants."""
        multiple = self.affine(self.multiples(points, [6 * U * U] * len(points), bits=128))
        result = np.ones(len(points), dtype=np.bool_)
        for number, constant in enumerate(_TWIST_CONSTANTS):
            x = self._coordinate(points, number)
            factor = [BN254_BASE.full(len(points), part) for part in constant]
            image = self._times([x[0], BN254_BASE.neg(x[1])], factor)
            for part, expected in zip(image, self._coordinate(multiple, number), strict=True):
                result &= (part == expected).all(axis=1)
        return result

    def multiples(self, points: Points, scalars: Sequence[int], *, bits: int = 256) -> Points:
        """scalars[i] points[i] in XYZZ coordinates, for scalars below 2^bits, at most 256."""
        words = np.frombuffer(b"".join(scalar.to_bytes(32, "little") for scalar in scalars), dtype=np.uint64)
        out = np.empty(self.shape(len(points), 4), dtype=np.uint64)
        kernel = dispatch.point_kernel("multiples", self.name)
        kernel(TABLE, np.array(points, order="C"), words.reshape(-1, 4).copy(), bits, self.one, out)
        return out

    def affine(self, points: Points) -> Points:
        """An array in XYZZ coordinates as an affine one, for two inversions in all."""
        infinite = ~points[:, 2].reshape(len(points), 4 * self.width).any(axis=1)
        out = np.empty(self.shape(len(points)), dtype=np.uint64)
        for number in range(2):
            below = self._coordinate(points, 2 + number)
            below[0][infinite] = self.one.reshape(-1, 4)[0]
            result = self._times(self._coordinate(points, number), self._inverses(below))
            out[:, number] = np.stack(result, axis=1).reshape(out[:, number].shape)
        out[infinite] = 0
        return out

    # Coordinates as one vector for each element of F_p.

    def _coordinate(self, points: Points, number: int) -> list[Vector]:
        rows = points[:, number].reshape(len(points), self.width, 4)
        return [rows[:, part].copy() for part in range(self.width)]

    def _times(self, x: list[Vector], y: list[Vector]) -> list[Vector]:
        f = BN254_BASE
        if self.width == 1:
            return [f.mul(x[0], y[0])]
        real = f.sub(f.mul(x[0], y[0]), f.mul(x[1], y[1]))
        return [real, f.add(f.mul(x[0], y[1]), f.mul(x[1], y[0]))]

    def _inverses(self, x: list[Vector]) -> list[Vector]:
        f = BN254_BASE
        if self.width == 1:
            return [f.inverses(x[0])]
        inverse = f.inverses(f.add(f.mul(x[0], x[0]), f.mul(x[1], x[1])))
        return [f.mul(x[0], inverse), f.neg(f.mul(x[1], inverse))]


def _canonical(point: Points) -> bool:
    data, modulus = point.tobytes(), BN254_BASE.modulus
    return all(int.from_bytes(data[at : at + 32], "little") < modulus for at in range(0, len(data), 32))


def _refuse(bad: NDArray[np.bool_], name: str, reason: str) -> None:
    places = np.flatnonzero(bad)
    if places.size:
        raise MalformedPoint(name, int(places[0]), reason)


def pair_times(x: tuple[int, int], y: tuple[int, int]) -> tuple[int, int]:
    """x y in F_p^2."""
    p = BN254_BASE.modulus
    return (x[0] * y[0] - x[1] * y[1]) % p, (x[0] * y[1] + x[1] * y[0]) % p


def pair_power(base: tuple[int, int], exponent: int) -> tuple[int, int]:
    """base^exponent in F_p^2, for an exponent of at least 0."""
    result = (1, 0)
    for bit in bin(exponent)[2:]:
        result = pair_times(result, result)
        if bit == "1":
            result = pair_times(result, base)
    return result


def pair_inverse(x: tuple[int, int]) -> tuple[int, int]:
    """1 / x in F_p^2; raises ZeroDivisionError for zero."""
    p = BN254_BASE.modulus
    inverse = BN254_BASE.inverse(x[0] * x[0] + x[1] * x[1])
    return x[0] * inverse % p, -x[1] * inverse % p


def pair_add(left: Affine, right: Affine) -> Affine:
    """P + Q on either curve, by chord and tangent; an oracle for the kernels, a point at a time."""
    if left is None or right is None:
        return left or right
    p = BN254_BASE.modulus
    x1, y1, x2, y2 = (c if isinstance(c, tuple) else (c, 0) for c in (*left, *right))
    if x1 == x2:
        if y1 != y2 or y1 == (0, 0):
            return None
        square = pair_times(x1, x1)
        height, width = (3 * square[0], 3 * square[1]), (2 * y1[0], 2 * y1[1])
    else:
        height, width = (y2[0] - y1[0], y2[1] - y1[1]), (x2[0] - x1[0], x2[1] - x1[1])
    slope = pair_times(height, pair_inverse(width))
    square = pair_times(slope, slope)
    x3 = ((square[0] - x1[0] - x2[0]) % p, (square[1] - x1[1] - x2[1]) % p)
    chord = pair_times(slope, (x1[0] - x3[0], x1[1] - x3[1]))
    y3 = ((chord[0] - y1[0]) % p, (chord[1] - y1[1]) % p)
    return (x3, y3) if isinstance(left[0], tuple) else (x3[0], y3[0])


NON_RESIDUE: Final = (9, 1)
"""xi = 9 + i, which has neither a square nor a cube root: it makes the twist and the tower of fields."""
_TWIST_CONSTANTS: Final = (
    pair_power(NON_RESIDUE, (BN254_BASE.modulus - 1) // 3),
    pair_power(NON_RESIDUE, (BN254_BASE.modulus - 1) // 2),
)
"""psi(x, y) = (conjugate of x times the first, conjugate of y times the second)."""
_TWIST_B: Final = pair_times((3 * 9, -3), (BN254_BASE.inverse(82), 0))
"""3 / xi."""

G1: Final = PointGroup(dispatch.G1, 1, (3,), (1, 2))
G2: Final = PointGroup(
    dispatch.G2,
    2,
    _TWIST_B,
    (
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ),
)
