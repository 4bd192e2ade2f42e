"""Keccak-f[1600] on shared bits, with SHA3-256 and Keccak-256 [FIPS 202, sections 3.2, 4 and 6.1].

A state is an array of shared bits of the shape (64, 5, 5, batch): the bits of a lane, lowest first, then y and x.
One of the 24 rounds has 1,600 conjunctions in one layer: a round of communication over GF(2^8), where all the rest
is free, and 7 over the prime field. Keccak-256 is what Ethereum uses; it differs from SHA3-256 in the padding.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from quorate.protocol.mpc.party import Party, Protocol

from .layer import BitLayer, Bits, PublicBits
from .octets import bytes_of_words, public_bits, words_of_bytes

ROUNDS: Final = 24
RATE_BYTES: Final = 136
"""The bytes that one permutation of a 256-bit hash takes in."""
DIGEST_BYTES: Final = 32
MAX_MESSAGE_BYTES: Final = 1 << 16
_LANE: Final = 64
_SHA3_SUFFIX: Final = 0x06
_KECCAK_SUFFIX: Final = 0x01


def _rotations() -> dict[tuple[int, int], int]:
    """How far rho turns the lane at (x, y)."""
    found = {(0, 0): 0}
    x, y = 1, 0
    for step in range(ROUNDS):
        found[x, y] = (step + 1) * (step + 2) // 2 % _LANE
        x, y = y, (2 * x + 3 * y) % 5
    return found


def _round_constants() -> PublicBits:
    """What iota adds to the lane (0, 0), shape (24, 64): bits of a shift register."""
    table = np.zeros((ROUNDS, _LANE), dtype=np.bool_)
    register = 1
    for number in range(ROUNDS):
        for place in range(7):
            table[number, (1 << place) - 1] = register & 1
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
    return table


_ROTATIONS: Final = _rotations()
_CONSTANTS: Final = _round_constants()


def keccak_f(party: Party, layer: BitLayer, state: Bits) -> Protocol[Bits]:
    """The permutation of a state, shape (64, 5, 5, batch)."""
    for number in range(ROUNDS):
        mixed = yield from _theta(party, layer, state)
        moved = _rho_and_pi(mixed)
        complement = layer.flip(party, np.roll(moved, -1, axis=2), np.ones((1, 1, 1, 1), dtype=np.bool_))
        products = yield from layer.both(party, complement, np.roll(moved, -2, axis=2))
        state = yield from layer.exclusive_or(party, moved, products)
        constant = np.zeros((_LANE, 5, 5, 1), dtype=np.bool_)
        constant[:, 0, 0, 0] = _CONSTANTS[number]
        state = layer.flip(party, state, constant)
    return state


def _theta(party: Party, layer: BitLayer, state: Bits) -> Protocol[Bits]:
    """Adds to every bit the parities of two columns near it."""
    parity = yield from layer.exclusive_or(party, *(state[:, y] for y in range(5)))
    turned = np.roll(np.roll(parity, -1, axis=1), 1, axis=0)
    effect = yield from layer.exclusive_or(party, np.roll(parity, 1, axis=1), turned)
    return (yield from layer.exclusive_or(party, state, np.broadcast_to(effect[:, np.newaxis], state.shape)))


def _rho_and_pi(state: Bits) -> Bits:
    """Turns each lane, and moves it: no communication."""
    moved = np.empty_like(state)
    for (x, y), turn in _ROTATIONS.items():
        moved[:, (2 * x + 3 * y) % 5, y] = np.roll(state[:, y, x], turn, axis=0)
    return moved


def sha3_256(party: Party, layer: BitLayer, message: Bits) -> Protocol[Bits]:
    """The digests, shape (8, 32, batch), of messages of one length, shape (8, bytes, batch).

    Raises ValueError for messages of more than MAX_MESSAGE_BYTES bytes.
    """
    return (yield from _sponge(party, layer, message, suffix=_SHA3_SUFFIX))


def keccak_256(party: Party, layer: BitLayer, message: Bits) -> Protocol[Bits]:
    """As `sha3_256`, with the padding of the first Keccak submission: the hash of Ethereum."""
    return (yield from _sponge(party, layer, message, suffix=_KECCAK_SUFFIX))


def _sponge(party: Party, layer: BitLayer, message: Bits, *, suffix: int) -> Protocol[Bits]:
    size, batch = message.shape[1:3]
    if size > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message has at most {MAX_MESSAGE_BYTES} bytes, not {size}")
    fill = bytearray(RATE_BYTES - size % RATE_BYTES)
    fill[0] = suffix
    fill[-1] |= 0x80
    padding = layer.public(party, np.repeat(public_bits(bytes(fill))[:, :, np.newaxis], batch, axis=2))
    lanes = words_of_bytes(np.concatenate([message, padding], axis=1), 8, big_endian=False)
    taken = RATE_BYTES // 8
    rest = layer.public(party, np.zeros((_LANE, 25 - taken, batch), dtype=np.bool_))
    flat = np.concatenate([lanes[:, :taken], rest], axis=1)
    shape = (_LANE, 5, 5, *lanes.shape[2:])
    for start in range(taken, lanes.shape[1], taken):
        flat = (yield from keccak_f(party, layer, flat.reshape(shape))).reshape(flat.shape)
        block = yield from layer.exclusive_or(party, flat[:, :taken], lanes[:, start : start + taken])
        flat = np.concatenate([block, flat[:, taken:]], axis=1)
    flat = (yield from keccak_f(party, layer, flat.reshape(shape))).reshape(flat.shape)
    return bytes_of_words(flat[:, : DIGEST_BYTES // 8], big_endian=False)
