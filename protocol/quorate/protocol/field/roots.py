"""Powers by a public exponent, and square roots, of whole vectors.

Both are chains of element-wise products: the work goes through blocks of a vector that stay in the cache.

A square root mod p, p - 1 = 2^s q with q odd, is a power when s = 1. Otherwise x^((q + 1) / 2) is a root of x up to
a power of a generator g of the 2^s-th roots of unity; which power is a discrete logarithm of x^q, taken eight bits
at a time from a table. P. Sarkar, "Computing square roots faster than the Tonelli-Shanks/Bernstein algorithm"
(2020). The time of that depends on the elements: it is meant for opened values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from .constants import Words
from .vectors import Vector

if TYPE_CHECKING:
    from .prime import PrimeField

BLOCK: Final = 2048
"""The rows of a block: the vectors that a chain of products needs fit a cache of 1 MB."""
_WINDOW: Final = 4
"""The bits of an exponent for each product with a table of powers."""
_DIGIT: Final = 8
"""The most bits of a discrete logarithm that one look-up tells."""


def raise_all(field: PrimeField, x: Vector, exponent: int) -> Vector:
    """x ** exponent, element-wise, for an exponent of at least 0; 0 ** 0 is 1."""
    if exponent >= field.modulus:
        exponent = (exponent - 1) % (field.modulus - 1) + 1  # not to 0: zero must stay zero
    return np.concatenate([_raised(field, block, exponent) for block in _blocks(x)])


def square_roots(field: PrimeField, x: Vector) -> Vector:
    """A root of each element, which of the two is left open; ValueError when one has none."""
    roots = np.concatenate([_roots(field, block) for block in _blocks(x)])
    wrong = np.nonzero((field.mul(roots, roots) != x).any(axis=1))[0]
    if wrong.size:
        raise ValueError(f"element {wrong[0]} is no square in {field.name}")
    return roots


def _blocks(x: Vector) -> list[Vector]:
    return [x[start : start + BLOCK] for start in range(0, max(len(x), 1), BLOCK)]


def _raised(field: PrimeField, x: Vector, exponent: int) -> Vector:
    if exponent == 0:
        return field.full(len(x), 1)
    digits: list[int] = []
    while exponent:
        digits.append(exponent % (1 << _WINDOW))
        exponent >>= _WINDOW
    table = [x, x]
    while len(table) <= max(digits):
        table.append(field.mul(table[-1], x))
    result = table[digits.pop()]
    for digit in reversed(digits):
        for _ in range(_WINDOW):
            result = field.mul(result, result)
        if digit:
            result = field.mul(result, table[digit])
    return result


@dataclass(frozen=True, slots=True)
class _Window:
    """How to read and remove `width` bits of a logarithm in base g, where the lower bits are gone already.

    Left to do before reading are `squarings`: they take what is left to a root of unity of order 2^width. One limb
    tells these roots apart. `remover[j]` is g^-j, for j moved to the place of the window.
    """

    width: int
    squarings: int
    limb: int
    keys: Words
    logarithms: Words
    remover: Vector

    def read(self, roots: Vector) -> Words:
        """The bits, from roots of unity of order 2^width; any bits for other elements."""
        places = np.searchsorted(self.keys, roots[:, self.limb])
        return self.logarithms[np.minimum(places, len(self.keys) - 1)]


def _roots(field: PrimeField, x: Vector) -> Vector:
    """Square roots of the elements that have one, anything for the others."""
    twos, odd = _two_adicity(field.modulus)
    part = _raised(field, x, (odd - 1) // 2)
    roots = field.mul(x, part)
    if twos == 1:
        return roots
    windows, rest, digits = _windows(field), field.mul(roots, part), []
    for window in windows:
        top = rest
        for _ in range(window.squarings):
            top = field.mul(top, top)
        digits.append(window.read(top))
        rest = field.mul(rest, window.remover[digits[-1]])
    digits.append(np.zeros(len(x), dtype=np.uint64))
    for position, window in enumerate(windows):
        # Half the logarithm, which is even for a square: its bits are one place lower.
        incoming = (digits[position + 1] & np.uint64(1)) << np.uint64(window.width - 1)
        roots = field.mul(roots, window.remover[digits[position] >> np.uint64(1) | incoming])
    return roots


def _two_adicity(modulus: int) -> tuple[int, int]:
    """s and q, where modulus - 1 = 2^s q and q is odd."""
    even = modulus - 1
    twos = (even & -even).bit_length() - 1
    return twos, even >> twos


@lru_cache(maxsize=16)
def _windows(field: PrimeField) -> list[_Window]:
    twos, odd = _two_adicity(field.modulus)
    candidate = 2
    while field.power(candidate, field.modulus // 2) == 1:
        candidate += 1
    generator, windows, place = field.power(candidate, odd), [], 0
    while place < twos:
        width = min(_DIGIT, twos - place)
        squarings = twos - place - width
        roots = _successive_powers(field, field.power(generator, 1 << (twos - width)), 1 << width)
        limb = next(limb for limb in range(field.limbs) if len(np.unique(roots[:, limb])) == len(roots))
        order = np.argsort(roots[:, limb])
        remover = _successive_powers(field, field.power(generator, -(1 << place)), 1 << width)
        windows.append(_Window(width, squarings, limb, roots[order, limb], order.astype(np.uint64), remover))
        place += width
    return windows


def _successive_powers(field: PrimeField, base: int, count: int) -> Vector:
    powers = [1]
    while len(powers) < count:
        powers.append(powers[-1] * base % field.modulus)
    return field.vector(powers)
