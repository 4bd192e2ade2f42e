"""Each kernel against Python integers, once per process, before its first use.

A miscompiled kernel would not fail: it would compute wrong shares. The check costs less than loading the kernel.
Its field is that of the largest prime that the kernel set takes, where carries are longest.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import shake_256
from itertools import accumulate
from typing import Any, Final

import numpy as np

from .constants import (
    CARRY,
    GOLDILOCKS_MODULUS,
    GOLDILOCKS_WORD,
    IFMA,
    IFMA_WORD,
    LANES,
    MERSENNE_BITS,
    MERSENNE_WORD,
    PORTABLE,
    WORD,
    Weights,
    Words,
    constants_of,
    kept_words,
    limbs_of,
    radix_of,
    split,
)

_MODULI: Final[dict[str, int]] = {
    PORTABLE: 2**255 - 19,
    IFMA: 2**256 - 189,
    CARRY: 2**256 - 189,
    WORD: 2**64 - 59,
    IFMA_WORD: 2**64 - 59,
    GOLDILOCKS_WORD: GOLDILOCKS_MODULUS,
    MERSENNE_WORD: 2**MERSENNE_BITS - 1,
}
_WEIGHTS: Final = ((3, -3), (1 << 39, -7), (0, 1))


class _Bench:
    """The inputs in memory, and one way to run each group of kernels with one signature."""

    def __init__(self, kernels: str, compiled: Callable[..., Any], table: Callable[..., Words]) -> None:
        self.kernels, self.compiled, self.make_table = kernels, compiled, table
        self.modulus, self.limbs = _MODULI[kernels], limbs_of(kernels)
        self.shrink = pow(radix_of(self.modulus), -1, self.modulus)
        self.constants = constants_of(self.modulus, kernels)
        self.xs, self.ys = self._numbers("x"), self._numbers("y")
        self.x, self.y, self.constant = self.rows(self.xs), self.rows(self.ys), self.rows(self.ys[:1])
        self.addresses = np.array([self.x.ctypes.data, self.y.ctypes.data], dtype=np.uintp)
        self.scratch = np.empty((2, kept_words(kernels)), dtype=np.uint64)

    def _numbers(self, label: str) -> list[int]:
        """Nine elements, one more than the lanes: pseudo-random ones, then edges, or the other way round."""
        modulus = self.modulus
        edges = [0, 1, modulus - 1, 2 ** (64 * self.limbs) % modulus, modulus - 2 ** (48 * self.limbs)]
        data = shake_256(label.encode()).digest(32 * 4)
        drawn = [int.from_bytes(data[start : start + 32], "little") % modulus for start in range(0, len(data), 32)]
        return [*edges, *drawn] if label == "x" else [*drawn, *edges]

    def rows(self, values: list[int]) -> Words:
        """Values as rows of limbs."""
        return np.array([split(value, 64, self.limbs) for value in values], dtype=np.uint64)

    def flat(self, *inputs: Words) -> list[int]:
        """The output of a kernel with one output vector."""
        out = np.empty_like(self.x)
        self.compiled(self.constants, *inputs, out)
        return _integers(out)

    def lines(self, *inputs: Words | Weights) -> list[list[int]]:
        """The output of a kernel with three output vectors."""
        out = np.empty((3, *self.x.shape), dtype=np.uint64)
        self.compiled(self.constants, *inputs, self.addresses, self.scratch, out)
        return [_integers(out[line]) for line in range(3)]

    def total(self, *inputs: Words) -> int:
        """The sum of the partial sums in the output of a kernel."""
        out = np.zeros((LANES, self.limbs), dtype=np.uint64)
        self.compiled(self.constants, *inputs, out)
        return sum(_integers(out)) % self.modulus


def _integers(rows: Words) -> list[int]:
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def _element_wise(bench: _Bench, name: str) -> bool:
    x, y, constant = bench.x, bench.y, bench.constant
    inputs = {"subtract_from": (constant, x), "add_constant": (x, constant), "scale": (x, constant)}
    right = bench.ys[:1] * len(bench.xs) if name in inputs else bench.ys
    operations: dict[str, Callable[[int, int], int]] = {
        "add": lambda a, b: a + b,
        "add_constant": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "subtract_from": lambda a, b: b - a,
        "multiply": lambda a, b: a * b * bench.shrink,
        "scale": lambda a, b: a * b * bench.shrink,
    }
    expected = [operations[name](a, b) % bench.modulus for a, b in zip(bench.xs, right, strict=True)]
    return bench.flat(*inputs.get(name, (x, y))) == expected


def _sums(bench: _Bench, name: str) -> bool:
    weights = np.array(_WEIGHTS, dtype=np.int64)
    negative = np.array([3, 7, 0], dtype=np.int64)
    xs, ys, modulus, shrink = bench.xs, bench.ys, bench.modulus, bench.shrink
    pairs = list(zip(xs, ys, strict=True))
    if name == "weighted_sums":
        expected = [[(u * a + v * b) % modulus for a, b in pairs] for u, v in _WEIGHTS]
        return bench.lines(weights, negative) == expected
    if name == "multiply_and_share":
        expected = [[(a * b * shrink + abs(u) * a + abs(v) * b) % modulus for a, b in pairs] for u, v in _WEIGHTS]
        return bench.lines(bench.x, bench.y, np.abs(weights)) == expected
    factors = ((xs[2], ys[0]), (xs[4], ys[1]), (xs[8], ys[8]))
    table = bench.make_table(
        bench.rows([value for line in factors for value in line]), bench.kernels, modulus=modulus
    )
    return bench.lines(table) == [[(u * a + v * b) * shrink % modulus for a, b in pairs] for u, v in factors]


def _totals(bench: _Bench, name: str) -> bool:
    if name == "total":
        return bench.total(bench.x) == sum(bench.xs) % bench.modulus
    products = (a * b * bench.shrink for a, b in zip(bench.xs[:LANES], bench.ys, strict=False))
    return bench.total(bench.x[:LANES], bench.y[:LANES]) == sum(products) % bench.modulus


def _chains(bench: _Bench, name: str) -> bool:
    xs, ys, modulus, shrink = bench.xs, bench.ys, bench.modulus, bench.shrink
    if name == "prefix_products":
        products = accumulate(xs[5:], lambda a, b: a * b * shrink % modulus)
        return bench.flat(bench.rows(xs[5:]))[:4] == list(products)
    result, expected = ys[0], [0] * len(xs)
    for row in range(len(xs) - 1, 0, -1):
        expected[row] = result * ys[row - 1] * shrink % modulus
        result = result * xs[row] * shrink % modulus
    expected[0] = result
    return bench.flat(bench.x, bench.y, bench.constant) == expected


def _from_random(bench: _Bench) -> bool:
    size = 40 if bench.limbs > 1 else 16
    data = shake_256(b"random").digest(size * (len(bench.xs) - 1)) + b"\xff" * size
    words = np.frombuffer(data, dtype=np.uint64).reshape(-1, size // 8)
    drawn = [int.from_bytes(data[start : start + size], "little") for start in range(0, len(data), size)]
    return bench.flat(words) == [value * bench.shrink % bench.modulus for value in drawn]


def _copy_checked(bench: _Bench) -> bool:
    good, bad = bench.x.copy(), bench.rows([*bench.xs[:-1], bench.modulus])
    for rows in (good, bad):
        rows.flags.writeable = False
    out = np.empty_like(bench.x)
    accepted = bench.compiled(bench.constants, good, out) == 0 and _integers(out) == bench.xs
    return accepted and bench.compiled(bench.constants, bad, out) == 1


def is_right(name: str, kernels: str, compiled: Callable[..., Any], *, factor_table: Callable[..., Words]) -> bool:
    """Whether the compiled kernel `name` of a kernel set gives the known answers."""
    bench = _Bench(kernels, compiled, factor_table)
    if name == "address":
        return bool(compiled(bench.x) == bench.x.ctypes.data)
    if name == "copy_checked":
        return _copy_checked(bench)
    if name == "from_random":
        return _from_random(bench)
    if name in ("prefix_products", "inverses"):
        return _chains(bench, name)
    if name in ("dot", "total"):
        return _totals(bench, name)
    if name in ("weighted_sums", "multiply_and_share", "matrix"):
        return _sums(bench, name)
    return _element_wise(bench, name)
