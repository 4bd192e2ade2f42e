"""Each kernel against Python integers, once per process, before its first use.

A miscompiled kernel would not fail: it would compute wrong shares. The check costs less than loading the kernel.
Its field is that of 2^255 - 19, the largest modulus that the kernels take, where carries are longest.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import shake_256
from itertools import accumulate
from typing import Any, Final

import numpy as np

from .constants import LANE_LIMBS, LANES, Weights, Words, lane_constants, portable_constants, split

_P: Final = 2**255 - 19
_SHRINK: Final = pow(2, -256, _P)
_EDGES: Final = (0, 1, _P - 1, 2**256 % _P, _P - 2**192)


def _numbers(label: str) -> list[int]:
    """Nine elements, one more than the lanes: pseudo-random ones, then edges, or the other way round."""
    data = shake_256(label.encode()).digest(32 * 4)
    drawn = [int.from_bytes(data[start : start + 32], "little") % _P for start in range(0, len(data), 32)]
    return [*_EDGES, *drawn] if label == "x" else [*drawn, *_EDGES]


_X: Final = _numbers("x")
_Y: Final = _numbers("y")
_WEIGHTS: Final = ((3, -3), (1 << 39, -7), (0, 1))


def _rows(values: list[int]) -> Words:
    return np.array([split(value, 64, 4) for value in values], dtype=np.uint64)


def _integers(rows: Words) -> list[int]:
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


class _Bench:
    """The inputs in memory, and one way to run each group of kernels with one signature."""

    def __init__(self, kernels: str, compiled: Callable[..., Any], table: Callable[[Words, str], Words]) -> None:
        portable = kernels == "portable"
        self.kernels, self.compiled, self.make_table = kernels, compiled, table
        self.constants = portable_constants(_P) if portable else lane_constants(_P)
        self.x, self.y, self.constant = _rows(_X), _rows(_Y), _rows([_Y[0]])
        self.addresses = np.array([self.x.ctypes.data, self.y.ctypes.data], dtype=np.uintp)
        self.scratch = np.empty((2, 4 if portable else LANE_LIMBS * LANES), dtype=np.uint64)

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
        out = np.zeros((LANES, 4), dtype=np.uint64)
        self.compiled(self.constants, *inputs, out)
        return sum(_integers(out)) % _P


def _element_wise(bench: _Bench, name: str) -> bool:
    x, y, constant = bench.x, bench.y, bench.constant
    inputs = {"subtract_from": (constant, x), "add_constant": (x, constant), "scale": (x, constant)}
    right = [_Y[0]] * len(_X) if name in inputs else _Y
    operations: dict[str, Callable[[int, int], int]] = {
        "add": lambda a, b: a + b,
        "add_constant": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "subtract_from": lambda a, b: b - a,
        "multiply": lambda a, b: a * b * _SHRINK,
        "scale": lambda a, b: a * b * _SHRINK,
    }
    expected = [operations[name](a, b) % _P for a, b in zip(_X, right, strict=True)]
    return bench.flat(*inputs.get(name, (x, y))) == expected


def _sums(bench: _Bench, name: str) -> bool:
    weights = np.array(_WEIGHTS, dtype=np.int64)
    negative = np.array([3, 7, 0], dtype=np.int64)
    pairs = list(zip(_X, _Y, strict=True))
    if name == "weighted_sums":
        expected = [[(u * a + v * b) % _P for a, b in pairs] for u, v in _WEIGHTS]
        return bench.lines(weights, negative) == expected
    if name == "multiply_and_share":
        expected = [[(a * b * _SHRINK + abs(u) * a + abs(v) * b) % _P for a, b in pairs] for u, v in _WEIGHTS]
        return bench.lines(bench.x, bench.y, np.abs(weights)) == expected
    table = bench.make_table(_rows([_X[2], _Y[0], _X[4], _Y[1], _X[8], _Y[8]]), bench.kernels)
    factors = ((_X[2], _Y[0]), (_X[4], _Y[1]), (_X[8], _Y[8]))
    return bench.lines(table) == [[(u * a + v * b) * _SHRINK % _P for a, b in pairs] for u, v in factors]


def _totals(bench: _Bench, name: str) -> bool:
    if name == "total":
        return bench.total(bench.x) == sum(_X) % _P
    products = (a * b * _SHRINK for a, b in zip(_X[:LANES], _Y, strict=False))
    return bench.total(bench.x[:LANES], bench.y[:LANES]) == sum(products) % _P


def _chains(bench: _Bench, name: str) -> bool:
    if name == "prefix_products":
        products = accumulate(_X[5:], lambda a, b: a * b * _SHRINK % _P)
        return bench.flat(_rows(_X[5:]))[:4] == list(products)
    result, expected = _Y[0], [0] * len(_X)
    for row in range(len(_X) - 1, 0, -1):
        expected[row] = result * _Y[row - 1] * _SHRINK % _P
        result = result * _X[row] * _SHRINK % _P
    expected[0] = result
    return bench.flat(bench.x, bench.y, bench.constant) == expected


def _from_random(bench: _Bench) -> bool:
    data = shake_256(b"random").digest(40 * (len(_X) - 1)) + b"\xff" * 40
    words = np.frombuffer(data, dtype=np.uint64).reshape(-1, 5)
    drawn = [int.from_bytes(data[start : start + 40], "little") for start in range(0, len(data), 40)]
    return bench.flat(words) == [value * _SHRINK % _P for value in drawn]


def _copy_checked(bench: _Bench) -> bool:
    good, bad = bench.x.copy(), _rows([*_X[:-1], _P])
    for rows in (good, bad):
        rows.flags.writeable = False
    out = np.empty_like(bench.x)
    accepted = bench.compiled(bench.constants, good, out) == 0 and _integers(out) == _X
    return accepted and bench.compiled(bench.constants, bad, out) == 1


def is_right(
    name: str, kernels: str, compiled: Callable[..., Any], *, factor_table: Callable[[Words, str], Words]
) -> bool:
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
