"""The operations that can be measured: a table, one line each.

An operation builds a `Case` for one party: the protocol to measure, and what its result must be. Under a scheme
that verifies late, the verification is part of what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc import (
    TRIPLE,
    Party,
    Plan,
    Protocol,
    equal,
    inner_products,
    less_than_zero,
    matrix_product,
    multiply,
    open_shares,
    preprocess,
    random_bits,
    schemes,
    shift_right,
    verify,
)
from quorate.protocol.mpc.arithmetic import FIX64, INT64, divide, fixed_multiply

from .data_operations import ROWS, build_aes, build_read, build_sha3_256, build_sha256, build_sort
from .workbench import CHECKED, Case, Workbench, signed_values

_RUN: Final = 100
_MATRIX: Final = 200
_AT_ONCE: Final = 1 << 19
_EVERYWHERE: Final = frozenset(schemes)
_MALICIOUS: Final = frozenset({"abort", "robust"})


def _multiply(bench: Workbench, batch: int) -> Case:
    x = bench.shares(bench.values(batch))
    return Case(
        lambda: bench.verified(multiply(bench.party, x, x)),
        lambda result: bench.sampled(result, lambda place: (7 * place - 50) ** 2),
    )


def _multiply_on(bench: Workbench, batch: int) -> Case:
    """Products of one vector with itself, again and again, verified at the end: what a long session keeps."""
    count = min(batch, _AT_ONCE)
    x = bench.shares(bench.values(count))

    def run() -> Protocol[Vector]:
        result = x
        for start in range(0, batch, _AT_ONCE):
            result = yield from multiply(bench.party, *[x[: min(_AT_ONCE, batch - start)]] * 2)
        yield from verify(bench.party)
        return result

    return Case(run, lambda result: bench.sampled(result, lambda place: (7 * place - 50) ** 2))


def _open(bench: Workbench, batch: int) -> Case:
    values = bench.values(batch)
    x = bench.shares(values)

    def check(opened: Vector) -> Protocol[bool]:
        yield from ()
        return np.array_equal(opened, bench.party.field.from_small(values))

    return Case(lambda: open_shares(bench.party, x), check)


def _inner_product(bench: Workbench, batch: int) -> Case:
    values = bench.values(batch * _RUN)
    x = bench.shares(values)
    sums = (values.astype(object) ** 2).reshape(batch, _RUN).sum(axis=1)
    return Case(
        lambda: bench.verified(inner_products(bench.party, x, x, length=_RUN)),
        lambda result: bench.sampled(result, lambda place: int(sums[place])),
    )


def _matmul(bench: Workbench, batch: int) -> Case:
    values = bench.values(_MATRIX**2).reshape(_MATRIX, _MATRIX)
    x = bench.shares(values.reshape(-1))
    expected = (values @ values).reshape(-1)

    def run() -> Protocol[Vector]:
        result = x
        for _ in range(batch):
            result = yield from matrix_product(bench.party, x, x, inner=_MATRIX)
        yield from verify(bench.party)
        return result

    return Case(run, lambda result: bench.sampled(result, lambda place: int(expected[place])))


def _less(bench: Workbench, batch: int) -> Case:
    values = signed_values(batch)
    x = bench.shares(values)
    return Case(
        lambda: bench.verified(less_than_zero(bench.party, x, bits=32)),
        lambda result: bench.sampled(result, lambda place: int(values[place] < 0)),
    )


def _equal(bench: Workbench, batch: int) -> Case:
    values = signed_values(batch)
    other = np.where(np.arange(batch) % 3 == 0, values, values // 2)
    x, y = bench.shares(values), bench.shares(other)
    return Case(
        lambda: bench.verified(equal(bench.party, x, y, bits=32)),
        lambda result: bench.sampled(result, lambda place: int(values[place] == other[place])),
    )


def _shift(bench: Workbench, batch: int) -> Case:
    values = signed_values(batch)
    x = bench.shares(values)
    return Case(
        lambda: bench.verified(shift_right(bench.party, x, bits=32, power=16)),
        lambda result: bench.sampled(result, lambda place: int(values[place]) >> 16),
    )


def _random_bits(bench: Workbench, batch: int) -> Case:
    def check(bits: Vector) -> Protocol[bool]:
        opened = yield from open_shares(bench.party, bits[:CHECKED])
        return set(bench.party.field.integers(opened)) <= {0, 1}

    return Case(lambda: bench.verified(random_bits(bench.party, batch)), check)


def _triples(bench: Workbench, batch: int) -> Case:
    def run() -> Protocol[tuple[Vector, ...]]:
        yield from preprocess(bench.party, Plan(triples=batch))
        yield from verify(bench.party)
        return bench.party.pool.take_columns(TRIPLE, batch)

    def check(columns: tuple[Vector, ...]) -> Protocol[bool]:
        a, b, c = yield from _opened(bench.party, [column[:CHECKED] for column in columns])
        return np.array_equal(bench.party.field.mul(a, b), c)

    return Case(run, check)


def _opened(party: Party, vectors: Sequence[Vector]) -> Protocol[list[Vector]]:
    opened = []
    for vector in vectors:
        opened.append((yield from open_shares(party, vector)))
    return opened


def _rounds(bench: Workbench, batch: int) -> Case:
    one = bench.shares(np.ones(1, dtype=np.int64))

    def run() -> Protocol[Vector]:
        x = one
        for _ in range(batch):
            x = yield from multiply(bench.party, x, one)
        yield from verify(bench.party)
        return x

    return Case(run, lambda result: bench.opens_to(result, [1]))


def _divide(bench: Workbench, batch: int) -> Case:
    values, divisors = signed_values(batch) * 3_000_000_019, signed_values(batch)[::-1] | 1
    x, y = bench.shares(values), bench.shares(divisors)
    return Case(
        lambda: bench.verified(divide(bench.party, x, y, of=INT64)),
        lambda result: bench.sampled(result, lambda place: int(values[place]) // int(divisors[place])),
    )


def _fixed(bench: Workbench, batch: int) -> Case:
    values = signed_values(batch)
    x = bench.shares(values)
    unit = 1 << FIX64.fraction_bits

    def check(result: Vector) -> Protocol[bool]:
        field = bench.party.field
        places = range(min(batch, CHECKED))
        opened = yield from open_shares(bench.party, result[: len(places)])
        exact = [int(values[place]) ** 2 / unit for place in places]
        return all(abs(got - want) <= 1 for got, want in zip(field.to_small(opened).tolist(), exact, strict=True))

    return Case(lambda: bench.verified(fixed_multiply(bench.party, x, x, of=FIX64)), check)


@dataclass(frozen=True, slots=True)
class Operation:
    """How an operation is measured: `build` makes a party's case of a batch, and `batch` is the usual size."""

    summary: str
    batch: int
    build: Callable[[Workbench, int], Case]
    long_under: frozenset[str] = frozenset()
    """The protocols under which it takes so long that it must be asked for by name."""


OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        "multiply": Operation("products of shares, element by element", 100_000, _multiply),
        "open": Operation("openings to everybody", 100_000, _open),
        "inner_product": Operation(f"inner products of {_RUN} elements", 1_000, _inner_product),
        "matmul200": Operation(f"products of {_MATRIX} x {_MATRIX} matrices", 1, _matmul),
        "less32": Operation("comparisons of 32-bit integers with zero", 10_000, _less),
        "equal32": Operation("equality tests of 32-bit integers", 10_000, _equal),
        "shift32": Operation("right shifts of 32-bit integers by 16 places", 10_000, _shift),
        "divide64": Operation("divisions of 64-bit integers by secret ones", 1_000, _divide),
        "fixed64": Operation("products of fixed-point numbers of 64 bits", 10_000, _fixed),
        "sort1024": Operation(f"sorts of {ROWS} 32-bit integers", 1, build_sort, frozenset({"robust"})),
        "read1024": Operation(f"reads of {ROWS} elements at a secret place", 1, build_read),
        "aes128": Operation("AES-128 blocks, key and block shared", 1, build_aes, frozenset({"robust"})),
        "sha256": Operation("blocks of SHA-256", 1, build_sha256, _MALICIOUS),
        "sha3_256": Operation("blocks of SHA3-256", 1, build_sha3_256, _MALICIOUS),
        "random_bits": Operation("random bits", 100_000, _random_bits),
        "triples": Operation("Beaver triples", 100_000, _triples),
        "multiply_on": Operation(
            f"products of shares, {_AT_ONCE} a call, verified at the end", 10_000_000, _multiply_on, _EVERYWHERE
        ),
        "rounds": Operation("multiplications that depend on one another, one a round", 1_000, _rounds),
    }
)
"""Every operation by name."""


def usual_operations(protocol: str) -> tuple[str, ...]:
    """What is measured when nothing is named: all but what takes long under the protocol."""
    return tuple(name for name, operation in OPERATIONS.items() if protocol not in operation.long_under)
