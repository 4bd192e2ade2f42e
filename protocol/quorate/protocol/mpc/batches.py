"""Batches: how many elements go in one round, and pieces of vectors joined again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from quorate.protocol.field import PrimeField, Vector

MAX_ROUND_ELEMENTS: Final = 1 << 19
"""The most elements one operation sends a party in one round (16 MiB); longer vectors take further rounds."""


def pieces(count: int, *, extracted: int = 1) -> list[tuple[int, int]]:
    """The bounds of the pieces of a vector, of which a party sends one in `extracted` elements."""
    most = MAX_ROUND_ELEMENTS * extracted
    return [(start, min(start + most, count)) for start in range(0, count, most)]


def join(field: PrimeField, vectors: Sequence[Vector]) -> Vector:
    """One vector of all the elements of `vectors`, in order."""
    if len(vectors) == 1:
        return vectors[0]
    return np.concatenate(vectors) if vectors else field.zeros(0)
