"""SHA-256 on shared bits [FIPS 180-4, section 6.2]; the length of the message is public.

Messages are arrays of shared bits of the shape (8, bytes, batch). One of the 64 steps computes both new words in
one addition, and the message schedule runs beside the steps, 16 words ahead. A block takes 64 times 11 rounds of
communication over GF(2^8) and about 640 over the prime field, whatever the batch.
"""

from __future__ import annotations

from math import isqrt
from typing import Final

import numpy as np

from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import Plan
from quorate.protocol.mpc.preprocessing import reserve
from quorate.protocol.mpc.rounds import together

from .layer import BitLayer, Bits, PublicBits
from .octets import bytes_of_words, public_bits, words_of_bytes

BLOCK_BYTES: Final = 64
MAX_MESSAGE_BYTES: Final = 1 << 16
_STEPS: Final = 64
_WORD: Final = 32
_STEP_TERMS: Final = 7
_SCHEDULE_TERMS: Final = 4


def _primes(count: int) -> list[int]:
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def _cube_root(value: int) -> int:
    """The integer part of the cube root, by bisection."""
    low, high = 0, 1 << (value.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= value else (low, middle - 1)
    return low


_INITIAL: Final = [isqrt(prime << 64) % (1 << 32) for prime in _primes(8)]
_CONSTANTS: Final = [_cube_root(prime << 96) % (1 << 32) for prime in _primes(_STEPS)]


def sha256_plan(party: Party, layer: BitLayer, blocks: int) -> Plan:
    """What hashing `blocks` blocks takes from the pool; a message of m bytes has (m + 8) // 64 + 1 blocks."""
    steps = layer.addition_plan(party, 2 * _STEPS, width=_WORD, terms=_STEP_TERMS)
    schedule = layer.addition_plan(party, _STEPS - 16, width=_WORD, terms=_SCHEDULE_TERMS)
    return (steps + schedule + layer.addition_plan(party, 8, width=_WORD, terms=2)).times(blocks)


def sha256(party: Party, layer: BitLayer, message: Bits) -> Protocol[Bits]:
    """The digests, shape (8, 32, batch), of messages of one length, shape (8, bytes, batch).

    Raises ValueError for messages of more than MAX_MESSAGE_BYTES bytes.
    """
    size, batch = message.shape[1:3]
    if size > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message has at most {MAX_MESSAGE_BYTES} bytes, not {size}")
    fill = b"\x80" + bytes(-(size + 9) % BLOCK_BYTES) + (8 * size).to_bytes(8)
    padding = layer.public(party, np.repeat(public_bits(fill)[:, :, np.newaxis], batch, axis=2))
    words = words_of_bytes(np.concatenate([message, padding], axis=1), 4, big_endian=True)
    state = layer.public(party, np.repeat(_public_words(_INITIAL), batch, axis=2))
    for start in range(0, words.shape[1], 16):
        state = yield from compress(party, layer, state, words[:, start : start + 16])
    return bytes_of_words(state, big_endian=True)


def compress(party: Party, layer: BitLayer, state: Bits, block: Bits) -> Protocol[Bits]:
    """The state after one block: shapes (32, 8, batch) and (32, 16, batch)."""
    yield from reserve(party, sha256_plan(party, layer, state.shape[2]))
    words = [block[:, place] for place in range(16)]
    working = state
    constants = layer.public(party, np.repeat(_public_words(_CONSTANTS), state.shape[2], axis=2))
    for step in range(_STEPS):
        following = _step(party, layer, working, words[step], constants[:, step])
        if step < _STEPS - 16:
            recent = [words[step + place] for place in (0, 1, 9, 14)]
            working, word = yield from together(party, following, _schedule(party, layer, *recent))
            words.append(word)
        else:
            working = yield from following
    return (yield from layer.add(party, [state, working]))


def _step(party: Party, layer: BitLayer, working: Bits, word: Bits, constant: Bits) -> Protocol[Bits]:
    """One step on the working words a..h."""
    a, b, c, d, e, f, g, h = (working[:, place] for place in range(8))
    sums, (chosen, most) = yield from together(
        party,
        layer.exclusive_or(party, *(_turned_pair(a, e, place) for place in range(3))),
        together(party, layer.choose(party, e, f, g), layer.majority(party, a, b, c)),
    )
    nothing = layer.public(party, np.zeros((_WORD, d.shape[1]), dtype=np.bool_))
    common = (h, constant, word, sums[:, 1], chosen)
    terms = [np.stack([term, term], axis=1) for term in common]
    terms += [np.stack([sums[:, 0], d], axis=1), np.stack([most, nothing], axis=1)]
    fresh = yield from layer.add(party, terms)
    return np.concatenate([fresh[:, :1], working[:, :3], fresh[:, 1:], working[:, 4:7]], axis=1)


def _turned_pair(a: Bits, e: Bits, place: int) -> Bits:
    """The rotations of a and e of which three make the two sums of a step."""
    return np.stack([_rotated(a, (2, 13, 22)[place]), _rotated(e, (6, 11, 25)[place])], axis=1)


def _schedule(
    party: Party, layer: BitLayer, first: Bits, second: Bits, tenth: Bits, latest: Bits
) -> Protocol[Bits]:
    """The word 16 places after `first` of the message schedule."""
    pair = [
        np.stack([_rotated(second, 7), _rotated(latest, 17)], axis=1),
        np.stack([_rotated(second, 18), _rotated(latest, 19)], axis=1),
        np.stack([_shifted(second, 3), _shifted(latest, 10)], axis=1),
    ]
    sums = yield from layer.exclusive_or(party, *pair)
    return (yield from layer.add(party, [first, sums[:, 0], tenth, sums[:, 1]]))


def _rotated(x: Bits, places: int) -> Bits:
    """A rotation towards bit 0."""
    return np.concatenate([x[places:], x[:places]])


def _shifted(x: Bits, places: int) -> Bits:
    """A shift towards bit 0; the upper places are zero, and so are shares of zero."""
    result = np.zeros_like(x)
    result[:-places] = x[places:]
    return result


def _public_words(values: list[int]) -> PublicBits:
    """Public words as bits, shape (32, words, 1)."""
    table = np.array(values, dtype=np.uint32)[np.newaxis] >> np.arange(_WORD, dtype=np.uint32)[:, np.newaxis]
    return (table & 1).astype(np.bool_)[:, :, np.newaxis]
