"""Rank-1 constraint systems: (A w)_i (B w)_i = (C w)_i for each constraint i, over the scalar field of BN254.

w is the witness: 1, then the public values (outputs before inputs, as circom orders them), then the private ones. A
matrix is sparse, three arrays of the same length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import BN254, Vector
from quorate.protocol.field.constants import PORTABLE, constants_of

from .dispatch import vector_kernel
from .errors import Mismatch, UnsatisfiedConstraint

MAX_CONSTRAINTS: Final = 1 << 21
"""The largest system: one domain of `ntt` has to hold it."""
MAX_WIRES: Final = 1 << 22
MAX_TERMS: Final = 1 << 25
"""The most entries of one matrix that are not zero."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Entries of a sparse matrix: `values[k]` at (`rows[k]`, `columns[k]`); entries of one place add up."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: Vector

    def times(self, witness: Vector, rows: int, *, places: NDArray[np.int64] | None = None) -> Vector:
        """The product with a vector, `rows` long; row i goes to `places[i]` if that is given."""
        out = BN254.zeros(rows)
        terms = BN254.mul(witness[self.columns], self.values)
        targets = self.rows if places is None else places[self.rows]
        table = constants_of(BN254.modulus, PORTABLE)
        vector_kernel("add_at", PORTABLE)(table, np.ascontiguousarray(targets), terms, out)
        return out


@dataclass(frozen=True, slots=True)
class ConstraintSystem:
    """`constraints` rows over `wires` values, of which 1 and the next `public` are public."""

    wires: int
    public: int
    constraints: int
    a: Matrix
    b: Matrix
    c: Matrix

    def __post_init__(self) -> None:
        if not 0 < self.wires <= MAX_WIRES or not 0 <= self.constraints <= MAX_CONSTRAINTS:
            raise Mismatch(f"{self.constraints} constraints over {self.wires} wires are too many, or none")
        if not 0 <= self.public < self.wires:
            raise Mismatch(f"{self.public} public values among {self.wires} wires")
        for matrix in (self.a, self.b, self.c):
            if not len(matrix.rows) == len(matrix.columns) == len(matrix.values) <= MAX_TERMS:
                raise Mismatch("a matrix whose arrays differ in length, or with too many entries")
            if _outside(matrix.rows, self.constraints) or _outside(matrix.columns, self.wires):
                raise Mismatch("a matrix has an entry outside the constraints or wires")

    def check(self, witness: Vector) -> None:
        """Demand that a witness fulfils all constraints.

        Raises Mismatch for another length or a first value other than 1, UnsatisfiedConstraint for the first that
        it breaks.
        """
        if witness.shape != (self.wires, BN254.limbs) or BN254.integers(witness[:1]) != [1]:
            raise Mismatch(
                f"a witness of {len(witness)} values for {self.wires} wires, or its first value is not 1"
            )
        left, right, product = (m.times(witness, self.constraints) for m in (self.a, self.b, self.c))
        wrong = np.flatnonzero((BN254.mul(left, right) != product).any(axis=1))
        if wrong.size:
            raise UnsatisfiedConstraint(int(wrong[0]))


def _outside(places: NDArray[np.int64], bound: int) -> bool:
    return bool(places.size) and not 0 <= int(places.min()) <= int(places.max()) < bound
