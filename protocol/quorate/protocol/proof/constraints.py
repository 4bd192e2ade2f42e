"""A builder of constraint systems that computes the witness along the way.

Wires carry values while they are built, so one function is both the circuit and its witness generator: which
constraints it makes must not depend on the values, or keys and proofs will not match. Public values come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from quorate.protocol.field import BN254, Vector

from .errors import Mismatch
from .r1cs import MAX_CONSTRAINTS, ConstraintSystem, Matrix

MAX_RANGE_BITS: Final = 253
"""The longest range: sums of so many bits do not wrap modulo r."""
_ONE: Final = 0


@dataclass(frozen=True, slots=True)
class Combination:
    """A linear combination of wires and its value; +, - and multiples by integers are free of constraints."""

    terms: Mapping[int, int]
    value: int

    def __add__(self, other: Operand) -> Combination:
        right = _combination(other)
        terms = dict(self.terms)
        for wire, coefficient in right.terms.items():
            terms[wire] = (terms.get(wire, 0) + coefficient) % BN254.modulus
        return Combination(terms, (self.value + right.value) % BN254.modulus)

    def __radd__(self, other: int) -> Combination:
        return self + other

    def __neg__(self) -> Combination:
        return self * -1

    def __sub__(self, other: Operand) -> Combination:
        return self + _combination(other) * -1

    def __rsub__(self, other: int) -> Combination:
        return -self + other

    def __mul__(self, factor: int) -> Combination:
        p = BN254.modulus
        return Combination({w: c * factor % p for w, c in self.terms.items()}, self.value * factor % p)

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"Combination of {len(self.terms)} wires"  # the value may be secret


Operand: TypeAlias = Combination | int
"""What a constraint takes: a combination of wires, or a constant."""


def _combination(operand: Operand) -> Combination:
    if isinstance(operand, Combination):
        return operand
    return Combination({_ONE: operand % BN254.modulus}, operand % BN254.modulus)


class Builder:
    """Collects wires and constraints; `system` and `witness` give the result."""

    def __init__(self) -> None:
        self._values = [1]
        self._public = 0
        self._rows: list[tuple[Combination, Combination, Combination]] = []

    def public(self, value: int) -> Combination:
        """A public value; raises ValueError after the first private one."""
        if len(self._values) != self._public + 1:
            raise ValueError("public values come before private ones: make them first")
        self._public += 1
        return self._wire(value)

    def private(self, value: int) -> Combination:
        """A private value; nothing is known of it without constraints."""
        return self._wire(value)

    def multiply(self, x: Operand, y: Operand) -> Combination:
        """The product, in a wire of its own: one constraint."""
        left, right = _combination(x), _combination(y)
        product = self._wire(left.value * right.value)
        self.constrain(left, right, product)
        return product

    def equal(self, x: Operand, y: Operand) -> None:
        """Demand x = y: one constraint."""
        self.constrain(_combination(x) - y, 1, 0)

    def boolean(self, x: Operand) -> None:
        """Demand that x is 0 or 1: one constraint."""
        self.constrain(x, _combination(x) - 1, 0)

    def range(self, x: Operand, bits: int) -> list[Combination]:
        """Demand 0 <= x < 2^bits and give its bits, least significant first: bits + 1 constraints.

        Raises ValueError for a number of bits outside 1..253.
        """
        if not 1 <= bits <= MAX_RANGE_BITS:
            raise ValueError(f"a range of {bits} bits: 1 to {MAX_RANGE_BITS} are taken")
        number = _combination(x)
        wires = [self._wire(number.value >> place & 1) for place in range(bits)]
        total = _combination(0)
        for place, wire in enumerate(wires):
            self.boolean(wire)
            total = total + wire * (1 << place)
        self.equal(total, number)
        return wires

    def constrain(self, x: Operand, y: Operand, product: Operand) -> None:
        """Demand x y = product, whatever the values are now; raises Mismatch beyond the largest system."""
        if len(self._rows) == MAX_CONSTRAINTS:
            raise Mismatch(f"more than {MAX_CONSTRAINTS} constraints")
        self._rows.append((_combination(x), _combination(y), _combination(product)))

    @property
    def witness(self) -> Vector:
        """All values, (wires, 4): secret but for the public part."""
        return BN254.vector(self._values)

    @property
    def public_values(self) -> list[int]:
        """The public values, as a verifier takes them."""
        return self._values[1 : self._public + 1]

    def system(self) -> ConstraintSystem:
        """The constraints so far."""
        matrices = [self._matrix(position) for position in range(3)]
        return ConstraintSystem(len(self._values), self._public, len(self._rows), *matrices)

    def _wire(self, value: int) -> Combination:
        self._values.append(value % BN254.modulus)
        return Combination({len(self._values) - 1: 1}, self._values[-1])

    def _matrix(self, position: int) -> Matrix:
        entries = [
            (row, wire, coefficient)
            for row, sides in enumerate(self._rows)
            for wire, coefficient in sides[position].terms.items()
            if coefficient
        ]
        places = np.array([entry[:2] for entry in entries], dtype=np.int64).reshape(-1, 2)
        values = BN254.vector([entry[2] for entry in entries])
        return Matrix(places[:, 0].copy(), places[:, 1].copy(), values)
