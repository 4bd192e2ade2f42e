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

from .access import bits_of_places
from .one_hot import halves

MAX_EDGES: Final = 1 << 12
"""The most edges of a histogram over bins."""
MAX_INNER: Final = 1 << 15
"""The most values that one matrix product counts; more are counted in several."""


def count_categories(party: Party, values: Vector, *, categories: int) -> Protocol[Vector]:
    """How often each of 0..categories-1 occurs; values beyond are counted nowhere, or with their low bits.

    `categories` elements. Raises ValueError for none.
    """
    if categories < 1:
        raise ValueError("a histogram has at least one category")
    field = party.field
    if not len(values):
        return field.zeros(categories)
    bits = yield from bits_of_places(party, values, categories)
    low, high = yield from halves(party, bits)
    by_value = np.ascontiguousarray(low.transpose(1, 0, 2)).reshape(-1, field.limbs)
    counts = field.zeros(len(low) * len(high))
    for start in range(0, len(values), MAX_INNER):
        part = slice(start, start + MAX_INNER)
        left = np.ascontiguousarray(high[:, part]).reshape(-1, field.limbs)
        products = yield from matrix_product(
            party, left, by_value[start * len(low) : (start + MAX_INNER) * len(low)], inner=len(values[part])
        )
        counts = field.add(counts, products)
    return counts[:categories]


def histogram(party: Party, values: Vector, *, edges: Sequence[int], bits: int) -> Protocol[Vector]:
    """How many values lie in edges[i] <= value < edges[i + 1], for each i; values outside are counted nowhere.

    Values and edges are signed integers of `bits` bits. Raises ValueError unless there are 2 to MAX_EDGES edges
    in ascending order.
    """
    if not 2 <= len(edges) <= MAX_EDGES or any(low >= high for low, high in pairwise(edges)):
        raise ValueError(f"a histogram has 2 to {MAX_EDGES} edges in ascending order")
    limit = 1 << (bits - 1)
    if not -limit <= edges[0] <= edges[-1] < limit:
        raise ValueError(f"the edges are no signed integers of {bits} bits")
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
