"""Prime fields as values: scalars on gmpy2, vectors on the kernels.

A vector is an (n, limbs) uint64 array, one row an element: the little-endian 64-bit limbs of x * radix mod p, which
is below p. A modulus of 224 to 256 bits has four limbs and the radix 2^256 (Montgomery form); one of 32 to 64 bits
has one limb and the radix 2^64, but for 2^61 - 1, whose radix is 1. The same limbs travel on the wire.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from typing import Any, Final

import gmpy2 as untyped_gmpy2
import numpy as np
from numpy.typing import NDArray

from quorate.protocol.errors import MalformedMessage

from . import roots
from .constants import (
    LANE_SETS,
    LANES,
    LARGE_BITS,
    SMALL_BITS,
    Weights,
    Words,
    base_set,
    constants_of,
    limbs_of,
    radix_of,
)
from .dispatch import choose, factor_table, kernel
from .machine_integers import bits_of, machine_words, words_of_bits, words_of_bytes
from .vectors import (
    MAX_CACHED,
    MAX_ROWS,
    Vector,
    enter,
    frozen,
    integer_words,
    light,
    light_powers,
    one_length,
    pair,
    places,
    powers,
    row,
)

gmpy2: Any = untyped_gmpy2

MAX_INTEGER_BYTES: Final = 32
"""The longest integers that `from_small_bytes` takes."""
CHAIN: Final = 128
"""Vectors of at least twice as many elements are inverted by halves where products run in lanes."""
_SIGN: Final = np.uint64(1 << 63)


@dataclass(frozen=True, slots=True)
class PrimeField:
    """The integers modulo a prime of 32 to 64 or of 224 to 256 bits. Raises ValueError for any other modulus."""

    name: str
    modulus: int
    limbs: int = field(init=False, repr=False, compare=False)
    """The 64-bit words of one element: a vector of n elements has the shape (n, limbs)."""
    kernel_set: str = field(init=False, repr=False, compare=False)
    """The kernel set that handles one element at a time."""
    _constants: dict[str, Words] = field(init=False, repr=False, compare=False)
    _one: int = field(init=False, repr=False, compare=False)
    _enlarge: Vector = field(init=False, repr=False, compare=False)
    _unit: Vector = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        base = base_set(self.modulus)
        if base is None or not gmpy2.is_prime(self.modulus):
            raise ValueError(
                f"{self.name}: the modulus must be a prime of {SMALL_BITS.start} to {SMALL_BITS.stop - 1} "
                f"or of {LARGE_BITS.start} to {LARGE_BITS.stop - 1} bits"
            )
        limbs, radix = limbs_of(base), radix_of(self.modulus)
        sets = (base, LANE_SETS[base])
        # An integer enters by one product, or, if it has two words, by the division of random bytes and one more.
        enlarge = pow(radix, 2 if limbs > 1 else 3, self.modulus)
        object.__setattr__(self, "limbs", limbs)
        object.__setattr__(self, "kernel_set", base)
        object.__setattr__(self, "_constants", {name: constants_of(self.modulus, name) for name in sets})
        object.__setattr__(self, "_one", radix % self.modulus)
        object.__setattr__(self, "_enlarge", row(enlarge, limbs))
        object.__setattr__(self, "_unit", row(1, limbs))

    def __reduce__(self) -> tuple[type[PrimeField], tuple[str, int]]:
        return PrimeField, (self.name, self.modulus)

    @property
    def size_bytes(self) -> int:
        """The size of one element on the wire, in bytes."""
        return 8 * self.limbs

    @property
    def random_bytes(self) -> int:
        """The bytes of randomness that `from_random_bytes` takes for one element: a bias below 2^-64 remains."""
        return 40 if self.limbs > 1 else 16

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
        return self._from_words(integer_words(numbers, self.modulus, self._integer_words))

    def integers(self, vector: Vector) -> list[int]:
        """The canonical integers 0..p-1 of a vector."""
        words = self._canonical(vector)
        if self.limbs == 1:
            numbers: list[int] = words[:, 0].tolist()
            return numbers
        data = words.tobytes()
        return [
            int.from_bytes(element, "little") for (element,) in struct.iter_unpack(f"{self.size_bytes}s", data)
        ]

    def zeros(self, count: int) -> Vector:
        """`count` times 0."""
        return np.zeros((count, self.limbs), dtype=np.uint64)

    def full(self, count: int, value: int) -> Vector:
        """`count` times the element of an integer."""
        out = np.empty((count, self.limbs), dtype=np.uint64)
        out[:] = self._element(value)
        return out

    def from_random_bytes(self, data: bytes | memoryview) -> Vector:
        """One element from each `random_bytes`: as a little-endian integer, divided by radix^2, mod p.

        Uniform bytes give uniform elements, up to a bias below 2^-64. Raises ValueError for a length that is not
        a multiple of `random_bytes`.
        """
        if len(data) % self.random_bytes:
            raise ValueError(
                f"{len(data)} random bytes are not a multiple of {self.random_bytes}: "
                f"give {self.random_bytes} an element"
            )
        return self._divided(frozen(data, self.random_bytes // 8))

    def to_bytes(self, x: Vector) -> bytes:
        """The wire form: the limbs as they are in memory."""
        return enter(x, self.limbs).tobytes()

    def from_bytes(self, data: bytes | memoryview, count: int) -> Vector:
        """A vector of `count` elements from outside; MalformedMessage on a wrong length or a row not below p."""
        if len(data) != count * self.size_bytes:
            raise MalformedMessage(f"{len(data)} bytes are not {count} elements of {self.name}")
        out = np.empty((count, self.limbs), dtype=np.uint64)
        base = self.kernel_set
        if count and kernel("copy_checked", base)(self._constants[base], frozen(data, self.limbs), out):
            raise MalformedMessage(f"an element is not below the modulus of {self.name}")
        return out

    # Between machine integers and vectors, without Python integers.

    def from_small(self, values: NDArray[Any]) -> Vector:
        """The elements of a flat numpy array of integers of up to 64 bits, signed or unsigned, or of booleans.

        Raises ValueError for another array.
        """
        words, signed = machine_words(values, self._integer_words)
        vector = self._from_words(words)
        return self.add_constant(vector, -(1 << 63)) if signed else vector

    def to_small(self, x: Vector) -> NDArray[np.int64]:
        """The integers nearest to zero that elements stand for, which must lie in the signed 64-bit range.

        Raises OverflowError when one does not.
        """
        if self.limbs == 1:
            words = self._canonical(x)[:, 0]
            upper = words > np.uint64(self.modulus // 2)
            return np.where(upper, words - np.uint64(self.modulus), words).view(np.int64)
        words = self._canonical(self.add_constant(x, 1 << 63))
        if words[:, 1:].any():
            raise OverflowError(f"an element of {self.name} is not in the signed 64-bit range")
        return (words[:, 0] ^ _SIGN).view(np.int64)

    def from_small_bytes(self, data: bytes | memoryview, size: int) -> Vector:
        """The elements of unsigned little-endian integers of `size` bytes each, 1 to 32, reduced mod p.

        Raises ValueError for another size, or a length that is not a multiple of it.
        """
        if not 1 <= size <= MAX_INTEGER_BYTES:
            raise ValueError(f"integers of {size} bytes: 1 to {MAX_INTEGER_BYTES} are taken")
        words = words_of_bytes(data, size, MAX_INTEGER_BYTES // 8)
        width = self._integer_words
        low = self._from_words(words[:, :width])
        if size <= 8 * width:
            return low
        return self.add(low, self.scale(self._from_words(words[:, width:]), 1 << (64 * width)))

    def bits(self, x: Vector, count: int) -> NDArray[np.bool_]:
        """The low `count` bits of the canonical integers, least significant first, shape (count, n).

        Raises ValueError for more bits than the limbs have.
        """
        if not 0 <= count <= 64 * self.limbs:
            raise ValueError(f"{count} bits of an element: 0 to {64 * self.limbs} are there")
        return bits_of(self._canonical(x), count)

    def from_bits(self, bits: NDArray[np.bool_]) -> Vector:
        """The elements of the integers with given bits, shape (count, n), least significant first, reduced mod p.

        Raises ValueError for another type or shape, or for more than 256 bits, for one limb 128.
        """
        return self._from_words(words_of_bits(bits, self._integer_words))

    def is_zero(self, x: Vector) -> NDArray[np.bool_]:
        """Which elements are zero, shape (n,)."""
        zero: NDArray[np.bool_] = reduce(np.bitwise_or, enter(x, self.limbs).T) == 0
        return zero

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
        x = enter(x, self.limbs)
        out = np.empty_like(x)
        self._run("subtract_from", out.shape[0], self.zeros(1), x, out)
        return out

    def scale(self, x: Vector, factor: int) -> Vector:
        """x times one public integer."""
        return self._scaled(enter(x, self.limbs), self._element(factor))

    def add_constant(self, x: Vector, constant: int) -> Vector:
        """x plus one public integer."""
        x = enter(x, self.limbs)
        out = np.empty_like(x)
        self._run("add_constant", out.shape[0], x, self._element(constant), out)
        return out

    def inverses(self, x: Vector) -> Vector:
        """1 / x, element-wise, for one inversion and three products an element.

        Raises ZeroDivisionError when an element is zero.
        """
        x = enter(x, self.limbs)
        half = len(x) // 2
        if half < CHAIN or self.limbs == 1 or choose("multiply", half, self.kernel_set) == self.kernel_set:
            return self._chained_inverses(x)
        # One inverse of a product gives two, and products in lanes are faster than a chain of them.
        left, right = x[:half], x[half : 2 * half]
        shared = self.inverses(self.mul(left, right))
        rest = self._chained_inverses(x[2 * half :])
        return np.concatenate([self.mul(shared, right), self.mul(shared, left), rest])

    def _chained_inverses(self, x: Vector) -> Vector:
        prefixes, out = np.empty_like(x), np.empty_like(x)
        self._run("prefix_products", len(x), x, prefixes)
        if len(x):
            inverse = self._element(self.inverse(self.integers(prefixes[-1:])[0]))
            self._run("inverses", len(x), x, prefixes, inverse, out)
        return out

    def powers(self, x: Vector, exponent: int) -> Vector:
        """x ** exponent, element-wise, for one public exponent; 0 ** 0 is 1.

        A negative exponent inverts, and raises ZeroDivisionError when an element is zero.
        """
        x = enter(x, self.limbs)
        return roots.raise_all(self, x, exponent) if exponent >= 0 else self.powers(self.inverses(x), -exponent)

    def square_roots(self, x: Vector) -> Vector:
        """The square root of each element whose canonical integer is even: the other one is its negative.

        The time depends on the elements: it is meant for opened values. Raises ValueError when one is no square.
        """
        found = roots.square_roots(self, enter(x, self.limbs))
        odd = self._canonical(found)[:, :1] & np.uint64(1)
        return np.where(odd == 1, self.neg(found), found)

    # Sums.

    def dot(self, x: Vector, y: Vector) -> Vector:
        """The inner product, shape (1, limbs); raises ValueError for unequal lengths."""
        x, y = pair(x, y, self.limbs)
        base = self.kernel_set
        chosen = choose("dot", x.shape[0], base)
        if chosen == base:
            out = self.zeros(1)
            self._run("dot", x.shape[0], x, y, out)
            return out
        head = x.shape[0] - x.shape[0] % LANES
        lanes = self.zeros(LANES + 1)
        kernel("dot", chosen)(self._constants[chosen], x[:head], y[:head], lanes[:LANES])
        if head < x.shape[0]:
            kernel("dot", base)(self._constants[base], x[head:], y[head:], lanes[LANES:])
        return self.sum(lanes)

    def sum(self, x: Vector) -> Vector:
        """The sum of all elements, shape (1, limbs)."""
        out = self.zeros(1)
        self._run("total", x.shape[0], enter(x, self.limbs), out)
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
        vectors = one_length(rows, self.limbs)
        if any(len(line) != len(vectors) for line in coefficients):
            raise ValueError(f"every line must have {len(vectors)} coefficients, one for each vector")
        count = vectors[0].shape[0]
        out = np.empty((len(coefficients), count, self.limbs), dtype=np.uint64)
        if out.size == 0:
            return list(out)
        weights = light(coefficients, self.modulus)
        if weights is None:
            kernels = choose("matrix", count, self.kernel_set)
            table = _heavy(self, coefficients, kernels)
            self._run("matrix", count, table, *places(vectors, kernels), out)
        else:
            kernels = choose("weighted_sums", count, self.kernel_set)
            self._run("weighted_sums", count, *weights, *places(vectors, kernels), out)
        return list(out)

    def matrix_product(self, x: Vector, y: Vector, *, inner: int) -> Vector:
        """The product of a matrix x of `inner` columns and a matrix y of `inner` rows, all row by row in vectors.

        Raises ValueError when a length is not a multiple of `inner`.
        """
        x, y = enter(x, self.limbs), enter(y, self.limbs)
        if inner < 1 or x.shape[0] % inner or y.shape[0] % inner:
            raise ValueError(
                f"vectors of {x.shape[0]} and {y.shape[0]} elements are no matrices with inner size {inner}"
            )
        columns = y.shape[0] // inner
        if inner > MAX_ROWS:
            middle = inner // 2
            lines = x.reshape(-1, inner, self.limbs)
            left, right = (part.reshape(-1, self.limbs) for part in (lines[:, :middle], lines[:, middle:]))
            upper = self.matrix_product(left, y[: middle * columns], inner=middle)
            return self.add(upper, self.matrix_product(right, y[middle * columns :], inner=inner - middle))
        out = np.empty((x.shape[0] // inner, columns, self.limbs), dtype=np.uint64)
        if out.size:
            kernels = choose("matrix", columns, self.kernel_set)
            rows = [y[start : start + columns] for start in range(0, y.shape[0], columns)]
            self._run(
                "matrix", columns, factor_table(x, kernels, modulus=self.modulus), *places(rows, kernels), out
            )
        return out.reshape(-1, self.limbs)

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
        x, y = pair(x, y, self.limbs)
        weights = light_powers(parties, len(coefficients), self.modulus)
        if weights is None or not coefficients:
            return self.share(self.mul(x, y), coefficients, parties)
        vectors = one_length([x, *coefficients], self.limbs)[1:]
        count, name = x.shape[0], "multiply_and_share"
        out = np.empty((parties, count, self.limbs), dtype=np.uint64)
        self._run(name, count, x, y, weights, *places(vectors, choose(name, count, self.kernel_set)), out)
        return list(out)

    # Kernels.

    def _run(self, name: str, count: int, *arguments: Words | Weights) -> None:
        """Run a kernel on vectors of `count` elements; nothing is to do for none."""
        if count:
            kernels = choose(name, count, self.kernel_set)
            kernel(name, kernels)(self._constants[kernels], *arguments)

    def _binary(self, name: str, x: Vector, y: Vector) -> Vector:
        x, y = pair(x, y, self.limbs)
        out = np.empty_like(x)
        self._run(name, out.shape[0], x, y, out)
        return out

    def _scaled(self, x: Words, factor: Vector) -> Vector:
        out = np.empty_like(x)
        self._run("scale", out.shape[0], x, factor, out)
        return out

    def _element(self, value: int) -> Vector:
        """The element of an integer, shape (1, limbs)."""
        return row(value % self.modulus * self._one % self.modulus, self.limbs)

    @property
    def _integer_words(self) -> int:
        """The words of the integers that enter at once: four make four limbs, two make one."""
        return 4 if self.limbs > 1 else 2

    def _from_words(self, words: Words) -> Vector:
        """The elements of integers in rows of `_integer_words`."""
        if self.limbs > 1:
            return self._scaled(words, self._enlarge)
        divided = self._divided(np.ascontiguousarray(words))
        return divided if self._one == 1 else self._scaled(divided, self._enlarge)

    def _divided(self, words: Words) -> Vector:
        """What the integers in rows leave in vectors as they are, divided by the radix, mod p."""
        out = np.empty((words.shape[0], self.limbs), dtype=np.uint64)
        self._run("from_random", out.shape[0], words, out)
        return out

    def _canonical(self, x: Vector) -> Words:
        """The canonical integers of a vector, in rows of limbs."""
        x = enter(x, self.limbs)
        return x if self._one == 1 else self._scaled(x, self._unit)


def _heavy(field: PrimeField, coefficients: Sequence[Sequence[int]], kernels: str) -> Words:
    """The factor table of a matrix of any coefficients; small ones stay in memory, like light ones."""
    if len(coefficients) * len(coefficients[0]) > MAX_CACHED:
        return _table(field, coefficients, kernels)
    return _cached_table(field, tuple(map(tuple, coefficients)), kernels)


def _table(field: PrimeField, coefficients: Sequence[Sequence[int]], kernels: str) -> Words:
    return factor_table(
        field.vector(value for line in coefficients for value in line), kernels, modulus=field.modulus
    )


_cached_table = lru_cache(maxsize=256)(_table)
