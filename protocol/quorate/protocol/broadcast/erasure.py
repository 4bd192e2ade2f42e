"""Reed-Solomon erasure code over GF(2^8) (Reed and Solomon, 1960): n fragments, any `needed` of which give the data.

Byte number b of fragment i is p_b(i), for the polynomial p_b of degree below `needed` over GF(2)[x]/(x^8 + x^4 + x^3 +
x^2 + 1) through byte b of the first `needed` fragments, which are the data itself in order (a systematic code). So
fragments are linear combinations of any others with Lagrange coefficients, byte by byte.

One look-up multiplies a byte by eight coefficients at once: a table entry holds eight products in one 64-bit word,
and words are added by exclusive or. That is several times faster in numpy than a table for each coefficient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]

MAX_FRAGMENTS: Final = 255
"""The most fragments: points are the elements 0..254."""
_POLYNOMIAL: Final = 0x11D
_WORD: Final = 8
_BLOCK: Final = 1 << 14  # symbols a step: the table indices and one accumulator stay in the cache
_CACHED_MATRICES: Final = 32


def _powers_of_the_generator() -> tuple[list[int], list[int]]:
    """Powers of x, twice over so that sums of logarithms need no reduction, and logarithms (that of 0 is unused)."""
    exponentials, logarithms = [0] * 510, [0] * 256
    value = 1
    for exponent in range(255):
        exponentials[exponent] = exponentials[exponent + 255] = value
        logarithms[value] = exponent
        value <<= 1
        if value & 0x100:
            value ^= _POLYNOMIAL
    return exponentials, logarithms


_EXPONENTIALS, _LOGARITHMS = _powers_of_the_generator()


def multiply(x: int, y: int) -> int:
    """The product of two elements, as bytes."""
    return _EXPONENTIALS[_LOGARITHMS[x] + _LOGARITHMS[y]] if x and y else 0


def divide(x: int, y: int) -> int:
    """The quotient of two elements, as bytes; raises ZeroDivisionError."""
    if not y:
        raise ZeroDivisionError("zero has no inverse in GF(2^8)")
    return _EXPONENTIALS[_LOGARITHMS[x] - _LOGARITHMS[y] + 255] if x else 0


class ErasureCode:
    """The code with `fragments` fragments of which `needed` suffice. Raises ValueError for an impossible pair."""

    def __init__(self, fragments: int, *, needed: int) -> None:
        if not 1 <= needed <= fragments <= MAX_FRAGMENTS:
            raise ValueError(f"no code has {fragments} fragments of which {needed} suffice")
        self.fragments = fragments
        self.needed = needed

    def fragment_bytes(self, size: int) -> int:
        """The size of each fragment of `size` bytes of data."""
        return -(-size // self.needed)

    def encode(self, data: bytes) -> list[bytes]:
        """All fragments of `data`, in order; the first `needed` are the data, padded with zeros."""
        length = self.fragment_bytes(len(data))
        rows = np.zeros((self.needed, length), dtype=np.uint8)
        rows.reshape(-1)[: len(data)] = np.frombuffer(data, dtype=np.uint8)
        parity = _combine(tuple(range(self.needed)), tuple(range(self.needed, self.fragments)), list(rows))
        return [row.tobytes() for row in (*rows, *parity)]

    def decode(self, fragments: Mapping[int, bytes | memoryview], *, size: int) -> bytes:
        """`size` bytes of data from the fragments by index, of which any `needed` are used.

        Wrong fragments give wrong data: check them before or after. Raises ValueError for too few fragments, an
        index outside the code, or a fragment of the wrong size.
        """
        if len(fragments) < self.needed:
            raise ValueError(f"{len(fragments)} fragments; {self.needed} are needed")
        length = self.fragment_bytes(size)
        sources = tuple(sorted(fragments)[: self.needed])
        if any(not 0 <= source < self.fragments or len(fragments[source]) != length for source in sources):
            raise ValueError(f"a fragment is not of this code, or not of {length} bytes")
        rows = [np.frombuffer(fragments[source], dtype=np.uint8) for source in sources]
        missing = tuple(index for index in range(self.needed) if index not in fragments)
        known = dict(zip(sources, rows, strict=True))
        known.update(zip(missing, _combine(sources, missing, rows), strict=True))
        return b"".join(known[index].tobytes() for index in range(self.needed))[:size]


@lru_cache(maxsize=1)
def _products() -> Bytes:
    return np.array([[multiply(x, y) for y in range(256)] for x in range(256)], dtype=np.uint8)


@lru_cache(maxsize=_CACHED_MATRICES)
def _tables(sources: tuple[int, ...], targets: tuple[int, ...]) -> NDArray[np.uint64]:
    """Word w of source s at value v: the products of v with the coefficients of targets 8w..8w+7; (s, w, 256)."""
    products = _products()
    words = -(-len(targets) // _WORD)
    packed = np.zeros((len(sources), words, 256, _WORD), dtype=np.uint8)
    for place, target in enumerate(targets):
        for row, source in enumerate(sources):
            packed[row, place // _WORD, :, place % _WORD] = products[_lagrange(sources, source, target)]
    return packed.view(np.uint64)[..., 0]


def _lagrange(points: Sequence[int], point: int, at: int) -> int:
    numerator = denominator = 1
    for other in points:
        if other != point:
            numerator = multiply(numerator, at ^ other)
            denominator = multiply(denominator, point ^ other)
    return divide(numerator, denominator)


def _combine(sources: tuple[int, ...], targets: tuple[int, ...], rows: Sequence[Bytes]) -> list[Bytes]:
    """The fragments at `targets` from those at `sources`, given as `rows` of equal length."""
    if not targets:
        return []
    length = len(rows[0])
    tables = _tables(sources, targets)
    words = tables.shape[1]
    result = np.empty((words * _WORD, length), dtype=np.uint8)
    sums = np.empty((words, _BLOCK), dtype=np.uint64)
    looked_up = np.empty(_BLOCK, dtype=np.uint64)
    for start in range(0, length, _BLOCK):
        stop = min(start + _BLOCK, length)
        size = stop - start
        sums[:, :size] = 0
        for row, values in enumerate(rows):
            indices = values[start:stop].astype(np.intp)
            for word in range(words):
                # "clip" lets numpy write straight into the buffer; no index is ever out of range
                np.take(tables[row, word], indices, out=looked_up[:size], mode="clip")
                np.bitwise_xor(sums[word, :size], looked_up[:size], out=sums[word, :size])
        for word in range(words):
            bytewise = sums[word, :size].view(np.uint8).reshape(size, _WORD)
            result[word * _WORD : (word + 1) * _WORD, start:stop] = bytewise.T
    return list(result[: len(targets)])
