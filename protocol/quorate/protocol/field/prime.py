"""Prime fields as values: scalars on gmpy2, vectors on the kernels.

A vector is an (n, 4) uint64 array, one row an element: four little-endian 64-bit limbs of x * 2^256 mod p
(Montgomery form), canonical, that is below p. The same limbs travel on the wire.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import gmpy2 as untyped_gmpy2
import numpy as np

from quorate.protocol.errors import MalformedMessage

from .constants import LANES, MAX_BITS, MIN_BITS, Weights, Words, lane_constants, portable_constants
from .dispatch import IFMA, PORTABLE, choose, factor_table, kernel
from .vectors import (
    ELEMENT_BYTES,
    LIMBS,
    MAX_CACHED,
    Vector,
    enter,
    frozen,
    light,
    light_powers,
    limbs,
    one_length,
    pair,
    places,
    powers,
    row,
)

gmpy2: Any = untyped_gmpy2

RANDOM_BYTES: Final = 40
"""Bytes of randomness that one element takes: 320 bits leave a bias below 2^-64 for p < 2^256."""


@dataclass(frozen=True, slots=True)
class PrimeField:
    """The integers modulo a prime of 224 to 255 bits. Raises ValueError for any other modulus."""

    name: str
    modulus: int
    _constants: dict[str, Words] = field(init=False, repr=False, compare=False)
    _one: int = field(init=False, repr=False, compare=False)
    _square: Vector = field(init=False, repr=False, compare=False)
    _unit: Vector = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        bits = self.modulus.bit_length()
        if not MIN_BITS <= bits <= MAX_BITS or not gmpy2.is_prime(self.modulus):
            raise ValueError(f"{self.name}: the modulus must be a prime of {MIN_BITS} to {MAX_BITS} bits")
        tables = {PORTABLE: portable_constants(self.modulus), IFMA: lane_constants(self.modulus)}
        object.__setattr__(self, "_constants", tables)
        object.__setattr__(self, "_one", (1 << 256) % self.modulus)
        object.__setattr__(self, "_square", row(pow(2, 512, self.modulus)))
        object.__setattr__(self, "_unit", row(1))

    def __reduce__(self) -> tuple[type[PrimeField], tuple[str, int]]:
        return PrimeField, (self.name, self.modulus)

    @property
    def size_bytes(self) -> int:
        """The size of one element on the wire, in bytes."""
        return ELEMENT_BYTES

    @property
    def limbs(self) -> int:
        """The 64-bit words of one element: a vector of n elements has the shape (n, limbs)."""
        return LIMBS

    @property
    def random_bytes(self) -> int:
        """The bytes of randomness that `from_random_bytes` takes for one element."""
        return RANDOM_BYTES

    # Scalars.

    def inverse(self, value: int) -> int:
        """1 / value mod p; raises ZeroDivisionError for a multiple of p."""
        if value % self.modulus == 0:
            raise ZeroDivisionError(f"zero has no inverse in {self.name}")
        return int(gmpy2.invert(value, self.modulus))

    def power(self, value: int, exponent: int) -> int:
        """value ** exponent mod p; a negative exponent inverts, and raises ZeroDivisionError for zero."""
        if exponent < 0:
            return self.power(self.inverse(value), -exponent)
        return int(gmpy2.powmod(value, exponent, self.modulus))

    # Between integers and vectors.

    def vector(self, values: Iterable[int]) -> Vector:
        """The elements of any integers, reduced mod p."""
        numbers = values if isinstance(values, list) else list(values)
        return self._scaled(limbs(numbers, self.modulus), self._square)

    def integers(self, vector: Vector) -> list[int]:
        """The canonical integers 0..p-1 of a vector."""
        data = self._scaled(enter(vector), self._unit).tobytes()
        return [int.from_bytes(element, "little") for (element,) in struct.iter_unpack(f"{ELEMENT_BYTES}s", data)]

    def zeros(self, count: int) -> Vector:
        """`count` times 0."""
        return np.zeros((count, LIMBS), dtype=np.uint64)

    def full(self, count: int, value: int) -> Vector:
        """`count` times the element of an integer."""
        out = np.empty((count, LIMBS), dtype=np.uint64)
        out[:] = self._element(value)
        return out

    def from_random_bytes(self, data: bytes | memoryview) -> Vector:
        """One element from each 40 bytes: as a little-endian integer, times the fixed unit 2^-512, mod p.

        Uniform bytes give uniform elements, up to a bias below 2^-64. Raises ValueError for a length that is not
        a multiple of 40.
        """
        if len(data) % RANDOM_BYTES:
            raise ValueError(f"{len(data)} random bytes are not a multiple of {RANDOM_BYTES}: give 40 an element")
        words = frozen(data, RANDOM_BYTES // 8)
        out = np.empty((words.shape[0], LIMBS), dtype=np.uint64)
        self._run("from_random", out.shape[0], words, out)
        return out

    def to_bytes(self, x: Vector) -> bytes:
        """The wire form: the limbs as they are in memory."""
        return enter(x).tobytes()

    def from_bytes(self, data: bytes | memoryview, count: int) -> Vector:
        """A vector of `count` elements from outside; MalformedMessage on a wrong length or a row not below p."""
        if len(data) != count * self.size_bytes:
            raise MalformedMessage(f"{len(data)} bytes are not {count} elements of {self.name}")
        out = np.empty((count, LIMBS), dtype=np.uint64)
        if count and kernel("copy_checked", PORTABLE)(self._constants[PORTABLE], frozen(data, LIMBS), out):
            raise MalformedMessage(f"an element is not below the modulus of {self.name}")
        return out

    # Element-wise operations.

    def add(self, x: Vector, y: Vector) -> Vector:
        """x + y, element-wise; raises ValueError for unequal lengths."""
        return self._binary("add", x, y)

    def sub(self, x: Vector, y: Vector) -> Vector:
        """x - y, element-wise; raises ValueError for unequal lengths."""
        return self._binary("subtract", x, y)

    def mul(self, x: Vector, y: Vector) -> Vector:
        """x * y, element-wise; raises ValueError for unequal lengths."""
        return self._binary("multiply", x, y)

    def neg(self, x: Vector) -> Vector:
        """-x, element-wise."""
        x = enter(x)
        out = np.empty_like(x)
        self._run("subtract_from", out.shape[0], self.zeros(1), x, out)
        return out

    def scale(self, x: Vector, factor: int) -> Vector:
        """x times one public integer."""
        return self._scaled(enter(x), self._element(factor))

    def add_constant(self, x: Vector, constant: int) -> Vector:
        """x plus one public integer."""
        x = enter(x)
        out = np.empty_like(x)
        self._run("add_constant", out.shape[0], x, self._element(constant), out)
        return out

    def inverses(self, x: Vector) -> Vector:
        """1 / x, element-wise, for one inversion and three products an element.

        Raises ZeroDivisionError when an element is zero.
        """
        x = enter(x)
        prefixes, out = np.empty_like(x), np.empty_like(x)
        self._run("prefix_products", x.shape[0], x, prefixes)
        if x.shape[0]:
            inverse = self.vector([self.inverse(self.integers(prefixes[-1:])[0])])
            self._run("inverses", x.shape[0], x, prefixes, inverse, out)
        return out

    # Sums.

    def dot(self, x: Vector, y: Vector) -> Vector:
        """The inner product, shape (1, 4); raises ValueError for unequal lengths."""
        x, y = pair(x, y)
        if choose("dot", x.shape[0]) == PORTABLE:
            out = self.zeros(1)
            self._run("dot", x.shape[0], x, y, out)
            return out
        head = x.shape[0] - x.shape[0] % LANES
        lanes = self.zeros(LANES + 1)
        kernel("dot", IFMA)(self._constants[IFMA], x[:head], y[:head], lanes[:LANES])
        kernel("dot", PORTABLE)(self._constants[PORTABLE], x[head:], y[head:], lanes[LANES:])
        return self.sum(lanes)

    def sum(self, x: Vector) -> Vector:
        """The sum of all elements, shape (1, 4)."""
        out = self.zeros(1)
        self._run("total", x.shape[0], enter(x), out)
        return out

    def combine(self, coefficients: Sequence[int], rows: Sequence[Vector]) -> Vector:
        """The sum of coefficients[i] * rows[i]; fast while the |coefficients| sum to less than 2^40.

        Raises ValueError without rows, or for unequal lengths.
        """
        return self.matrix([coefficients], rows)[0]

    def matrix(self, coefficients: Sequence[Sequence[int]], rows: Sequence[Vector]) -> list[Vector]:
        """For each row of coefficients, the sum of coefficients[r][j] * rows[j].

        Raises ValueError without rows, for unequal lengths, or for coefficients of another number.
        """
        vectors = one_length(rows)
        if any(len(line) != len(vectors) for line in coefficients):
            raise ValueError(f"every line must have {len(vectors)} coefficients, one for each vector")
        count = vectors[0].shape[0]
        out = np.empty((len(coefficients), count, LIMBS), dtype=np.uint64)
        if out.size == 0:
            return list(out)
        weights = light(coefficients, self.modulus)
        if weights is None:
            kernels = choose("matrix", count)
            table = _heavy(self, coefficients, kernels)
            self._run("matrix", count, table, *places(vectors, kernels), out)
        else:
            kernels = choose("weighted_sums", count)
            self._run("weighted_sums", count, *weights, *places(vectors, kernels), out)
        return list(out)

    def matrix_product(self, x: Vector, y: Vector, *, inner: int) -> Vector:
        """The product of a matrix x of `inner` columns and a matrix y of `inner` rows, all row by row in vectors.

        Raises ValueError when a length is not a multiple of `inner`.
        """
        x, y = enter(x), enter(y)
        if inner < 1 or x.shape[0] % inner or y.shape[0] % inner:
            raise ValueError(
                f"vectors of {x.shape[0]} and {y.shape[0]} elements are no matrices with inner size {inner}"
            )
        columns = y.shape[0] // inner
        out = np.empty((x.shape[0] // inner, columns, LIMBS), dtype=np.uint64)
        if out.size:
            kernels = choose("matrix", columns)
            rows = [y[start : start + columns] for start in range(0, y.shape[0], columns)]
            self._run("matrix", columns, factor_table(x, kernels), *places(rows, kernels), out)
        return out.reshape(-1, LIMBS)

    # Sharing.

    def share(self, secret: Vector, coefficients: Sequence[Vector], parties: int) -> list[Vector]:
        """The polynomials secret + c_1 X + ... + c_t X^t at X = 1..parties, for t random vectors c_k."""
        return self.matrix(powers(parties, len(coefficients)), [secret, *coefficients])

    def multiply_and_share(
        self, x: Vector, y: Vector, *, coefficients: Sequence[Vector], parties: int
    ) -> list[Vector]:
        """`share` of x * y in one pass: the step of GRR multiplication that a party does for itself.

        R. Gennaro, M. Rabin, T. Rabin, "Simplified VSS and fast-track multiparty computations" (1998), section 3.
        Raises ValueError for unequal lengths.
        """
        x, y = pair(x, y)
        weights = light_powers(parties, len(coefficients), self.modulus)
        if weights is None or not coefficients:
            return self.share(self.mul(x, y), coefficients, parties)
        vectors = one_length([x, *coefficients])[1:]
        count, name = x.shape[0], "multiply_and_share"
        out = np.empty((parties, count, LIMBS), dtype=np.uint64)
        self._run(name, count, x, y, weights, *places(vectors, choose(name, count)), out)
        return list(out)

    # Kernels.

    def _run(self, name: str, count: int, *arguments: Words | Weights) -> None:
        """Run a kernel on vectors of `count` elements; nothing is to do for none."""
        if count:
            kernels = choose(name, count)
            kernel(name, kernels)(self._constants[kernels], *arguments)

    def _binary(self, name: str, x: Vector, y: Vector) -> Vector:
        x, y = pair(x, y)
        out = np.empty_like(x)
        self._run(name, out.shape[0], x, y, out)
        return out

    def _scaled(self, x: Words, factor: Vector) -> Vector:
        out = np.empty_like(x)
        self._run("scale", out.shape[0], x, factor, out)
        return out

    def _element(self, value: int) -> Vector:
        """An integer in Montgomery form, shape (1, 4)."""
        return row(value % self.modulus * self._one % self.modulus)


def _heavy(field: PrimeField, coefficients: Sequence[Sequence[int]], kernels: str) -> Words:
    """The factor table of a matrix of any coefficients; small ones stay in memory, like light ones."""
    if len(coefficients) * len(coefficients[0]) > MAX_CACHED:
        return _table(field, coefficients, kernels)
    return _cached_table(field, tuple(map(tuple, coefficients)), kernels)


def _table(field: PrimeField, coefficients: Sequence[Sequence[int]], kernels: str) -> Words:
    return factor_table(field.vector(value for line in coefficients for value in line), kernels)


_cached_table = lru_cache(maxsize=256)(_table)
