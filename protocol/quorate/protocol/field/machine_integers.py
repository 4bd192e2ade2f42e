"""Integers of numpy arrays, and their bits, as the words that fields take: no Python integer is made on the way."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .constants import Words

_PLACES: Final = np.array([1 << place for place in range(8)], dtype=np.uint8)
"""The bits of a byte, least significant first."""


def bits_of(words: Words, count: int) -> NDArray[np.bool_]:
    """The low `count` bits of little-endian integers in rows of words, shape (count, n)."""
    data = np.ascontiguousarray(words.view(np.uint8)[:, : -(-count // 8)].T)
    # Whole rows of bytes against a mask: many times faster than np.unpackbits along this axis.
    bits: NDArray[np.bool_] = (data[:, np.newaxis] & _PLACES[:, np.newaxis]) != 0
    return bits.reshape(-1, words.shape[0])[:count]


def words_of_bits(bits: NDArray[np.bool_], width: int) -> Words:
    """The integers with given bits (count, n), least significant first, as rows of `width` words.

    Raises ValueError for another type or shape, or for more bits than fit.
    """
    if bits.dtype != np.bool_ or bits.ndim != 2 or bits.shape[0] > 64 * width:
        raise ValueError(
            f"bits are a bool array of shape (up to {64 * width}, n), not {bits.dtype} of shape {bits.shape}"
        )
    count, size = bits.shape
    places = np.zeros((-(-count // 8) * 8, size), dtype=np.uint8)
    places[:count] = bits
    places = places.reshape(-1, 8, size) * _PLACES[:, np.newaxis]
    return _padded(np.bitwise_or.reduce(places, axis=1).T, width)


def words_of_bytes(data: bytes | memoryview, size: int, width: int) -> Words:
    """Little-endian integers of `size` bytes each, as rows of `width` words, which they fit.

    Raises ValueError for a length that is no multiple of `size`.
    """
    if len(data) % size:
        raise ValueError(f"{len(data)} bytes are not integers of {size} bytes each")
    return _padded(np.frombuffer(data, dtype=np.uint8).reshape(-1, size), width)


def machine_words(values: NDArray[Any], width: int) -> tuple[Words, bool]:
    """A numpy array of integers as rows of `width` words, and whether they are signed: then 2^63 too much.

    Raises ValueError for another type of element, or for more than one dimension.
    """
    if values.ndim != 1 or values.dtype.kind not in "iub":
        raise ValueError(f"machine integers are a flat array of integers, not {values.dtype} of {values.shape}")
    signed = values.dtype.kind == "i"
    words = np.zeros((values.shape[0], width), dtype=np.uint64)
    words[:, 0] = values.astype(np.int64).view(np.uint64) ^ np.uint64(1 << 63) if signed else values
    return words, signed


def _padded(data: NDArray[np.uint8], width: int) -> Words:
    words = np.zeros((data.shape[0], 8 * width), dtype=np.uint8)
    words[:, : data.shape[1]] = data
    return words.view(np.uint64)
