"""Histograms: how many secret values fall into public categories or bins; the counts stay secret.

By category: with the one-hot vectors of the halves of every value as the rows of two matrices H and L, the counts
are the entries of H^T L. Under the passive and the abort scheme that costs one multiplication a category, beside
the one-hot vectors of about 2 sqrt(k) entries a value. By bins: a comparison for each value and inner edge, and
sums, which are free. Both run under every scheme.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import less_than, less_than_plan
from quorate.protocol.mpc.operations import matrix_product
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import Plan

from .places import one_hot_halves, pieces_of_places, place_bits

MAX_EDGES: Final = 1 << 12
"""The most edges of a histogram over bins."""
MAX_COMPARISONS: Final = 1 << 22
"""The most comparisons of a histogram over bins: values times edges."""


def count_categories(party: Party, values: Vector, *, categories: int) -> Protocol[Vector]:
    """How often each of 0..categories-1 occurs; values beyond are counted nowhere, or with their low bits.

    `categories` elements. Raises ValueError for none.
    """
    if categories < 1:
        raise ValueError("a histogram has at least one category")
    field = party.field
    if not len(values):
        return field.zeros(categories)
    counts = field.zeros(1 << place_bits(categories))
    for start, stop in pieces_of_places(len(values), categories):
        counts = field.add(counts, (yield from _count(party, values[start:stop], categories)))
    return counts[:categories]


def _count(party: Party, values: Vector, categories: int) -> Protocol[Vector]:
    """The counts of one piece, for every category that the bits of a value can name."""
    limbs = party.field.limbs
    low, high = yield from one_hot_halves(party, values, entries=categories)
    by_value = np.ascontiguousarray(low.transpose(1, 0, 2)).reshape(-1, limbs)
    return (yield from matrix_product(party, high.reshape(-1, limbs), by_value, inner=len(values)))


def histogram(party: Party, values: Vector, *, edges: Sequence[int], bits: int) -> Protocol[Vector]:
    """How many values lie in edges[i] <= value < edges[i + 1], for each i; values outside are counted nowhere.

    Values and edges are signed integers of `bits` bits. Raises ValueError unless there are 2 to MAX_EDGES edges
    in ascending order, and at most MAX_COMPARISONS comparisons.
    """
    if not 2 <= len(edges) <= MAX_EDGES or any(low >= high for low, high in pairwise(edges)):
        raise ValueError(f"a histogram has 2 to {MAX_EDGES} edges in ascending order")
    limit = 1 << (bits - 1)
    if not -limit <= edges[0] <= edges[-1] < limit:
        raise ValueError(f"the edges are no signed integers of {bits} bits")
    if len(values) * len(edges) > MAX_COMPARISONS:
        raise ValueError(f"{len(values)} values and {len(edges)} edges: more than {MAX_COMPARISONS} comparisons")
    field = party.field
    if not len(values):
        return field.zeros(len(edges) - 1)
    left = np.tile(values, (len(edges), 1))
    right = np.repeat(field.vector(edges), len(values), axis=0)
    below = yield from less_than(party, left, right, bits=bits)
    counts = np.concatenate([field.sum(part) for part in below.reshape(len(edges), -1, field.limbs)])
    return field.sub(counts[1:], counts[:-1])


def histogram_plan(values: int, edges: int, *, bits: int, kappa: int) -> Plan:
    """What `histogram` takes from the pool."""
    return less_than_plan(values * edges, bits, kappa)
