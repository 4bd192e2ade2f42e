"""Batches: how many elements go in one round, and pieces of vectors joined again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from quorate.protocol.field import PrimeField, Vector

from .party import Party, Protocol

MAX_ROUND_ELEMENTS: Final = 1 << 17
"""The most elements one operation sends a party in one round (4 MiB); longer vectors take further rounds."""


def pieces(count: int, *, extracted: int = 1) -> list[tuple[int, int]]:
    """The bounds of the pieces of a vector, of which a party sends one in `extracted` elements."""
    most = MAX_ROUND_ELEMENTS * extracted
    return [(start, min(start + most, count)) for start in range(0, count, most)]


def join(field: PrimeField, vectors: Sequence[Vector]) -> Vector:
    """One vector of all the elements of `vectors`, in order."""
    if len(vectors) == 1:
        return vectors[0]
    return np.concatenate(vectors) if vectors else field.zeros(0)


def in_pieces(party: Party, count: int, step: Callable[[int, int], Protocol[Vector]]) -> Protocol[Vector]:
    """A vector of `count` elements, of which `step(start, stop)` gives a piece, one after another.

    The pieces go straight into the result: no more is held than the result and what one step needs.
    """
    bounds = pieces(count)
    if len(bounds) == 1:
        return (yield from step(0, count))
    result = np.empty((count, party.field.limbs), dtype=np.uint64)
    for start, stop in bounds:
        result[start:stop] = yield from step(start, stop)
    return result
