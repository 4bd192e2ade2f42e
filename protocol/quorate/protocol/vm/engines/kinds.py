"""The secret operations that communicate: a new one is an entry here and a method of the lazy engine.

Everything else is linear, and each party does it alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

from quorate.protocol.field import Vector
from quorate.protocol.mpc import (
    Party,
    Plan,
    Protocol,
    bits_to_integer,
    equal,
    equal_plan,
    less_than,
    less_than_plan,
    multiply,
    random_bits,
)

COMPARED_BITS: Final = 64
"""Comparisons take the range of int64."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A kind of operation, on whole batches.

    `run(party, columns, parameter)` takes a vector for each operand; `plan(count, parameter, kappa)` is what it
    takes from the pool, and `rounds(parameter)` how long it takes when the pool has that, under the passive scheme.
    A heavy kind takes many rounds, so it waits until as many operations as possible are ready to go together.
    """

    name: str
    heavy: bool
    run: Callable[[Party, Sequence[Vector], int], Protocol[Vector]]
    plan: Callable[[int, int, int], Plan]
    rounds: Callable[[int], int]


def _multiply(party: Party, columns: Sequence[Vector], parameter: int) -> Protocol[Vector]:
    return multiply(party, columns[0], columns[1])


def _less_than(party: Party, columns: Sequence[Vector], parameter: int) -> Protocol[Vector]:
    return less_than(party, columns[0], columns[1], bits=parameter)


def _equal(party: Party, columns: Sequence[Vector], parameter: int) -> Protocol[Vector]:
    return equal(party, columns[0], columns[1], bits=parameter)


def _random(party: Party, columns: Sequence[Vector], parameter: int) -> Protocol[Vector]:
    """Uniform integers of `parameter` bits; `columns` holds one vector of their number."""
    count = len(columns[0])
    bits = yield from random_bits(party, count * parameter)
    rows = [bits[position * count : (position + 1) * count] for position in range(parameter)]
    return bits_to_integer(party, rows)


def _less_than_rounds(bits: int) -> int:
    """An opening beside the first products, a product tree over pairs of bits, and an opening of the result."""
    return 1 + (bits - 1).bit_length()


def _equal_rounds(bits: int) -> int:
    """The same, over pairs of all bits."""
    return 2 + ((bits + 1) // 2 - 1).bit_length()


MULTIPLY: Final = Kind("multiplication", False, _multiply, lambda count, bits, kappa: Plan(), lambda bits: 1)
LESS_THAN: Final = Kind("comparison", True, _less_than, less_than_plan, _less_than_rounds)
EQUAL: Final = Kind("equality test", True, _equal, equal_plan, _equal_rounds)
RANDOM: Final = Kind(
    "random integer", False, _random, lambda count, bits, kappa: Plan(bits=count * bits), lambda bits: 0
)
