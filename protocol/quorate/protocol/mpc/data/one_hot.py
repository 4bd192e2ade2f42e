"""One-hot vectors: 1 at a secret place, 0 elsewhere, from the bits of the place in logarithmic depth.

The one-hot vector of two groups of bits is the outer product of theirs. Its rows and columns sum to the two
factors, so one row and one column of it are not multiplied but subtracted. It runs under every scheme.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.logic import logical_not
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import together

MAX_INDEX_BITS: Final = 20
"""The most bits of a secret place."""


def one_hot(party: Party, bits: Sequence[Vector]) -> Protocol[Vector]:
    """Shape (2^k, batch, limbs): at place v, whether the `k` shared bits, lowest first, are those of v.

    ceil(log2(k)) rounds. Raises ValueError for no bits, or for more than MAX_INDEX_BITS.
    """
    if not 1 <= len(bits) <= MAX_INDEX_BITS:
        raise ValueError(f"a place has 1 to {MAX_INDEX_BITS} bits, not {len(bits)}")
    if len(bits) == 1:
        return np.stack([logical_not(party, bits[0]), bits[0]])
    low, high = yield from halves(party, bits)
    return (yield from outer(party, high, low))


def halves(party: Party, bits: Sequence[Vector]) -> Protocol[tuple[Vector, Vector]]:
    """The one-hot vectors of the lower and the upper half of at least two bits; the lower half is the longer."""
    middle = (len(bits) + 1) // 2
    return (yield from together(party, one_hot(party, bits[:middle]), one_hot(party, bits[middle:])))


def outer(party: Party, high: Vector, low: Vector) -> Protocol[Vector]:
    """The outer product of one-hot vectors of shapes (h, batch, limbs) and (l, batch, limbs): (h l, batch, limbs)."""
    field = party.field
    batch = low.shape[1]
    shape = (len(high) - 1, len(low) - 1, batch, field.limbs)
    left = np.broadcast_to(high[1:, np.newaxis], shape).reshape(-1, field.limbs)
    right = np.broadcast_to(low[np.newaxis, 1:], shape).reshape(-1, field.limbs)
    inner = (yield from multiply(party, left, right)).reshape(shape)
    out = np.empty((len(high), len(low), batch, field.limbs), dtype=np.uint64)
    out[1:, 1:] = inner
    out[1:, 0] = _rest(party, high[1:], inner.transpose(1, 0, 2, 3))
    out[0, 1:] = _rest(party, low[1:], inner)
    out[0, :1] = _rest(party, high[:1], out[:1, 1:].transpose(1, 0, 2, 3))
    return out.reshape(-1, batch, field.limbs)


def _rest(party: Party, whole: Vector, parts: Vector) -> Vector:
    """`whole` less the sum of `parts` along their first axis."""
    field = party.field
    rest = whole.reshape(-1, field.limbs)
    for part in parts:
        rest = field.sub(rest, np.ascontiguousarray(part).reshape(-1, field.limbs))
    return rest.reshape(whole.shape)
