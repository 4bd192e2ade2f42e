"""Scalar multiplication: of any point, of a fixed one by a table, and sums of many products.

Any point: signed windows (wNAF) of up to 5 bits. A fixed base: signed windows of 8 bits, one table a window, so that a
256-bit scalar costs 33 additions and no doubling [Brickell, Gordon, McCurley, Wilson 1992]. Few products: interleaved
wNAF with common doublings [Moller 2001, section 3.2]. Many products: signed buckets [Pippenger 1976; Bernstein,
Doumen, Lange, Oosterwijk 2012, section 4]. A sum costs by its longest scalar, so that 128-bit weights take half.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .weierstrass import IDENTITY, Affine, Jacobian, Weierstrass

_WINDOWS: Final = ((40, 2), (80, 3), (220, 4))
"""Up to so many bits of the longest scalar, a window of so many; 5 above. A narrow one has a small table to make."""
_WIDEST_WINDOW: Final = 5
_FIXED_WINDOW: Final = 8
_FEW: Final = 40
"""Up to so many products interleaved wNAF is faster than buckets."""
_BUCKET_COST: Final = 3.5
"""What summing one bucket costs, in additions into a bucket."""


def signed_windows(scalar: int, width: int) -> list[int]:
    """Odd digits below 2^(width-1) in absolute value, or 0, with scalar = sum of digit[i] 2^i; scalar >= 0."""
    digits = []
    modulus, half = 1 << width, 1 << (width - 1)
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & (modulus - 1)
            if digit >= half:
                digit -= modulus
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits


def signed_digits(scalar: int, *, width: int, count: int) -> list[int]:
    """`count` digits in 1 - 2^(width-1)..2^(width-1) with scalar = sum of digit[i] 2^(width i); scalar >= 0."""
    modulus, half = 1 << width, 1 << (width - 1)
    digits = []
    for _ in range(count):
        digit = scalar & (modulus - 1)
        scalar >>= width
        if digit > half:
            digit -= modulus
            scalar += 1
        digits.append(digit)
    assert not scalar, "count is too small for the scalar"
    return digits


def _odd_multiples(law: Weierstrass, points: Sequence[Affine], *, width: int) -> list[list[Affine | None]]:
    """P, 3 P, 5 P, ... up to 2^(width - 1), for each point."""
    if width == 2:
        return [[point] for point in points]
    count = 1 << (width - 2)
    rows: list[Jacobian] = []
    for point in points:
        current = law.add_affine(IDENTITY, point)
        twice = law.double(current)
        rows.append(current)
        for _ in range(count - 1):
            current = law.add(current, twice)
            rows.append(current)
    flat = law.to_affine_all(rows)
    return [flat[start : start + count] for start in range(0, len(flat), count)]


def multiply_few(law: Weierstrass, scalars: Sequence[int], points: Sequence[Affine]) -> Jacobian:
    """The sum of scalars[i] points[i] by interleaved wNAF; scalars are not negative."""
    bits = max((scalar.bit_length() for scalar in scalars), default=0)
    width = next((width for most, width in _WINDOWS if bits <= most), _WIDEST_WINDOW)
    tables = _odd_multiples(law, points, width=width)
    columns: dict[int, list[Affine]] = {}
    for scalar, table in zip(scalars, tables, strict=True):
        for position, digit in enumerate(signed_windows(scalar, width)):
            if digit:
                entry = table[abs(digit) >> 1]
                if digit < 0:
                    entry = law.negate(entry)
                if entry is not None:
                    columns.setdefault(position, []).append(entry)
    total = IDENTITY
    for position in range(max(columns, default=-1), -1, -1):
        total = law.double(total)
        for entry in columns.get(position, ()):
            total = law.add_affine(total, entry)
    return total


def multiply_many(law: Weierstrass, scalars: Sequence[int], points: Sequence[Affine]) -> Jacobian:
    """The sum of scalars[i] points[i] by buckets; scalars are not negative."""
    bits = max((scalar.bit_length() for scalar in scalars), default=0)
    width = min(range(2, 17), key=lambda w: (bits // w + 1) * (len(points) + _BUCKET_COST * (1 << (w - 1))))
    count = bits // width + 1
    digits = [signed_digits(scalar, width=width, count=count) for scalar in scalars]
    total = IDENTITY
    for position in range(count - 1, -1, -1):
        for _ in range(width):
            total = law.double(total)
        total = law.add(total, _bucket_sum(law, [row[position] for row in digits], points, width=width))
    return total


def _bucket_sum(law: Weierstrass, digits: Sequence[int], points: Sequence[Affine], *, width: int) -> Jacobian:
    """The sum of digits[i] points[i]: points of one digit are added up, then every bucket so often as it says."""
    buckets = [IDENTITY] * ((1 << (width - 1)) + 1)
    p, add_affine = law.p, law.add_affine
    for digit, point in zip(digits, points, strict=True):
        if digit > 0:
            buckets[digit] = add_affine(buckets[digit], point)
        elif digit:
            buckets[-digit] = add_affine(buckets[-digit], (point[0], p - point[1]))
    total = running = IDENTITY
    for bucket in reversed(buckets[1:]):
        running = law.add(running, bucket)
        total = law.add(total, running)
    return total


def sum_of_products(law: Weierstrass, scalars: Sequence[int], points: Sequence[Affine]) -> Jacobian:
    """The sum of scalars[i] points[i]; scalars are not negative."""
    method = multiply_few if len(points) <= _FEW else multiply_many
    return method(law, scalars, points)


class FixedBase:
    """The table of one point for scalars below 2^bits: about bits / 8 x 128 points, some 15 ms to make."""

    __slots__ = ("_law", "_rows")

    def __init__(self, law: Weierstrass, point: Affine, *, bits: int) -> None:
        self._law = law
        half = 1 << (_FIXED_WINDOW - 1)
        count = bits // _FIXED_WINDOW + 1
        flat: list[Jacobian] = []
        base: Affine | None = point
        for _ in range(count):
            assert base is not None, "a fixed base has a large prime order"
            current = IDENTITY
            for _ in range(half):
                current = law.add_affine(current, base)
                flat.append(current)
            base = law.to_affine(law.double(current))
        affine = law.to_affine_all(flat)
        self._rows = [affine[start : start + half] for start in range(0, len(affine), half)]

    def multiply(self, scalar: int) -> Jacobian:
        """scalar times the point, for 0 <= scalar < 2^bits."""
        law = self._law
        total = IDENTITY
        digits = signed_digits(scalar, width=_FIXED_WINDOW, count=len(self._rows))
        for digit, row in zip(digits, self._rows, strict=True):
            if digit:
                entry = row[abs(digit) - 1]
                assert entry is not None
                total = law.add_affine(total, entry if digit > 0 else (entry[0], law.p - entry[1]))
        return total
