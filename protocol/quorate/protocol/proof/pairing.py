"""The optimal ate pairing of BN254, and products of pairings, on gmpy2 integers: some milliseconds for a check.

e(P, Q) = f^((p^12 - 1) / r), where f is the value at P of the Miller function of 6u + 2 and Q, times two lines
through images of Q under Frobenius [F. Vercauteren, "Optimal pairings", 2010, section IV]. The final power goes by
the chain of M. Scott and others, "On the final exponentiation for calculating pairings on ordinary elliptic curves"
(2009), section 5.

F_p^12 is F_p[w] modulo w^12 - 18 w^6 + 82, so that w^6 = 9 + i. An element is a list of 12 coefficients; products go
through one large integer each (Kronecker substitution), which GMP multiplies faster than any tower of Python calls.
The inputs must have passed `points.PointGroup.check`. Time depends on the inputs, which are public in a verifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

import gmpy2 as untyped_gmpy2

from quorate.protocol.field import BN254_BASE

from .points import NON_RESIDUE, Affine, U, pair_inverse, pair_power, pair_times

gmpy2: Any = untyped_gmpy2

Extension: TypeAlias = list[int]
"""The 12 coefficients of an element of F_p^12, each below p."""
Line: TypeAlias = tuple[tuple[int, int], tuple[int, int], bool]
"""A slope, slope x - y, and whether the running value is squared before this line."""

MAX_CACHED_LINES: Final = 64
"""Points of G2 whose lines stay in memory, some 20 kB each: those of verification keys."""
_P: Final = gmpy2.mpz(BN254_BASE.modulus)
_LOOP: Final = 6 * U + 2
_SLOT_BITS: Final = 544
"""A coefficient of a product: below 12 p^2, in whole words."""
ONE: Final[Extension] = [gmpy2.mpz(1), *[gmpy2.mpz(0)] * 11]


def times(x: Extension, y: Extension) -> Extension:
    """x y in F_p^12."""
    product = gmpy2.pack(x, _SLOT_BITS) * gmpy2.pack(y, _SLOT_BITS)
    slots = gmpy2.unpack(product, _SLOT_BITS)
    slots += [0] * (23 - len(slots))
    for place in range(22, 11, -1):
        high = slots[place]
        slots[place - 6] += 18 * high
        slots[place - 12] -= 82 * high
    return [slot % _P for slot in slots[:12]]


def conjugate(x: Extension) -> Extension:
    """x^(p^6); the inverse of an element that the first part of the final power left."""
    return [-c % _P if place & 1 else c for place, c in enumerate(x)]


def frobenius(x: Extension, power: int = 1) -> Extension:
    """x^(p^power)."""
    out: Extension = [gmpy2.mpz(0)] * 12
    for place, factor in enumerate(_frobenius_factors(power)):
        upper = x[place + 6]
        value = (x[place] + 9 * upper, -upper if power & 1 else upper)  # a + b w^6 = a + 9b + b i
        real, imaginary = pair_times(value, factor)
        out[place], out[place + 6] = (real - 9 * imaginary) % _P, imaginary
    return out


@lru_cache(maxsize=12)
def _frobenius_factors(power: int) -> list[tuple[int, int]]:
    """w^((p^power - 1) k) for k = 0..5."""
    return [pair_power(NON_RESIDUE, (int(_P) ** power - 1) // 6 * place) for place in range(6)]


def inverse(x: Extension) -> Extension:
    """1 / x: the product of the other conjugates, divided by the norm, which is in F_p."""
    others = frobenius(x)
    for power in range(2, 12):
        others = times(others, frobenius(x, power))
    scale = gmpy2.invert(times(others, x)[0], _P)
    return [c * scale % _P for c in others]


def power(x: Extension, exponent: int) -> Extension:
    """x^exponent, for an exponent of at least 0."""
    result = ONE
    for bit in bin(exponent)[2:]:
        result = times(result, result)
        if bit == "1":
            result = times(result, x)
    return result


# Lines.


def _tangent(point: tuple[tuple[int, int], tuple[int, int]]) -> tuple[int, int]:
    (a, b), (c, d) = pair_times(point[0], point[0]), point[1]
    return pair_times((3 * a, 3 * b), pair_inverse((2 * c, 2 * d)))


def _chord(
    left: tuple[tuple[int, int], tuple[int, int]], right: tuple[tuple[int, int], tuple[int, int]]
) -> tuple[int, int]:
    (a, b), (c, d) = left
    (e, f), (g, h) = right
    return pair_times((g - c, h - d), pair_inverse((e - a, f - b)))


@lru_cache(maxsize=MAX_CACHED_LINES)
def lines_of(x: tuple[int, int], y: tuple[int, int]) -> tuple[Line, ...]:
    """The lines of the Miller function of a point of G2, in the order of the loop.

    No chord is vertical and no tangent either, since the running multiple stays below the order of the point.
    """
    lines: list[Line] = []
    base, current = (x, y), (x, y)

    def step(other: tuple[tuple[int, int], tuple[int, int]] | None, *, square: bool = False) -> None:
        nonlocal current
        (a, b), (c, d) = current
        m = _tangent(current) if other is None else _chord(current, other)
        e, f = a if other is None else other[0][0], b if other is None else other[0][1]
        r, s = pair_times(m, (a, b))
        lines.append((m, ((r - c) % _P, (s - d) % _P), square))
        r, s = pair_times(m, m)
        x3 = ((r - a - e) % _P, (s - b - f) % _P)
        r, s = pair_times(m, (a - x3[0], b - x3[1]))
        current = (x3, ((r - c) % _P, (s - d) % _P))

    for bit in bin(_LOOP)[3:]:
        step(None, square=True)
        if bit == "1":
            step(base)
    step(_image(base, 1))
    x2, y2 = _image(base, 2)
    step((x2, (-y2[0], -y2[1])))
    return tuple(lines)


def _image(
    point: tuple[tuple[int, int], tuple[int, int]], times_applied: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """psi, applied so often."""
    (a, b), (c, d) = point
    sign = -1 if times_applied & 1 else 1
    factors = _frobenius_factors(times_applied)
    return pair_times((a, sign * b), factors[2]), pair_times((c, sign * d), factors[3])


def miller(pairs: Iterable[tuple[Affine, Affine]]) -> Extension:
    """The product of the Miller values of pairs of a point of G1 and one of G2, with common squarings.

    A pair with infinity counts as 1. Raises ValueError for points of the other group.
    """
    tables: list[tuple[int, int, Sequence[Line]]] = []
    for left, right in pairs:
        if left is None or right is None:
            continue
        (x, y), (x2, y2) = left, right
        if isinstance(x, tuple) or isinstance(y, tuple) or not isinstance(x2, tuple) or not isinstance(y2, tuple):
            raise ValueError("a pairing takes a point of G1, then one of G2")
        tables.append((gmpy2.mpz(x), gmpy2.mpz(y), lines_of(x2, y2)))
    result = ONE
    if not tables:
        return result
    for place in range(len(tables[0][2])):
        if tables[0][2][place][2]:
            result = times(result, result)
        for x, y, lines in tables:
            result = times(result, _value(lines[place], x, y))
    return result


def _value(line: Line, x: int, y: int) -> Extension:
    """y - slope x w + (slope x' - y') w^3, a line through points (x', y') of the twist at a point of G1."""
    (a, b), (c, d), _ = line
    value = list(ONE)
    value[0] = y
    value[1], value[7] = (9 * b - a) * x % _P, -b * x % _P
    value[3], value[9] = (c - 9 * d) % _P, d % _P
    return value


def final_power(f: Extension) -> Extension:
    """f^((p^12 - 1) / r)."""
    f = times(conjugate(f), inverse(f))
    f = times(frobenius(f, 2), f)
    first = power(f, U)
    second = power(first, U)
    third = power(second, U)
    y0 = times(times(frobenius(f), frobenius(f, 2)), frobenius(f, 3))
    y1, y2, y3 = conjugate(f), frobenius(second, 2), conjugate(frobenius(first))
    y4, y5 = conjugate(times(first, frobenius(second))), conjugate(second)
    y6 = conjugate(times(third, frobenius(third)))
    left = times(times(times(y6, y6), y4), y5)
    right = times(times(y3, y5), left)
    left = times(left, y2)
    right = times(times(right, right), left)
    right = times(right, right)
    left = times(right, y1)
    right = times(right, y0)
    return times(times(left, left), right)


def pairing_product(pairs: Iterable[tuple[Affine, Affine]]) -> Extension:
    """The product of e(P, Q) over pairs of P in G1 and Q in G2; 1 for no pairs."""
    return final_power(miller(pairs))
