"""The primitives that arithmetic is written on, under whichever scheme the party's session runs.

Each is a generator over vectors of shares. `open_shares` opens what is masked, `reveal` what leaves the computation;
a scheme that verifies afterwards does so before either.
"""

from __future__ import annotations

import numpy as np

from quorate.protocol.field import Vector

from .party import Party, Protocol


def set_up(party: Party) -> Protocol[None]:
    """Agree on what the scheme needs once a session; later calls cost nothing."""
    yield from party.scheme.set_up(party)


def multiply(party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
    """The element-wise product of two equally long vectors of shares. Raises ValueError for unequal lengths."""
    if x.shape != y.shape:
        raise ValueError(f"vectors of {len(x)} and {len(y)} elements: the lengths must be equal")
    party.statistics.multiplications += len(x)
    return (yield from party.scheme.multiply(party, x, y)) if len(x) else x


def inner_products(party: Party, x: Vector, y: Vector, *, length: int) -> Protocol[Vector]:
    """The inner product of each run of `length` elements of x with the same run of y.

    Under passive and abort it costs what one multiplication costs, however long. Raises ValueError when the
    lengths are unequal or no multiple of `length`.
    """
    if x.shape != y.shape or length < 1 or len(x) % length:
        raise ValueError(f"vectors of {len(x)} and {len(y)} elements are no runs of {length}")
    party.statistics.multiplications += len(x) // length
    return (yield from party.scheme.inner_products(party, x, y, length=length)) if len(x) else x


def matrix_product(party: Party, x: Vector, y: Vector, *, inner: int) -> Protocol[Vector]:
    """The product of a matrix of `inner` columns and one of `inner` rows, both row by row in vectors.

    Under passive and abort an element of the result costs what one multiplication costs. Raises ValueError when a
    length is no multiple of `inner`.
    """
    if inner < 1 or len(x) % inner or len(y) % inner:
        raise ValueError(f"vectors of {len(x)} and {len(y)} elements are no matrices with inner size {inner}")
    count = (len(x) // inner) * (len(y) // inner)
    party.statistics.multiplications += count
    if not count:
        return party.field.zeros(0)
    return (yield from party.scheme.matrix_product(party, x, y, inner=inner))


def open_shares(party: Party, x: Vector) -> Protocol[Vector]:
    """The values of `x`, to everybody; for values that are masked, and so tell nothing by themselves."""
    party.statistics.opened += len(x)
    return (yield from party.scheme.open_shares(party, x)) if len(x) else x


def reveal(party: Party, x: Vector) -> Protocol[Vector]:
    """The values of `x`, to everybody, after all that led to them is verified."""
    yield from party.scheme.verify(party)
    return (yield from open_shares(party, x))


def verify(party: Party) -> Protocol[None]:
    """Verify all that was computed so far; call it before shares are released to anybody outside."""
    yield from party.scheme.verify(party)


def zero_shares(party: Party, count: int) -> Protocol[Vector]:
    """`count` fresh sharings of zero of degree t."""
    return (yield from party.scheme.zero_shares(party, count)) if count else party.field.zeros(0)


def run_sums(party: Party, products: Vector, length: int) -> Vector:
    """The sum of each run of `length` elements, without communication."""
    table = products.reshape(-1, length, party.field.limbs)
    return party.field.combine([1] * length, [np.ascontiguousarray(table[:, place]) for place in range(length)])
