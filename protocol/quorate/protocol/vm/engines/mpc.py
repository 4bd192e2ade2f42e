"""The MPC engine: batches become vector operations on shares.

Adversary: that of `quorate.protocol.mpc`. The engine opens nothing but what the program opens; its control flow
is the same at every party, so the parties' rounds line up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.curve import Point
from quorate.protocol.errors import MalformedMessage, PartyFault
from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc import (
    MAX_PLAN_ELEMENTS,
    Exchange,
    Party,
    Plan,
    Protocol,
    expand,
    reserve,
    reveal,
    set_up,
    signed_integers,
    together,
)
from quorate.protocol.sharing import PartyId
from quorate.protocol.verifiable.exponent import open_in_exponent
from quorate.protocol.vm.engine import EngineError, Environment

from .arithmetic_kinds import plan_at
from .clear import check_order
from .graph import Form
from .lazy import MAX_PENDING, Batch, LazyEngine, missing_input

MAX_SHARES: Final = 1 << 22
"""The most shares that one run keeps, 32 bytes each."""
_FIRST_CAPACITY: Final = 256
_ONE: Final = 0


class ShareTable:
    """A growing table of shares; row 0 is the constant 1."""

    def __init__(self, field: PrimeField, most: int) -> None:
        self._most = most
        self._rows = field.zeros(_FIRST_CAPACITY)
        self._count = 0
        self.append(field.full(1, 1))

    def append(self, vector: Vector) -> int:
        """Add rows; the first one's number. Raises EngineError when the table is full."""
        first, self._count = self._count, self._count + len(vector)
        if self._count > self._most:
            raise EngineError(f"more than {self._most} secret values; compute less, or raise the limit")
        if self._count > len(self._rows):
            grown = np.zeros((max(self._count, 2 * len(self._rows)), self._rows.shape[1]), dtype=np.uint64)
            grown[:first] = self._rows[:first]
            self._rows = grown
        self._rows[first : self._count] = vector
        return first

    def rows(self, numbers: Sequence[int] | NDArray[np.int64]) -> Vector:
        """A copy of some rows, in order."""
        return self._rows[np.asarray(numbers, dtype=np.int64)]


class MpcEngine(LazyEngine):
    """One party's engine; `inputs[client, index]` is a share vector of one element.

    Every party must use the same environment and limits.
    """

    def __init__(
        self,
        party: Party,
        inputs: Mapping[tuple[int, int], Vector],
        environment: Environment,
        *,
        most_pending: int = MAX_PENDING,
        most_shares: int = MAX_SHARES,
    ) -> None:
        super().__init__(dataclasses.replace(environment, modulus=party.field.modulus), most_pending=most_pending)
        self._party = party
        self._given = inputs
        self._table = ShareTable(party.field, most_shares)

    def _load(self, client: int, index: int) -> int:
        share = self._given.get((client, index))
        if share is None:
            raise missing_input(client, index)
        return self._table.append(share[:1])

    def _combine(self, forms: Sequence[tuple[Form, int]]) -> int:
        return self._table.append(combine_forms(self._party.field, self._table, forms))

    def _perform(self, batches: Sequence[Batch]) -> Protocol[list[int]]:
        party = self._party
        protocols = [batch.kind.run(party, self._columns(batch), batch.parameter) for batch in batches]
        results: Sequence[Vector]
        if len(batches) > 1 and (yield from self._stock(batches)):
            results = yield from together(party, *protocols)
        else:
            results = []
            for protocol in protocols:
                results.append((yield from protocol))
        return [self._table.append(result) for result in results]

    def _stock(self, batches: Sequence[Batch]) -> Protocol[bool]:
        """Make sure that `batches` can run side by side: they draw from one pool, which must have enough for all.

        False when they need more than one plan may hold; then they run one after another.
        """
        plan = Plan()
        for batch in batches:
            plan += plan_at(batch.kind, self._party, count=len(batch.operations), parameter=batch.parameter)
        plan = expand(plan, kappa=self._party.kappa, on_bytes=self._party.scheme.computes_on_bytes)
        if plan.total > MAX_PLAN_ELEMENTS:
            return False
        yield from set_up(self._party)
        yield from reserve(self._party, plan)
        return True

    def _columns(self, batch: Batch) -> list[Vector]:
        if not batch.operations[0].operands:
            return [self._party.field.zeros(len(batch.operations))]
        places = range(len(batch.operations[0].operands))
        return [self._table.rows(batch.column(place)) for place in places]

    def _reveal(self, rows: Sequence[int]) -> Protocol[list[Any]]:
        opened = yield from reveal(self._party, self._table.rows(rows))
        return signed_integers(self._party.field, opened)

    def _reveal_multiple(self, row: int, base: Point) -> Protocol[bytes]:
        """Everybody sends its share times `base`; the points are interpolated and checked against one another.

        With n >= 2t+1 points t liars can stop the opening and cannot change it; nobody is named.
        """
        party = self._party
        check_order(base, party.field.modulus)
        (share,) = party.field.integers(self._table.rows([row]))
        own = (base * share).encode()
        others = [PartyId(number) for number in range(1, party.parties + 1) if number != party.identity]
        size = len(own)
        received = yield Exchange(dict.fromkeys(others, own), dict.fromkeys(others, size))
        points = {party.identity: base * share}
        for sender in others:
            try:
                points[sender] = base.curve.decode(received[sender], identity=True)
            except MalformedMessage as error:
                raise PartyFault(sender, f"sent no point of {base.curve.name}: {error}") from None
        return open_in_exponent(points, threshold=party.threshold).encode()

    def _share(self, rows: Sequence[int]) -> Vector:
        return self._table.rows(rows)


def combine_forms(field: PrimeField, table: ShareTable, forms: Sequence[tuple[Form, int]]) -> Vector:
    """The values of linear forms, all at once: gather the terms, scale them, and add them up in log2 steps."""
    numbers: list[int] = []
    coefficients: list[int] = []
    sizes: list[int] = []
    for form, constant in forms:
        before = len(numbers)
        for node, coefficient in form.items():
            numbers.append(node.row)
            coefficients.append(coefficient)
        if constant or not form:
            numbers.append(_ONE)
            coefficients.append(constant)
        sizes.append(len(numbers) - before)
    terms = _scaled(field, table.rows(numbers), coefficients)
    return _segment_sums(field, terms, np.array(sizes, dtype=np.int64))


def _scaled(field: PrimeField, terms: Vector, coefficients: Sequence[int]) -> Vector:
    minus = [index for index, coefficient in enumerate(coefficients) if coefficient == -1]
    other = [index for index, coefficient in enumerate(coefficients) if coefficient not in (1, -1)]
    if minus:
        terms[minus] = field.neg(terms[minus])
    if other:
        terms[other] = field.mul(terms[other], field.vector(coefficients[index] for index in other))
    return terms


def _segment_sums(field: PrimeField, terms: Vector, sizes: NDArray[np.int64]) -> Vector:
    """The sum of each run of `sizes[i]` terms; every step adds neighbours pairwise."""
    while len(terms) > len(sizes):
        starts = np.cumsum(sizes) - sizes
        places = np.arange(len(terms)) - np.repeat(starts, sizes)
        left = np.flatnonzero(places % 2 == 0)
        paired = places[left] + 1 < np.repeat(sizes, sizes)[left]
        halved = terms[left]
        both = left[paired]
        halved[paired] = field.add(terms[both], terms[both + 1])
        terms, sizes = halved, (sizes + 1) // 2
    return terms
