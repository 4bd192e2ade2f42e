"""Addition of words of shared bits by a circuit: carry-save steps, and a parallel prefix adder.

Three words become two with the same sum, their bitwise sum and their carries, until two are left. These are added
by whether the bits up to each place generate a carry, and whether a run of places passes it on [Sklansky,
Conditional-Sum Addition Logic, 1960]: 1 + ceil(log2(width - 1)) rounds of conjunctions. Bits are on axis 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from quorate.protocol.mpc.data.columns import Places
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import together

from .layer import Bits

if TYPE_CHECKING:
    from .layer import BitLayer


def carry_save_sum(party: Party, layer: BitLayer, terms: Sequence[Bits]) -> Protocol[Bits]:
    """The sum of one or more words modulo 2^(their length)."""
    words = list(terms)
    while len(words) > 2:
        threes = len(words) // 3
        x, y, z = (np.stack(words[start : 3 * threes : 3], axis=1) for start in range(3))
        sums, carries = yield from together(
            party, layer.exclusive_or(party, x, y, z), layer.majority(party, x[:-1], y[:-1], z[:-1])
        )
        shifted = np.concatenate([np.zeros_like(x[:1]), carries])  # zeros share zero
        rest = words[3 * threes :]
        words = [sums[:, place] for place in range(threes)] + [shifted[:, place] for place in range(threes)] + rest
    return (yield from _add_two(party, layer, *words)) if len(words) == 2 else words[0]


def _add_two(party: Party, layer: BitLayer, x: Bits, y: Bits) -> Protocol[Bits]:
    differ, generate = yield from together(
        party, layer.exclusive_or(party, x, y), layer.both(party, x[:-1], y[:-1])
    )
    passes = differ[:-1].copy()
    for upper, lower, inner in _levels(len(generate)):
        left = np.concatenate([passes[upper], passes[upper[inner]]])
        right = np.concatenate([generate[lower], passes[lower[inner]]])
        products = yield from layer.both(party, left, right)
        # a place cannot both generate a carry and pass one on
        generate[upper] = layer.disjoint_or(party, generate[upper], products[: len(upper)])
        passes[upper[inner]] = products[len(upper) :]
    carried = yield from layer.exclusive_or(party, differ[1:], generate)
    return np.concatenate([differ[:1], carried])


@lru_cache(maxsize=64)
def _levels(width: int) -> tuple[tuple[Places, Places, Places], ...]:
    """For each level which places join which, and which of them still need to pass a carry on."""
    levels = []
    places = np.arange(width, dtype=np.intp)
    span = 1
    while span < width:
        upper = places[(places & span) != 0]
        lower = (upper | (span - 1)) - span
        inner = np.flatnonzero(upper >= 2 * span)  # a run from bit 0 has no carry to pass on
        levels.append((upper, lower, inner))
        span *= 2
    return tuple(levels)
