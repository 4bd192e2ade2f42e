"""Measured operations on data and on bits: sorting, reading at secret places, block ciphers and hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import Vector
from quorate.protocol.mpc import Party, Protocol, verify
from quorate.protocol.mpc.circuits import (
    BitLayer,
    Bits,
    bit_layer,
    encrypt_blocks,
    public_bits,
    sha3_256,
    sha256,
)
from quorate.protocol.mpc.data import read, sort

from .workbench import Case, Workbench, signed_values

ROWS: Final = 1024
"""How many rows are sorted, and how long the array is that is read."""
_KEY: Final = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
_BLOCK: Final = bytes.fromhex("3243f6a8885a308d313198a2e0370734")
_ENCRYPTED: Final = bytes.fromhex("3925841d02dc09fbdc118597196a0b32")
"""The key, the block and its cipher of FIPS 197, appendix B."""


def build_sort(bench: Workbench, batch: int) -> Case:
    """Sorts of columns of 32-bit integers, one after another."""
    values = signed_values(batch * ROWS).reshape(batch, ROWS)
    tables = [bench.shares(row) for row in values]
    expected = [sorted(row.tolist()) for row in values]

    def run() -> Protocol[list[Vector]]:
        results = []
        for table in tables:
            results.append((yield from sort(bench.party, table, bits=32)))
        yield from verify(bench.party)
        return results

    def check(results: list[Vector]) -> Protocol[bool]:
        for result, wanted in zip(results, expected, strict=True):
            if not (yield from bench.sampled(result, wanted.__getitem__)):
                return False
        return True

    return Case(run, check)


def build_read(bench: Workbench, batch: int) -> Case:
    """Reads of one array at secret places, all over it."""
    values, places = signed_values(ROWS), np.arange(batch, dtype=np.int64) * 389 % ROWS
    array, secret = bench.shares(values), bench.shares(places)
    return Case(
        lambda: bench.verified(read(bench.party, array, secret)),
        lambda result: bench.sampled(result, lambda place: int(values[places[place]])),
    )


def build_aes(bench: Workbench, batch: int) -> Case:
    """AES-128; key and blocks are shared bits in the prime field, and so is what comes out."""
    party, layer = bench.party, bit_layer(bench.party)
    inputs = bench.shares(np.concatenate([_bits_of(_KEY), np.tile(_bits_of(_BLOCK), batch)]))

    def run() -> Protocol[Vector]:
        shaped = _by_byte((yield from layer.enter(party, inputs)), batch + 1)
        result = yield from encrypt_blocks(party, layer, shaped[:, :, :1], shaped[:, :, 1:])
        return (yield from bench.verified(layer.leave(party, result)))

    return _bits_case(bench, run, _ENCRYPTED, batch)


def build_sha256(bench: Workbench, batch: int) -> Case:
    """SHA-256 of messages of one block."""
    return _hash_case(bench, batch, sha256, hashlib.sha256(_BLOCK).digest())


def build_sha3_256(bench: Workbench, batch: int) -> Case:
    """SHA3-256 of messages of one block."""
    return _hash_case(bench, batch, sha3_256, hashlib.sha3_256(_BLOCK).digest())


def _hash_case(
    bench: Workbench, batch: int, function: Callable[[Party, BitLayer, Bits], Protocol[Bits]], digest: bytes
) -> Case:
    party, layer = bench.party, bit_layer(bench.party)
    messages = bench.shares(np.tile(_bits_of(_BLOCK), batch))

    def run() -> Protocol[Vector]:
        shaped = _by_byte((yield from layer.enter(party, messages)), batch)
        return (yield from bench.verified(layer.leave(party, (yield from function(party, layer, shaped)))))

    return _bits_case(bench, run, digest, batch)


def _bits_of(string: bytes) -> NDArray[np.int64]:
    """Bit 0 of all bytes, then bit 1 of all."""
    return public_bits(string).reshape(-1).astype(np.int64)


def _by_byte(bits: Bits, count: int) -> Bits:
    """Bits of strings of 16 bytes, one after another, in the shape (8, 16, count) of circuits."""
    return np.ascontiguousarray(np.moveaxis(bits.reshape(count, 8, 16, *bits.shape[1:]), 0, 2))


def _bits_case(bench: Workbench, run: Callable[[], Protocol[Vector]], expected: bytes, batch: int) -> Case:
    """A case whose every string of results is `expected`."""
    bits = np.repeat(_bits_of(expected), batch)  # the batch is the last axis
    return Case(run, lambda result: bench.sampled(result, lambda place: int(bits[place])))
