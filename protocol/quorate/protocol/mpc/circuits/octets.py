"""Byte strings as arrays of bits: shape (8, bytes), bit 0 of every byte first."""

from __future__ import annotations

import numpy as np

from .layer import Bits, PublicBits


def public_bits(data: bytes) -> PublicBits:
    """The bits of public bytes, shape (8, bytes)."""
    octets = np.frombuffer(data, dtype=np.uint8)
    return np.unpackbits(octets[np.newaxis], axis=0, bitorder="little").astype(np.bool_)


def bytes_of_bits(bits: PublicBits) -> bytes:
    """The bytes of opened bits, shape (8, bytes)."""
    return np.packbits(bits, axis=0, bitorder="little").tobytes()


def words_of_bytes(x: Bits, size: int, *, big_endian: bool) -> Bits:
    """Shape (8, bytes, batch) as words of `size` bytes: shape (8 size, words, batch), bit 0 of a word first."""
    table = x.reshape(8, -1, size, *x.shape[2:])
    if big_endian:
        table = table[:, :, ::-1]
    ordered = np.moveaxis(table, 2, 0)  # the byte in a word, its bits, the words
    return np.ascontiguousarray(ordered).reshape(8 * size, *ordered.shape[2:])


def bytes_of_words(x: Bits, *, big_endian: bool) -> Bits:
    """The inverse of `words_of_bytes`: shape (8 size, words, batch) as (8, bytes, batch)."""
    size = len(x) // 8
    table = np.moveaxis(x.reshape(size, 8, *x.shape[1:]), 0, 2)
    if big_endian:
        table = table[:, :, ::-1]
    return np.ascontiguousarray(table).reshape(8, size * x.shape[1], *x.shape[2:])
