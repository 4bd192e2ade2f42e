"""Vectors as arrays: how they enter the kernels, and how integers become limbs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .constants import MAX_WEIGHT, PORTABLE, Weights, Words, kept_words
from .dispatch import kernel

Vector: TypeAlias = NDArray[np.uint64]
"""Field elements: shape (n, limbs), little-endian 64-bit limbs, times the radix of the field, canonical."""

MAX_WEIGHTED_ROWS: Final = 256
"""The most vectors that one lazy weighted sum takes; more go through a matrix of field coefficients."""
MAX_ROWS: Final = 1 << 15
"""The most vectors that one sum of products takes before it must be reduced."""

MAX_CACHED: Final = 256
"""The most coefficients of one set that stays in memory."""


def row(value: int, limbs: int) -> Vector:
    """An integer that fits `limbs` words, shape (1, limbs)."""
    return np.frombuffer(bytearray(value.to_bytes(8 * limbs, "little")), dtype=np.uint64).reshape(1, limbs)


def integer_words(values: Sequence[int], modulus: int, width: int) -> Words:
    """Integers as rows of `width` words: as they are when none is negative and all fit, else reduced."""
    size = 8 * width
    try:
        data = b"".join([value.to_bytes(size, "little") for value in values])
    except OverflowError:
        data = b"".join([(value % modulus).to_bytes(size, "little") for value in values])
    return np.frombuffer(bytearray(data), dtype=np.uint64).reshape(-1, width)


def enter(x: Vector, limbs: int) -> Vector:
    """A vector as the kernels take it: C-contiguous, aligned, writable; copied only when it is not.

    Raises ValueError for another shape or another type of element.
    """
    if x.ndim != 2 or x.shape[1] != limbs or x.dtype != np.uint64:
        raise ValueError(f"a vector is an (n, {limbs}) uint64 array, not {x.dtype} of shape {x.shape}")
    return x if x.flags.carray else np.array(x, order="C")


def pair(x: Vector, y: Vector, limbs: int) -> tuple[Vector, Vector]:
    """Two vectors of one length; raises ValueError for unequal lengths."""
    if x.shape != y.shape:
        raise ValueError(f"vectors of {len(x)} and {len(y)} elements: the lengths must be equal")
    return enter(x, limbs), enter(y, limbs)


def one_length(rows: Sequence[Vector], limbs: int) -> list[Vector]:
    """One or more vectors of one length; raises ValueError for none, for too many, or for unequal lengths."""
    if not 1 <= len(rows) <= MAX_ROWS:
        raise ValueError(f"{len(rows)} vectors: a sum takes 1 to {MAX_ROWS}")
    if any(other.shape != rows[0].shape for other in rows):
        raise ValueError("vectors of different lengths: the rows of a sum must have one length")
    return [enter(other, limbs) for other in rows]


def frozen(data: bytes | memoryview, words: int) -> Words:
    """Bytes from outside as read-only, aligned rows of words."""
    array = np.frombuffer(data, dtype=np.uint64).reshape(-1, words)
    if not array.flags.aligned:
        array = array.copy()
    array.flags.writeable = False
    return array


def places(vectors: list[Vector], kernels: str) -> tuple[Words, Words]:
    """The addresses of vectors (which the caller keeps alive), and a scratch array with a place for each."""
    address = kernel("address", PORTABLE)
    addresses = np.array([address(vector) for vector in vectors], dtype=np.uintp)
    return addresses, np.empty((len(vectors), kept_words(kernels)), dtype=np.uint64)


def light(coefficients: Sequence[Sequence[int]], modulus: int) -> tuple[Weights, Weights] | None:
    """The weights (m, k) of lazy sums and the negative total (m,) of each, or None when they are too heavy.

    Coefficients count by their distance from zero mod p. Small sets stay in memory, because the same few
    recombinations come back every round.
    """
    if len(coefficients) * len(coefficients[0]) > MAX_CACHED:
        return _weights(coefficients, modulus)
    return _cached_weights(tuple(map(tuple, coefficients)), modulus)


@lru_cache(maxsize=64)
def light_powers(parties: int, degree: int, modulus: int) -> Weights | None:
    """`powers` without the leading ones, as weights of a lazy sum; None when they are too heavy."""
    weights = _weights(powers(parties, degree), modulus)
    return None if weights is None else weights[0][:, 1:].copy()


def powers(parties: int, degree: int) -> list[list[int]]:
    """The lines 1, i, i^2, ..., i^degree of the Vandermonde matrix at the points i = 1..parties."""
    if parties < 1:
        raise ValueError(f"{parties} parties: shares need at least one")
    return [[point**exponent for exponent in range(degree + 1)] for point in range(1, parties + 1)]


def _weights(coefficients: Sequence[Sequence[int]], modulus: int) -> tuple[Weights, Weights] | None:
    if len(coefficients[0]) > MAX_WEIGHTED_ROWS:
        return None
    half = modulus // 2
    lines = [[(value + half) % modulus - half for value in line] for line in coefficients]
    if any(sum(map(abs, line)) >= MAX_WEIGHT for line in lines):
        return None
    weights = np.array(lines, dtype=np.int64)
    return weights, -np.minimum(weights, 0).sum(axis=1)


_cached_weights = lru_cache(maxsize=256)(_weights)
