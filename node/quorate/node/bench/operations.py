"""The operations that can be measured: a table, one line each.

An operation builds a `Case` for one party: the protocol to measure, and what its result must be. Under a scheme
that verifies late, the verification is part of what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

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
    shift_right,
    verify,
)
from quorate.protocol.mpc.arithmetic import FIX64, INT64, divide, fixed_multiply
from quorate.protocol.mpc.circuits import bit_layer, encrypt_blocks, public_bits
from quorate.protocol.mpc.data import sort
from quorate.protocol.mpc.seeds import Stream

CHECKED: Final = 64
"""How many results are opened and compared, from both ends of a batch."""
_PIECE: Final = 1 << 17
_RUN: Final = 100
_MATRIX: Final = 200
_SORTED: Final = 1024


@dataclass(frozen=True, slots=True)
class Case:
    """What one party runs: `run` is measured; `check` opens its result and says whether it is right."""

    run: Callable[[], Protocol[Any]]  # Any: each operation has its own result, which only its check reads
    check: Callable[[Any], Protocol[bool]]


@dataclass(frozen=True, slots=True)
class Workbench:
    """One party, and inputs whose values everybody knows, so that results can be checked."""

    party: Party

    def values(self, count: int) -> NDArray[np.int64]:
        """The integers 7 i - 50."""
        return np.arange(count, dtype=np.int64) * 7 - 50

    def shares(self, values: NDArray[np.int64]) -> Vector:
        """This party's shares of public values, from polynomials that every party derives alike."""
        party, field = self.party, self.party.field
        streams = [Stream(bytes([degree] * 16)) for degree in range(1, party.threshold + 1)]
        powers = [party.identity**degree for degree in range(party.threshold + 1)]
        result = field.zeros(len(values))
        for start in range(0, len(values), _PIECE):
            part = values[start : start + _PIECE]
            rows = [field.from_small(part), *(stream.elements(field, len(part)) for stream in streams)]
            result[start : start + _PIECE] = field.combine(powers, rows)
        return result

    def verified(self, protocol: Protocol[Vector]) -> Protocol[Vector]:
        """The result of a protocol, verified."""
        result = yield from protocol
        yield from verify(self.party)
        return result

    def opens_to(self, shares: Vector, expected: Sequence[int]) -> Protocol[bool]:
        """Whether shares open to `expected`, modulo the field."""
        field = self.party.field
        opened = yield from open_shares(self.party, shares)
        return field.integers(opened) == [value % field.modulus for value in expected]

    def sampled(self, shares: Vector, expected: Callable[[int], int]) -> Protocol[bool]:
        """Whether the first and the last CHECKED results are what `expected` says of their places."""
        count = len(shares)
        places = sorted({*range(min(count, CHECKED)), *range(max(0, count - CHECKED), count)})
        return (yield from self.opens_to(shares[places], [expected(place) for place in places]))


def _multiply(bench: Workbench, batch: int) -> Case:
    x = bench.shares(bench.values(batch))
    return Case(
        lambda: bench.verified(multiply(bench.party, x, x)),
        lambda result: bench.sampled(result, lambda place: (7 * place - 50) ** 2),
    )


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
    values = _signed(batch)
    x = bench.shares(values)
    return Case(
        lambda: bench.verified(less_than_zero(bench.party, x, bits=32)),
        lambda result: bench.sampled(result, lambda place: int(values[place] < 0)),
    )


