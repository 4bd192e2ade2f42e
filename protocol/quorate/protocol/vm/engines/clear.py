"""The clear engine: secrets are plain field elements, nothing is hidden; for tests and for trying a program out.

It computes modulo the same field as the parties do, and it is stricter: comparing a value that has left int64,
which would be undefined under MPC, raises EngineError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar, cast

from quorate.protocol.mpc import Protocol
from quorate.protocol.vm.engine import EngineError, Environment, Output, Secret
from quorate.protocol.vm.opcodes import ValueKind
from quorate.protocol.vm.program import INT64_LEAST, INT64_MOST

BN254_ORDER: Final = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
"""The order of the BN254 groups, the field that sessions use by default."""

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
        self._environment = environment or Environment(clients, clients, clients)
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

    def random(self, bits: int) -> Secret:
        """Uniform in 0..2^bits-1."""
        if self._randomness is None:
            raise EngineError("the program draws random numbers; give the engine a source of randomness")
        return _Plain(int.from_bytes(self._randomness((bits + 7) // 8), "little") & ((1 << bits) - 1))

    def send(self, client: int, values: Sequence[Secret], *, kind: ValueKind) -> None:
        """Append `values` to what `client` receives."""
        self._outputs.send(client, [_value(value) for value in values], kind=kind)

    def open(self, values: Sequence[Secret]) -> Protocol[list[Any]]:
        """The values, without communication."""
        yield from ()
        return [_value(value) for value in values]

    def settle(self) -> Protocol[None]:
        """Nothing is ever queued."""
        yield from ()

    def finish(self) -> Protocol[tuple[Output, ...]]:
        """The outputs; `values` are tuples of signed integers."""
        yield from ()
        return tuple(Output(client, kinds, tuple(values)) for client, kinds, values in self._outputs.by_client())


def _comparable(secret: Secret) -> int:
    value = _value(secret)
    if not INT64_LEAST <= value <= INT64_MOST:
        raise EngineError("a secret outside int64 is compared; the secret arithmetic before it overflowed")
    return value
