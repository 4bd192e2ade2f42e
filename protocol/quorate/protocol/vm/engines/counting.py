"""The counting engine: a dry run that knows no secret and tells what a real run needs.

It schedules exactly as the MPC engine does. What a program opens is unknown to it; where the program's course
depends on that, the dry run ends, and the counts cover what came before.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from quorate.protocol.curve import Point
from quorate.protocol.mpc import DEFAULT_KAPPA, MAX_PLAN_ELEMENTS, Party, Plan, Protocol, equal, expand, less_than
from quorate.protocol.mpc.arithmetic.costs import cost_of
from quorate.protocol.vm.engine import UNKNOWN, Environment

from .arithmetic_kinds import OPERATORS, RANDOM_ELEMENT
from .graph import Form
from .kinds import EQUAL, LESS_THAN, MULTIPLY, RANDOM
from .lazy import MAX_PENDING, Batch, LazyEngine, missing_input

_OPERATOR_KINDS: Final = {kind.name: kind for kind in OPERATORS.values()}


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """What a run does: operations by kind, by bits where they have any; `rounds` with preprocessing in stock."""

    multiplications: int
    comparisons: Mapping[int, int]
    equality_tests: Mapping[int, int]
    random_integers: Mapping[int, int]
    opened: int
    outputs: int
    rounds: int
    batches: tuple[tuple[str, int], ...]
    operators: Mapping[str, int] = dataclasses.field(default_factory=dict)


class CountingEngine(LazyEngine):
    """Counts; `inputs` are the (client, index) pairs that there will be."""

    def __init__(
        self,
        inputs: Collection[tuple[int, int]],
        environment: Environment,
        *,
        most_pending: int = MAX_PENDING,
    ) -> None:
        super().__init__(environment, most_pending=most_pending)
        self._known = frozenset(inputs)
        self._counts: Counter[tuple[str, int]] = Counter()
        self._batches: list[tuple[str, int]] = []
        self._opened = 0
        self._rounds = 0
        self._rows = 0
        self._sent = 0

    def counts(self) -> Counts:
        """What has been counted so far."""

        def by_bits(name: str) -> dict[int, int]:
            return {bits: count for (kind, bits), count in sorted(self._counts.items()) if kind == name}

        return Counts(
            multiplications=self._counts[MULTIPLY.name, 0],
            comparisons=by_bits(LESS_THAN.name),
            equality_tests=by_bits(EQUAL.name),
            random_integers=by_bits(RANDOM.name),
            opened=self._opened,
            outputs=self._sent,
            rounds=self._rounds,
            batches=tuple(self._batches),
            operators=self._operators(),
        )

    def _operators(self) -> dict[str, int]:
        """Operators on secrets by name, whatever their numbers."""
        counts: Counter[str] = Counter()
        for (name, _), count in sorted(self._counts.items()):
            if name in _OPERATOR_KINDS:
                counts[name] += count
        return dict(counts)

    def plan(self, party: Party | None = None, *, shares: int = 0) -> Plan:
        """What to preprocess for the run at a party like `party`, and `shares` random shares besides.

        It stays within MAX_PLAN_ELEMENTS: what a vast run needs beyond that is made on demand.
        """
        kappa = DEFAULT_KAPPA if party is None else party.kappa
        on_bytes = party is None or party.scheme.computes_on_bytes
        plan = Plan(shares=shares + min(self._counts[RANDOM_ELEMENT.name, 0], MAX_PLAN_ELEMENTS - shares))
        for kind in (LESS_THAN, EQUAL, RANDOM):
            for (name, bits), count in sorted(self._counts.items()):
                if name == kind.name:
                    room = MAX_PLAN_ELEMENTS - plan.total
                    each = expand(kind.plan(1, bits, kappa), kappa=kappa, on_bytes=on_bytes)
                    plan += each.times(max(0, min(count, room // each.total)))
        for (name, parameter), count in sorted(self._counts.items()):
            operator = _OPERATOR_KINDS.get(name)
            if party is not None and operator is not None:
                each = operator.plan_at(party, 1, parameter)
                plan += each.times(max(0, min(count, (MAX_PLAN_ELEMENTS - plan.total) // max(1, each.total))))
        return plan if party is None else plan + self._scheme_plan(party, MAX_PLAN_ELEMENTS - plan.total)

    def _scheme_plan(self, party: Party, room: int) -> Plan:
        """What the scheme takes for the products of the run, those inside of comparisons too, and for its outputs."""
        products = self._counts[MULTIPLY.name, 0]
        for kind, operation in ((LESS_THAN, less_than), (EQUAL, equal)):
            for (name, bits), count in self._counts.items():
                if name == kind.name:
                    products += count * cost_of(party, operation, 1, 1, bits=bits).products
        outputs = party.scheme.zero_plan(min(self._sent, room))
        return outputs + party.scheme.multiplication_plan(party, max(0, min(products, room - outputs.total)))

    def _take_rows(self, count: int) -> int:
        first, self._rows = self._rows, self._rows + count
        return first

    def _load(self, client: int, index: int) -> int:
        if (client, index) not in self._known:
            raise missing_input(client, index)
        return self._take_rows(1)

    def _combine(self, forms: Sequence[tuple[Form, int]]) -> int:
        return self._take_rows(len(forms))

    def _perform(self, batches: Sequence[Batch]) -> Protocol[list[int]]:
        yield from ()
        for batch in batches:
            self._counts[batch.kind.name, batch.parameter] += len(batch.operations)
            self._batches.append((batch.kind.name, len(batch.operations)))
        self._rounds += max(batch.kind.rounds(batch.parameter) for batch in batches)
        return [self._take_rows(len(batch.operations)) for batch in batches]

    def _reveal(self, rows: Sequence[int]) -> Protocol[list[Any]]:
        yield from ()
        self._opened += len(rows)
        self._rounds += 1
        return [UNKNOWN] * len(rows)

    def _reveal_multiple(self, row: int, base: Point) -> Protocol[Any]:
        yield from ()
        self._opened += 1
        self._rounds += 1
        return UNKNOWN

    def _share(self, rows: Sequence[int]) -> tuple[None, ...]:
        self._sent += len(rows)
        return (None,) * len(rows)
