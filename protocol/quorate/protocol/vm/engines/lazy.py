"""The lazy engine: collects operations and evaluates them in batches; what a batch does is left to subclasses."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any, Final, cast

from quorate.protocol.curve import Point
from quorate.protocol.mpc import Protocol
from quorate.protocol.vm.engine import EngineError, Environment, Output, Secret
from quorate.protocol.vm.opcodes import ValueKind
from quorate.protocol.vm.secret_operators import SecretOperator, compared_bits

from .arithmetic_kinds import OPERATORS, RANDOM_ELEMENT, parameter_of
from .clear import OutputBox
from .graph import READY, Form, Linear, Node, Operation, Stage, forms_of
from .kinds import COMPARED_BITS, EQUAL, LESS_THAN, MULTIPLY, RANDOM, Kind

MAX_PENDING: Final = 1 << 16
"""The most secret values that wait to be computed; then the engine computes them all."""


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """Operations of one kind and one parameter that run as one."""

    kind: Kind
    parameter: int
    operations: tuple[Operation, ...]

    def column(self, place: int) -> list[int]:
        """The rows of the operands at `place`."""
        return [operation.operands[place].row for operation in self.operations]


class LazyEngine(abc.ABC):
    """A SecretEngine whose secrets are nodes of a graph."""

    def __init__(self, environment: Environment, *, most_pending: int = MAX_PENDING) -> None:
        self._environment = environment
        self._most_pending = most_pending
        self._queue: dict[Stage, dict[tuple[str, int], list[Operation]]] = {}
        self._fresh: list[Linear] = []
        self._pending = 0
        self._created = 0
        self._epoch = 0
        self._inputs: dict[tuple[int, int], Node] = {}
        self._outputs: OutputBox[Node] = OutputBox(environment.output_clients)

    @abc.abstractmethod
    def _load(self, client: int, index: int) -> int:
        """The row of an input; raises EngineError when there is none."""

    @abc.abstractmethod
    def _combine(self, forms: Sequence[tuple[Form, int]]) -> int:
        """Compute linear forms of rows, each with a constant; the row of the first, the others follow it."""

    @abc.abstractmethod
    def _perform(self, batches: Sequence[Batch]) -> Protocol[list[int]]:
        """Run batches side by side; the first row of each one's results."""

    @abc.abstractmethod
    def _reveal(self, rows: Sequence[int]) -> Protocol[list[Any]]:
        """Open rows in one round."""

    @abc.abstractmethod
    def _reveal_multiple(self, row: int, base: Point) -> Protocol[Any]:
        """Open a row times a point, in one round."""

    @abc.abstractmethod
    def _share(self, rows: Sequence[int]) -> Any:
        """What an output holds of rows."""

    @property
    def environment(self) -> Environment:
        """The public facts of the session."""
        return self._environment

    @property
    def unsettled(self) -> bool:
        """Whether MAX_PENDING values, or the number given, wait."""
        return self._pending >= self._most_pending

    def _place(self, stage: Stage) -> tuple[int, Stage, int]:
        self._created += 1
        return self._created, stage, self._epoch

    def _stage(self, node: Node) -> Stage:
        """The stage of a node as of now: READY once everything queued before it has been evaluated."""
        return node.stage if node.row < 0 and node.epoch == self._epoch else READY

    def _linear(self, *terms: tuple[int, Secret], constant: int = 0) -> Secret:
        """A combination; constants among its terms are folded. The hot spot of linear programs."""
        kept: list[tuple[int, Node]] = []
        stage = READY
        epoch = self._epoch
        for coefficient, secret in terms:
            node: Node = secret  # type: ignore[assignment]  # an engine sees no handles but its own
            if node.row < 0:
                if isinstance(node, Linear) and not node.terms:
                    constant += coefficient * node.constant
                    continue
                if node.epoch == epoch and node.stage > stage:
                    stage = node.stage
            kept.append((coefficient, node))
        combination = Linear(kept, constant, self._place(stage))
        if kept:
            self._pending += 1
            self._fresh.append(combination)
        return combination

    def _operation(self, kind: Kind, operands: tuple[Secret, ...], parameter: int = 0) -> Secret:
        nodes = cast("tuple[Node, ...]", operands)
        depth, multiplications = max(map(self._stage, nodes), default=READY)
        stage = (depth + 1, 0) if kind.heavy else (depth, multiplications + 1)
        operation = Operation(kind, nodes, parameter, self._place(stage))
        self._queue.setdefault(stage, {}).setdefault((kind.name, parameter), []).append(operation)
        self._pending += 1
        return operation

    def input(self, client: int, index: int, *, kind: ValueKind) -> Secret:
        """Input number `index` of `client`; raises EngineError when there is none."""
        node = self._inputs.get((client, index))
        if node is None:
            node = Node(*self._place(READY))
            node.row = self._load(client, index)
            self._inputs[client, index] = node
        return node

    def constant(self, value: int) -> Secret:
        """A public integer as a secret."""
        return self._linear(constant=value)

    def add(self, x: Secret, y: Secret) -> Secret:
        """x + y."""
        return self._linear((1, x), (1, y))

    def subtract(self, x: Secret, y: Secret) -> Secret:
        """x - y."""
        return self._linear((1, x), (-1, y))

    def scale(self, x: Secret, factor: int) -> Secret:
        """factor * x."""
        return self._linear((factor, x)) if factor else self.constant(0)

    def add_constant(self, x: Secret, constant: int) -> Secret:
        """x + constant."""
        return self._linear((1, x), constant=constant)

    def multiply(self, x: Secret, y: Secret) -> Secret:
        """x * y; free when one of them is a constant."""
        for one, other in ((x, y), (y, x)):
            if isinstance(one, Linear) and not one.terms and one.row < 0:
                return self.scale(other, one.constant)
        return self._operation(MULTIPLY, (x, y))

    def operate(self, operator: SecretOperator, x: Secret, y: Secret | int, *, kind: ValueKind) -> Secret:
        """`x operator y` for secrets of `kind`; a public y is part of the batch's parameter."""
        if operator in (SecretOperator.LESS, SecretOperator.EQUAL):
            other = self.constant(y) if isinstance(y, int) else y
            comparison = LESS_THAN if operator is SecretOperator.LESS else EQUAL
            return self._operation(comparison, (x, other), compared_bits(kind))
        if isinstance(y, int):
            return self._operation(OPERATORS[operator], (x,), parameter_of(kind, y))
        return self._operation(OPERATORS[operator], (x, y), parameter_of(kind))

    def less_than(self, x: Secret, y: Secret) -> Secret:
        """1 if x < y as int64, else 0."""
        return self._operation(LESS_THAN, (x, y), COMPARED_BITS)

    def equal(self, x: Secret, y: Secret) -> Secret:
        """1 if x == y as int64, else 0."""
        return self._operation(EQUAL, (x, y), COMPARED_BITS)

    def random(self, bits: int) -> Secret:
        """Uniform in 0..2^bits-1."""
        return self._operation(RANDOM, (), bits)

    def random_element(self) -> Secret:
        """Uniform in the whole field."""
        return self._operation(RANDOM_ELEMENT, ())

    def send(self, client: int, values: Sequence[Secret], *, kind: ValueKind) -> None:
        """Append `values` to what `client` receives."""
        self._outputs.send(client, cast("Sequence[Node]", values), kind=kind)

    def open(self, values: Sequence[Secret]) -> Protocol[list[Any]]:
        """Make `values` public in one round, after whatever they need."""
        nodes = cast("Sequence[Node]", values)
        yield from self._evaluate(nodes)
        return (yield from self._reveal([node.row for node in nodes])) if nodes else []

    def open_point(self, value: Secret, base: Point) -> Protocol[Any]:
        """value times `base`, after whatever it needs."""
        (node,) = cast("Sequence[Node]", [value])
        yield from self._evaluate([node])
        return (yield from self._reveal_multiple(node.row, base))

    def settle(self) -> Protocol[None]:
        """Evaluate every operation, and every combination that nothing has taken yet."""
        yield from self._flush(None)
        self._materialise([node for node in self._fresh if node.uses == 0])
        self._fresh.clear()
        self._pending = 0

    def finish(self) -> Protocol[tuple[Output, ...]]:
        """Evaluate what the outputs need."""
        outputs = self._outputs.by_client()
        yield from self._evaluate([node for _, _, nodes in outputs for node in nodes])
        return tuple(
            Output(client, kinds, self._share([node.row for node in nodes])) for client, kinds, nodes in outputs
        )

    def _evaluate(self, nodes: Sequence[Node]) -> Protocol[None]:
        yield from self._flush(max((self._stage(node) for node in nodes), default=READY))
        self._materialise(nodes)

    def _flush(self, last: Stage | None) -> Protocol[None]:
        """Run every queued stage up to and with `last`; None means all."""
        for stage in sorted(self._queue):
            if last is not None and stage > last:
                return
            groups = self._queue.pop(stage)
            batches = [
                Batch(operations[0].kind, parameter, tuple(operations))
                for (_, parameter), operations in sorted(groups.items())
            ]
            operands = {node: None for batch in batches for op in batch.operations for node in op.operands}
            self._materialise(list(operands))
            rows = yield from self._perform(batches)
            for batch, row in zip(batches, rows, strict=True):
                for index, operation in enumerate(batch.operations):
                    operation.row = row + index
                    operation.operands = ()
                self._pending -= len(batch.operations)
        self._epoch += 1

    def _materialise(self, nodes: Sequence[Node]) -> None:
        """Give every linear node of `nodes` a row."""
        for level in forms_of(nodes):
            row = self._combine([(form, constant) for _, form, constant in level])
            for index, (node, _, _) in enumerate(level):
                node.row = row + index
                node.terms = ()


def missing_input(client: int, index: int) -> EngineError:
    """What is raised for an input that nobody gave."""
    return EngineError(f"client {client} gave no input number {index}")
