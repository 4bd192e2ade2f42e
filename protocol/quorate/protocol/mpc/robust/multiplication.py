"""Products of shares by robust openings: Beaver triples, and double sharings where the committee is large enough.

With n >= 3t + 1 a product takes a triple (a, b, ab) [Beaver, CRYPTO 1991]: x - a and y - b are opened in one batch,
and xy = ab + (x - a) b + (y - b) x. With n >= 4t + 1 the 2t + 1 honest shares too many let sharings of degree 2t be
opened robustly as well: a product, an inner product and an element of a matrix product then all take one double
sharing (r at degrees t and 2t) and the opening of one value, xy - r [Damgard, Nielsen, CRYPTO 2007, section 4].
"""

from __future__ import annotations

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.batches import MAX_ROUND_ELEMENTS, join, pieces
from quorate.protocol.mpc.operations import run_sums
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import DOUBLE, TRIPLE, Item, Plan
from quorate.protocol.mpc.preprocessing import reserve

from .opening import open_robustly


def has_local_products(parties: int, threshold: int) -> bool:
    """Whether a committee can open products of shares, of degree 2t, robustly."""
    return parties >= 4 * threshold + 1


def multiply(party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
    """The element-wise product."""
    results = []
    for start, stop in pieces(len(x)):
        one, other = x[start:stop], y[start:stop]
        if has_local_products(party.parties, party.threshold):
            results.append((yield from reduce_degree(party, party.field.mul(one, other))))
        else:
            results.append((yield from multiply_by_triples(party, one, other)))
    return join(party.field, results)


def inner_products(party: Party, x: Vector, y: Vector, *, length: int) -> Protocol[Vector]:
    """The inner product of each run of `length` elements."""
    if has_local_products(party.parties, party.threshold):
        return (yield from reduce_degree(party, run_sums(party, party.field.mul(x, y), length)))
    return run_sums(party, (yield from multiply(party, x, y)), length)


def matrix_product(party: Party, x: Vector, y: Vector, *, inner: int) -> Protocol[Vector]:
    """The product of a matrix of `inner` columns and one of `inner` rows."""
    if has_local_products(party.parties, party.threshold):
        return (yield from reduce_degree(party, party.field.matrix_product(x, y, inner=inner)))
    limbs = party.field.limbs
    rows, columns = len(x) // inner, len(y) // inner
    left, right = x.reshape(rows, inner, limbs), y.reshape(inner, columns, limbs)
    at_once = max(1, MAX_ROUND_ELEMENTS // (2 * rows * columns))
    totals = []
    for start in range(0, inner, at_once):
        part = range(start, min(start + at_once, inner))
        one = np.concatenate([np.repeat(left[:, index], columns, axis=0) for index in part])
        other = np.concatenate([np.tile(right[index], (rows, 1)) for index in part])
        products = (yield from multiply(party, one, other)).reshape(len(part), -1, limbs)
        totals.append(party.field.combine([1] * len(part), list(products)))
    return party.field.combine([1] * len(totals), totals)


def reduce_degree(party: Party, products: Vector) -> Protocol[Vector]:
    """Sharings of degree t from local products of degree 2t; needs n >= 4t + 1."""
    results = []
    for start, stop in pieces(len(products)):
        low, high = yield from _drawn(party, DOUBLE, stop - start)
        masked = party.field.sub(products[start:stop], high)
        opened = yield from open_robustly(party, masked, degree=2 * party.threshold)
        results.append(party.field.add(opened, low))
    return join(party.field, results)


def multiply_by_triples(party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
    """The product of two vectors that go in one round."""
    field, count = party.field, len(x)
    a, b, ab = yield from _drawn(party, TRIPLE, count)
    masked = np.concatenate([field.sub(x, a), field.sub(y, b)])
    opened = yield from open_robustly(party, masked, degree=party.threshold)
    of_x, of_y = opened[:count], opened[count:]
    return field.add(ab, field.add(field.mul(of_x, b), field.mul(of_y, x)))


def _drawn(party: Party, item: Item, count: int) -> Protocol[tuple[Vector, ...]]:
    """Items from the pool, made on demand when it is short."""
    yield from reserve(party, Plan({item: count}))
    return party.pool.take_columns(item, count)
