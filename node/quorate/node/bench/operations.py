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

from quorate.protocol.field import (
    BLS12_381,
    BN254,
    BN254_BASE,
    ED25519,
    GOLDILOCKS,
    MERSENNE61,
    P256,
    SECP256K1,
    PrimeField,
    Vector,
)
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
from quorate.protocol.mpc.seeds import Stream

FIELDS: Final[Mapping[str, PrimeField]] = MappingProxyType(
    {
        field.name: field
        for field in (BN254, BN254_BASE, BLS12_381, SECP256K1, P256, ED25519, GOLDILOCKS, MERSENNE61)
    }
)
"""The fields by name."""

CHECKED: Final = 64
"""How many results are opened and compared, from both ends of a batch."""
_PIECE: Final = 1 << 17
_RUN: Final = 100
_MATRIX: Final = 200


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


@dataclass(frozen=True, slots=True)
class Operation:
    """How an operation is measured: `build` makes a party's case of a batch, and `batch` is the usual size."""

    summary: str
    batch: int
    build: Callable[[Workbench, int], Case]


OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        "multiply": Operation("products of shares, element by element", 100_000, _multiply),
        "open": Operation("openings to everybody", 100_000, _open),
        "inner_product": Operation(f"inner products of {_RUN} elements", 1_000, _inner_product),
        "matmul200": Operation(f"products of {_MATRIX} x {_MATRIX} matrices", 1, _matmul),
        "less32": Operation("comparisons of 32-bit integers with zero", 10_000, _less),
        "equal32": Operation("equality tests of 32-bit integers", 10_000, _equal),
        "shift32": Operation("right shifts of 32-bit integers by 16 places", 10_000, _shift),
        "random_bits": Operation("random bits", 100_000, _random_bits),
        "triples": Operation("Beaver triples", 100_000, _triples),
        "rounds": Operation("multiplications that depend on one another, one a round", 1_000, _rounds),
    }
)
"""Every operation by name."""
