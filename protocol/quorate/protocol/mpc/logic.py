"""Boolean operations on shares of 0 and 1, and selection: one multiplication each, or none."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.protocol.field import Vector

from .operations import multiply
from .party import Party, Protocol


def logical_not(party: Party, x: Vector) -> Vector:
    """1 - x, without communication."""
    return party.field.add_constant(party.field.neg(x), 1)


def logical_and(party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
    """x and y: one round."""
    return (yield from multiply(party, x, y))


def logical_or(party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
    """x or y: one round."""
    product = yield from multiply(party, x, y)
    return party.field.combine([1, 1, -1], [x, y, product])


def logical_xor(party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
    """Exclusive or: one round."""
    product = yield from multiply(party, x, y)
    return party.field.combine([1, 1, -2], [x, y, product])


def select(party: Party, condition: Vector, x: Vector, y: Vector) -> Protocol[Vector]:
    """x where `condition` (shares of 0 or 1) is 1, y where it is 0: one round."""
    field = party.field
    return field.add(y, (yield from multiply(party, condition, field.sub(x, y))))


def bits_to_integer(party: Party, bits: Sequence[Vector], *, signed: bool = False) -> Vector:
    """The integers of which `bits[i]` holds bit i, without communication; `signed` reads two's complement."""
    weights = [1 << position for position in range(len(bits))]
    if signed and weights:
        weights[-1] = -weights[-1]
    return party.field.combine(weights, bits)