def _equal(bench: Workbench, batch: int) -> Case:
    values = _signed(batch)
    other = np.where(np.arange(batch) % 3 == 0, values, values // 2)
    x, y = bench.shares(values), bench.shares(other)
    return Case(
        lambda: bench.verified(equal(bench.party, x, y, bits=32)),
        lambda result: bench.sampled(result, lambda place: int(values[place] == other[place])),
    )


def _shift(bench: Workbench, batch: int) -> Case:
    values = _signed(batch)
    x = bench.shares(values)
    return Case(
        lambda: bench.verified(shift_right(bench.party, x, bits=32, power=16)),
        lambda result: bench.sampled(result, lambda place: int(values[place]) >> 16),
    )


def _signed(count: int) -> NDArray[np.int64]:
    """Integers over the whole range of 32 bits, its ends among them."""
    values = (np.arange(count, dtype=np.int64) * 2654435761 + 2**31) % 2**32 - 2**31
    values[1:2] = 2**31 - 1
    values[2:3] = 0
    return values


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
    values, divisors = _signed(batch) * 3_000_000_019, _signed(batch)[::-1] | 1
    x, y = bench.shares(values), bench.shares(divisors)
    return Case(
        lambda: bench.verified(divide(bench.party, x, y, of=INT64)),
        lambda result: bench.sampled(result, lambda place: int(values[place]) // int(divisors[place])),
    )


def _fixed(bench: Workbench, batch: int) -> Case:
    values = _signed(batch)
    x = bench.shares(values)
    unit = 1 << FIX64.fraction_bits

    def check(result: Vector) -> Protocol[bool]:
        field = bench.party.field
        places = range(min(batch, CHECKED))
        opened = yield from open_shares(bench.party, result[: len(places)])
        exact = [int(values[place]) ** 2 / unit for place in places]
        return all(abs(got - want) <= 1 for got, want in zip(field.to_small(opened).tolist(), exact, strict=True))

    return Case(lambda: bench.verified(fixed_multiply(bench.party, x, x, of=FIX64)), check)


def _sort(bench: Workbench, batch: int) -> Case:
    values = _signed(batch * _SORTED).reshape(batch, _SORTED)
    tables = [bench.shares(row) for row in values]
    expected = [sorted(row.tolist()) for row in values]

    def run() -> Protocol[list[Vector]]:
        results = []
        for table in tables:
            results.append((yield from sort(bench.party, table, bits=32)))
        yield from verify(bench.party)
        return results

    def check(results: list[Vector]) -> Protocol[bool]:
        for result, wanted in zip(results, expected, strict=True):
            if not (yield from bench.sampled(result, wanted.__getitem__)):
                return False
        return True

    return Case(run, check)


def _aes(bench: Workbench, batch: int) -> Case:
    """The block and the key of FIPS 197, appendix B, both shared; every block of the batch is this one."""
    party = bench.party
    layer = bit_layer(party)
    key = bench.shares(_bits_of("2b7e151628aed2a6abf7158809cf4f3c", 1))
    blocks = bench.shares(_bits_of("3243f6a8885a308d313198a2e0370734", batch))

    def run() -> Protocol[Vector]:
        entered = yield from layer.enter(party, np.concatenate([key, blocks]))
        table = entered.reshape(batch + 1, 8, 16, *entered.shape[1:])
        shaped = np.ascontiguousarray(np.moveaxis(table, 0, 2))
        result = yield from encrypt_blocks(party, layer, shaped[:, :, :1], shaped[:, :, 1:])
        return (yield from bench.verified(layer.leave(party, result)))

    expected = np.repeat(_bits_of("3925841d02dc09fbdc118597196a0b32", 1).reshape(8, 16, 1), batch, axis=2).reshape(
        -1
    )
    return Case(run, lambda result: bench.sampled(result, lambda place: int(expected[place])))


def _bits_of(block: str, count: int) -> NDArray[np.int64]:
    """The bits of `count` blocks, one block after another."""
    return np.tile(public_bits(bytes.fromhex(block)).reshape(-1), count).astype(np.int64)


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
        "sort1024": Operation(f"sorts of {_SORTED} 32-bit integers", 1, _sort, frozenset({"robust"})),
        "aes128": Operation("AES-128 blocks, key and block shared", 1, _aes, frozenset({"robust"})),
        "random_bits": Operation("random bits", 100_000, _random_bits),
        "triples": Operation("Beaver triples", 100_000, _triples),
        "rounds": Operation("multiplications that depend on one another, one a round", 1_000, _rounds),
    }
)
"""Every operation by name."""


def usual_operations(protocol: str) -> tuple[str, ...]:
    """What is measured when nothing is named: all but what takes long under the protocol."""
    return tuple(name for name, operation in OPERATIONS.items() if protocol not in operation.long_under)
