"""The clear engine: secrets are plain field elements, nothing is hidden; for tests and for trying a program out.

It computes modulo the same field as the parties do, and it is stricter: comparing a value that has left int64,
which would be undefined under MPC, raises EngineError.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from quorate.protocol.curve import Point
from quorate.protocol.mpc import Protocol
from quorate.protocol.vm.engine import BN254_ORDER, EngineError, Environment, Output, Secret
from quorate.protocol.vm.limits import Fault
from quorate.protocol.vm.numbers import FIXED_RANGES, INTEGER_RANGES, NAMES
from quorate.protocol.vm.opcodes import ValueKind
from quorate.protocol.vm.secret_operators import SHIFTS, SecretOperator, exact_result

Value = TypeVar("Value")


class OutputBox(Generic[Value]):
    """What was sent to each client so far, in order."""

    def __init__(self, clients: int) -> None:
        self._clients = clients
        self._sent: dict[int, list[tuple[Value, ValueKind]]] = {}

    def send(self, client: int, values: Sequence[Value], *, kind: ValueKind) -> None:
        """Append `values`; raises EngineError when `client` receives no output."""
        if not 0 <= client < self._clients:
            raise EngineError(f"client {client} receives no output; clients 0 to {self._clients - 1} do")
        self._sent.setdefault(client, []).extend((value, kind) for value in values)

    def by_client(self) -> list[tuple[int, tuple[ValueKind, ...], list[Value]]]:
        """Client, kinds and values, ordered by client."""
        return [
            (client, tuple(kind for _, kind in sent), [value for value, _ in sent])
            for client, sent in sorted(self._sent.items())
        ]


class _Plain(Secret):
    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value


def _value(secret: Secret) -> int:
    return cast("_Plain", secret).value


class ClearEngine:
    """Runs a program on known inputs: `inputs[client, index]` is an int (a bool is 0 or 1).

    `randomness` is needed by programs that draw random numbers: n -> n random bytes.
    """

    def __init__(
        self,
        inputs: Mapping[tuple[int, int], int],
        environment: Environment | None = None,
        *,
        modulus: int = BN254_ORDER,
        randomness: Callable[[int], bytes] | None = None,
    ) -> None:
        clients = 1 + max((client for client, _ in inputs), default=-1)
        facts = environment or Environment(clients, clients, clients)
        self._environment = dataclasses.replace(facts, modulus=modulus)
        self._inputs = dict(inputs)
        self._modulus = modulus
        self._randomness = randomness
        self._outputs: OutputBox[int] = OutputBox(self._environment.output_clients)

    @property
    def environment(self) -> Environment:
        """The public facts of the session."""
        return self._environment

    @property
    def unsettled(self) -> bool:
        """Nothing is ever queued."""
        return False

    def _reduced(self, value: int) -> _Plain:
        value %= self._modulus
        return _Plain(value - self._modulus if 2 * value > self._modulus else value)

    def input(self, client: int, index: int, *, kind: ValueKind) -> Secret:
        """Input number `index` of `client`; raises EngineError when there is none or it is not of `kind`."""
        if (client, index) not in self._inputs:
            raise EngineError(f"client {client} gave no input number {index}")
        value = self._inputs[client, index]
        if kind is ValueKind.BOOL and value not in (0, 1):
            raise EngineError(f"input number {index} of client {client} is not a bit")
        return self._reduced(value)

    def constant(self, value: int) -> Secret:
        """A public integer as a secret."""
        return self._reduced(value)

    def add(self, x: Secret, y: Secret) -> Secret:
        """x + y."""
        return self._reduced(_value(x) + _value(y))

    def subtract(self, x: Secret, y: Secret) -> Secret:
        """x - y."""
        return self._reduced(_value(x) - _value(y))

    def scale(self, x: Secret, factor: int) -> Secret:
        """factor * x."""
        return self._reduced(_value(x) * factor)

    def add_constant(self, x: Secret, constant: int) -> Secret:
        """x + constant."""
        return self._reduced(_value(x) + constant)

    def multiply(self, x: Secret, y: Secret) -> Secret:
        """x * y."""
        return self._reduced(_value(x) * _value(y))

    def less_than(self, x: Secret, y: Secret) -> Secret:
        """1 if x < y, else 0; raises EngineError outside int64."""
        return _Plain(int(_comparable(x) < _comparable(y)))

    def equal(self, x: Secret, y: Secret) -> Secret:
        """1 if x == y, else 0; raises EngineError outside int64."""
        return _Plain(int(_comparable(x) == _comparable(y)))

    def operate(self, operator: SecretOperator, x: Secret, y: Secret | int, *, kind: ValueKind) -> Secret:
        """`x operator y`, exactly; raises EngineError for an operand or a quotient outside `kind`."""
        left = _inside(_value(x), kind)
        right = y if isinstance(y, int) else _value(y)
        if operator in SHIFTS:
            right = _inside(right, ValueKind.INT64)
        else:
            right = _inside(right, kind)
        try:
            return self._reduced(exact_result(operator, kind, left, right))
        except Fault as error:
            raise EngineError(f"a secret amount is out of range: {error}") from None

    def _random_bytes(self, size: int) -> int:
        if self._randomness is None:
            raise EngineError("the program draws random numbers; give the engine a source of randomness")
        return int.from_bytes(self._randomness(size), "little")

    def random(self, bits: int) -> Secret:
        """Uniform in 0..2^bits-1."""
        return _Plain(self._random_bytes((bits + 7) // 8) & ((1 << bits) - 1))

    def random_element(self) -> Secret:
        """Uniform in the field, up to 2^-64."""
        return self._reduced(self._random_bytes((self._modulus.bit_length() + 71) // 8))

    def send(self, client: int, values: Sequence[Secret], *, kind: ValueKind) -> None:
        """Append `values` to what `client` receives."""
        self._outputs.send(client, [_value(value) for value in values], kind=kind)

    def open(self, values: Sequence[Secret]) -> Protocol[list[Any]]:
        """The values, without communication."""
        yield from ()
        return [_value(value) for value in values]

    def open_point(self, value: Secret, base: Point) -> Protocol[Any]:
        """value times `base`, encoded."""
        yield from ()
        check_order(base, self._modulus)
        return (base * _value(value)).encode()

    def settle(self) -> Protocol[None]:
        """Nothing is ever queued."""
        yield from ()

    def finish(self) -> Protocol[tuple[Output, ...]]:
        """The outputs; `values` are tuples of signed integers."""
        yield from ()
        return tuple(Output(client, kinds, tuple(values)) for client, kinds, values in self._outputs.by_client())


def _comparable(secret: Secret) -> int:
    value = _value(secret)
    least, most = INTEGER_RANGES[ValueKind.INT64]
    if not least <= value <= most:
        raise EngineError("a secret outside int64 is compared; the secret arithmetic before it overflowed")
    return value


def _inside(value: int, kind: ValueKind) -> int:
    least, most = INTEGER_RANGES.get(kind) or FIXED_RANGES[kind]
    if not least <= value <= most:
        raise EngineError(f"a secret outside {NAMES[kind]} is used; the secret arithmetic before it overflowed")
    return value


def check_order(base: Point, modulus: int) -> None:
    """Raise EngineError unless scalars of the point's curve are elements of the field."""
    if base.curve.order != modulus:
        raise EngineError(
            f"the field of this session is not the scalar field of {base.curve.name}; "
            f"run the program over the field of order {base.curve.order:#x}"
        )
