"""Number-theoretic transforms over the scalar field of BN254: polynomials between coefficients and evaluations.

A domain is the group of the n-th roots of unity, n a power of two, or a coset of it. In place, a transform leaves
evaluations in bit-reversed order, and one table of powers in that order serves all its steps; the public methods
take and give the natural order, root^0, root^1, ..., and the `bitwise` ones skip the permutation, for callers who
only work element by element between two transforms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import BN254, Vector
from quorate.protocol.field.constants import LANE_SETS, LANES, PORTABLE, constants_of
from quorate.protocol.field.dispatch import with_lanes

from .dispatch import vector_kernel

MAX_LOG_SIZE: Final = 21
"""The largest domain has 2^21 elements: its tables take 128 MB."""
TWO_ADICITY: Final = 28
"""2^28 divides r - 1."""
MAX_CACHED_DOMAINS: Final = 4
"""The domains whose tables stay in memory; the least recently used one goes."""
GENERATOR: Final = 5
"""A generator of the multiplicative group of the field; it shifts the default coset."""


@dataclass(frozen=True, slots=True)
class Domain:
    """The roots of unity of order 2^log_size; raises ValueError for a size that is not taken. See `domain`."""

    log_size: int
    _twiddles: Vector = field(init=False, repr=False, compare=False)
    _inverse_twiddles: Vector = field(init=False, repr=False, compare=False)
    order: NDArray[np.int64] = field(init=False, repr=False, compare=False)
    """Place i holds i with its bits reversed."""

    def __post_init__(self) -> None:
        if not 0 <= self.log_size <= MAX_LOG_SIZE:
            raise ValueError(f"a domain of 2^{self.log_size} elements: at most 2^{MAX_LOG_SIZE} are taken")
        half = max(self.size // 2, 1)
        order = reversed_bits(half)
        object.__setattr__(self, "order", reversed_bits(self.size))
        object.__setattr__(self, "_twiddles", successive_powers(self.root, half)[order])
        object.__setattr__(self, "_inverse_twiddles", successive_powers(BN254.inverse(self.root), half)[order])

    @property
    def size(self) -> int:
        """The number of elements."""
        return 1 << self.log_size

    @property
    def root(self) -> int:
        """A primitive root of unity of this order: that of snarkjs and of circom."""
        return root_of_unity(self.log_size)

    def evaluate(self, coefficients: Vector, shift: int = 1) -> Vector:
        """The values at shift * root^i of the polynomial with these coefficients, shape (size, 4) each.

        Raises ValueError for another length.
        """
        return self.bitwise_evaluate(coefficients, shift)[self.order]

    def interpolate(self, values: Vector, shift: int = 1) -> Vector:
        """The coefficients of the polynomial with these values at shift * root^i; raises ValueError as `evaluate`."""
        self._demand(values)
        return self.bitwise_interpolate(values[self.order], shift)

    def bitwise_evaluate(self, coefficients: Vector, shift: int = 1) -> Vector:
        """As `evaluate`, with the values in bit-reversed order."""
        self._demand(coefficients)
        if shift == 1:
            return self._run("evaluate", coefficients.copy(), self._twiddles)
        return self._run("evaluate", BN254.mul(coefficients, _shift_powers(shift, self.size)), self._twiddles)

    def bitwise_interpolate(self, values: Vector, shift: int = 1) -> Vector:
        """As `interpolate`, from values in bit-reversed order."""
        self._demand(values)
        result = self._run("interpolate", values.copy(), self._inverse_twiddles)
        result = BN254.scale(result, BN254.inverse(self.size))
        return result if shift == 1 else BN254.mul(result, _shift_powers(BN254.inverse(shift), self.size))

    def _demand(self, vector: Vector) -> None:
        if vector.shape != (self.size, BN254.limbs):
            raise ValueError(f"a vector of {len(vector)} elements for a domain of {self.size}")

    def _run(self, name: str, x: Vector, twiddles: Vector) -> Vector:
        """All steps of a transform in place: those with short halves one element at a time."""
        wide = with_lanes("multiply", PORTABLE)
        short, longest = (LANES // 2, self.size // 2) if wide == LANE_SETS[PORTABLE] else (0, self.size // 2)
        steps = [(wide, max(short * 2, 1), longest), (PORTABLE, 1, min(short, longest))]
        for kernels, least, most in steps if name == "evaluate" else reversed(steps):
            if least <= most:
                halves = (most, least) if name == "evaluate" else (least, most)
                table = constants_of(BN254.modulus, kernels)
                vector_kernel(name, kernels)(table, twiddles, *halves, x)
        return x


@lru_cache(maxsize=MAX_CACHED_DOMAINS)
def domain(log_size: int) -> Domain:
    """The domain of 2^log_size elements, kept with its tables."""
    return Domain(log_size)


def root_of_unity(log_size: int) -> int:
    """A primitive root of unity of order 2^log_size, the square root of that of the order below."""
    return BN254.power(GENERATOR, (BN254.modulus - 1) >> log_size)


def reversed_bits(size: int) -> NDArray[np.int64]:
    """0 .. size - 1, size a power of two, each with its bits reversed."""
    order = np.zeros(1, dtype=np.int64)
    while len(order) < size:
        order = np.concatenate([2 * order, 2 * order + 1])
    return order


def successive_powers(base: int, count: int) -> Vector:
    """1, base, base^2, ..., `count` of them, by doubling the list."""
    powers = BN254.full(1, 1)
    while len(powers) < count:
        powers = np.concatenate([powers, BN254.scale(powers, BN254.power(base, len(powers)))])
    return powers[:count]


@lru_cache(maxsize=2 * MAX_CACHED_DOMAINS)
def _shift_powers(shift: int, size: int) -> Vector:
    return successive_powers(shift, size)
