"""AES-128 on shared bits [FIPS 197], and its counter mode [NIST SP 800-38A, section 6.5].

Keys and blocks are arrays of shared bits of the shape (8, 16, batch): the bits of a byte, lowest first, then the
bytes in their order. A batch of blocks goes in the rounds of one. All ten rounds together take 40 rounds of
communication over GF(2^8), and 70 over the prime field; the key schedule runs beside them and adds none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import Plan
from quorate.protocol.mpc.preprocessing import reserve
from quorate.protocol.mpc.rounds import together

from .layer import BitLayer, Bits
from .octets import public_bits

ROUNDS: Final = 10
BLOCK_BYTES: Final = 16
MAX_BLOCKS: Final = 1 << 16
"""The most blocks of one batch: 1 MiB."""

_COLUMN, _ROW = np.divmod(np.arange(BLOCK_BYTES), 4)
_SHIFTED: Final = 4 * ((_COLUMN + _ROW) % 4) + _ROW
_BELOW: Final = 4 * _COLUMN + (_ROW + 1) % 4
_OPPOSITE: Final = 4 * _COLUMN + (_ROW + 2) % 4
_ROTATED_WORD: Final = np.array([13, 14, 15, 12])
_REDUCED_PLACES: Final = np.array([1, 3, 4])
"""Where the reduction polynomial of a doubled byte has bits, but for bit 0."""
_ROUND_CONSTANTS: Final = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1B, 0x36)


def aes_plan(layer: BitLayer, blocks: int, *, keys: int = 1) -> Plan:
    """What encrypting `blocks` blocks under `keys` keys takes from the pool."""
    return layer.substitution_plan(ROUNDS * (BLOCK_BYTES * blocks + 4 * keys))


def encrypt_blocks(party: Party, layer: BitLayer, key: Bits, blocks: Bits) -> Protocol[Bits]:
    """The encrypted blocks; `key` holds one key for all, or one for each block.

    Raises ValueError for shapes that do not fit, and for more than MAX_BLOCKS blocks.
    """
    key = _checked_key(key, blocks.shape)
    state = yield from layer.exclusive_or(party, blocks, np.broadcast_to(key, blocks.shape))
    return (yield from _rounds(party, layer, key, state))


def keystream(party: Party, layer: BitLayer, key: Bits, counters: Sequence[bytes]) -> Protocol[Bits]:
    """The encrypted public blocks `counters`, of 16 bytes each, under one shared key: the keystream of a mode.

    Raises ValueError for another key than one, for blocks of another size, and for more than MAX_BLOCKS.
    """
    if any(len(counter) != BLOCK_BYTES for counter in counters):
        raise ValueError(f"a block has {BLOCK_BYTES} bytes")
    shape = (8, BLOCK_BYTES, len(counters), *key.shape[3:])
    if key.shape[2:3] != (1,):
        raise ValueError("one key makes a keystream")
    key = _checked_key(key, shape)
    table = public_bits(b"".join(counters)).reshape(8, len(counters), BLOCK_BYTES).transpose(0, 2, 1)
    state = layer.flip(party, np.broadcast_to(key, shape), table)
    return (yield from _rounds(party, layer, key, state))


def encrypt_counter_mode(
    party: Party, layer: BitLayer, key: Bits, text: Bits, *, first_counter: bytes
) -> Protocol[Bits]:
    """`text`, shape (8, bytes), encrypted or decrypted in counter mode from the public 16-byte counter block on.

    The counter is the block as a big-endian integer, modulo 2^128. Never use a counter twice under one key. Raises
    ValueError for a counter of another size and for more than MAX_BLOCKS blocks.
    """
    size = text.shape[1]
    if len(first_counter) != BLOCK_BYTES:
        raise ValueError(f"a counter block has {BLOCK_BYTES} bytes, not {len(first_counter)}")
    count = -(-size // BLOCK_BYTES)
    start = int.from_bytes(first_counter)
    counters = [
        ((start + place) % (1 << 128)).to_bytes(BLOCK_BYTES) for place in range(min(count, MAX_BLOCKS + 1))
    ]
    stream = yield from keystream(party, layer, key, counters)
    in_order = np.moveaxis(stream, 2, 1).reshape(8, count * BLOCK_BYTES, *stream.shape[3:])
    return (yield from layer.exclusive_or(party, text, np.ascontiguousarray(in_order[:, :size])))


def _checked_key(key: Bits, shape: tuple[int, ...]) -> Bits:
    fits = key.shape[:2] == shape[:2] == (8, BLOCK_BYTES) and key.shape[3:] == shape[3:]
    if not fits or len(shape) < 3 or key.shape[2] not in {1, shape[2]}:
        raise ValueError(f"a key of shape {key.shape} does not fit blocks of shape {shape}: (8, 16, batch)")
    if shape[2] > MAX_BLOCKS:
        raise ValueError(f"at most {MAX_BLOCKS} blocks are encrypted in a batch, not {shape[2]}")
    return key


def _rounds(party: Party, layer: BitLayer, key: Bits, state: Bits) -> Protocol[Bits]:
    """All rounds, from a state to which the key was added; each next round key is made beside them."""
    blocks, keys, tail = state.shape[2], key.shape[2], state.shape[3:]
    if not blocks:
        return state
    yield from reserve(party, aes_plan(layer, blocks, keys=keys))
    for number in range(1, ROUNDS + 1):
        word = key[:, _ROTATED_WORD].reshape(8, 4 * keys, *tail)
        joined = np.concatenate([state.reshape(8, BLOCK_BYTES * blocks, *tail), word], axis=1)
        substituted = yield from layer.substitute_bytes(party, joined)
        state = substituted[:, : BLOCK_BYTES * blocks].reshape(state.shape)[:, _SHIFTED]
        word = substituted[:, BLOCK_BYTES * blocks :].reshape(8, 4, keys, *tail)
        following = _next_key(party, layer, key, word, number=number)
        if number < ROUNDS:
            state, key = yield from together(party, _mix_columns(party, layer, state), following)
        else:
            key = yield from following
        state = yield from layer.exclusive_or(party, state, np.broadcast_to(key, state.shape))
    return state


def _mix_columns(party: Party, layer: BitLayer, state: Bits) -> Protocol[Bits]:
    """2 a_r + 3 a_(r+1) + a_(r+2) + a_(r+3), as 2 s_r + a_(r+1) + s_(r+2) for the sums s_r = a_r + a_(r+1)."""
    below = state[:, _BELOW]
    sums = yield from layer.exclusive_or(party, state, below)
    doubled = np.roll(sums, 1, axis=0)
    left = np.concatenate([below, doubled[_REDUCED_PLACES]])
    right = np.concatenate([sums[:, _OPPOSITE], sums[[7, 7, 7]]])
    joined = yield from layer.exclusive_or(party, left, right)
    doubled[_REDUCED_PLACES] = joined[8:]
    return (yield from layer.exclusive_or(party, doubled, joined[:8]))


def _next_key(party: Party, layer: BitLayer, key: Bits, word: Bits, *, number: int) -> Protocol[Bits]:
    """The round key after `key`, given the substituted bytes of its rotated last word.

    Every word of it is the sum of the words so far, and of the substituted word and the round constant.
    """
    words = key.reshape(8, 4, 4, *key.shape[2:])
    pairs = yield from layer.exclusive_or(party, words[:, [0, 2]], words[:, [1, 3]])
    left = np.stack([words[:, 2], pairs[:, 1]], axis=1)
    longer = yield from layer.exclusive_or(party, left, pairs[:, [0, 0]])
    prefixes = np.concatenate([words[:, :1], pairs[:, :1], longer], axis=1)
    constant = np.zeros((8, 4, 1), dtype=np.bool_)
    constant[:, 0, 0] = public_bits(bytes([_ROUND_CONSTANTS[number - 1]]))[:, 0]
    added = np.broadcast_to(layer.flip(party, word, constant)[:, np.newaxis], prefixes.shape)
    return (yield from layer.exclusive_or(party, prefixes, added)).reshape(key.shape)
