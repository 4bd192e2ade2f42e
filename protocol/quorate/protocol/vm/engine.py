"""What the machine asks of an engine: secret values behind lazy handles.

An engine holds the secrets of one run. Its operations return at once with a handle and may do nothing yet;
`open`, `settle` and `finish` are generators that yield communication rounds. The program's control flow is the
same at every party, so every party's engine sees the same calls in the same order, and the rounds line up.

A secret is an element of the field. A secret int64 is its signed representative, a secret bool is 0 or 1.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Sequence
from typing import Any, Final

from quorate.protocol.curve import CURVES, Point
from quorate.protocol.errors import ProgramError
from quorate.protocol.mpc import Protocol

from .opcodes import ValueKind
from .secret_operators import SecretOperator

BN254_ORDER: Final = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
"""The order of the BN254 groups, the field that sessions use by default."""


class EngineError(ProgramError):
    """The program asked the engine for something impossible: a missing input, a value out of range."""


class Secret:
    """A handle on one secret field element; its repr shows nothing of the value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"


CAPABILITIES: Final = frozenset(
    {"client-input", "client-output", "multiplication", "comparison", "randomness", "field-arithmetic"}
)
"""What every engine offers."""
OPEN_IN_EXPONENT: Final = "open-in-exponent"


@dataclasses.dataclass(frozen=True, slots=True)
class Environment:
    """The public facts of a session that a program may ask for; they are the same at every party.

    `modulus` is that of the field; an engine that has a field of its own puts that in its place.
    """

    clients: int = 0
    input_clients: int = 0
    output_clients: int = 0
    parties: int = 1
    threshold: int = 0
    field: str = "bn254"
    protocol: str = "clear"
    capabilities: frozenset[str] = CAPABILITIES
    modulus: int = BN254_ORDER
    instance: int = 0

    @property
    def curve(self) -> str:
        """The curve whose order the field's modulus is, or an empty string."""
        return next((curve.name for curve in CURVES.values() if curve.order == self.modulus), "")

    def offers(self, capability: str) -> bool:
        """Whether the session has a capability; opening in the exponent takes a curve of the field's order."""
        return capability in self.capabilities or (capability == OPEN_IN_EXPONENT and bool(self.curve))


@dataclasses.dataclass(frozen=True, slots=True)
class Output:
    """What `client` receives, in the order in which the program sent it.

    `values` holds one element a value: integers from the clear engine, a share vector of shape (len(kinds), limbs)
    from the MPC engine. `kinds` says how the client reads each.
    """

    client: int
    kinds: tuple[ValueKind, ...]
    values: Any = dataclasses.field(repr=False)


class SecretEngine(typing.Protocol):
    """The one interface between the machine and whatever computes on secrets.

    Operations never fail because of a secret's value. `multiply` to `random` cost communication, the others are
    local to each party.
    """

    @property
    def environment(self) -> Environment:
        """The public facts of the session."""
        ...

    @property
    def unsettled(self) -> bool:
        """Whether so much is queued that the machine should `settle` before it goes on."""
        ...

    def input(self, client: int, index: int, *, kind: ValueKind) -> Secret:
        """Input number `index` of `client`; raises EngineError when there is none."""
        ...

    def constant(self, value: int) -> Secret:
        """A public integer as a secret."""
        ...

    def add(self, x: Secret, y: Secret) -> Secret:
        """x + y."""
        ...

    def subtract(self, x: Secret, y: Secret) -> Secret:
        """x - y."""
        ...

    def scale(self, x: Secret, factor: int) -> Secret:
        """factor * x for a public integer."""
        ...

    def add_constant(self, x: Secret, constant: int) -> Secret:
        """x + constant for a public integer."""
        ...

    def multiply(self, x: Secret, y: Secret) -> Secret:
        """x * y."""
        ...

    def less_than(self, x: Secret, y: Secret) -> Secret:
        """1 if x < y as int64, else 0; undefined for values outside int64."""
        ...

    def equal(self, x: Secret, y: Secret) -> Secret:
        """1 if x == y as int64, else 0; undefined for values outside int64."""
        ...

    def operate(self, operator: SecretOperator, x: Secret, y: Secret | int, *, kind: ValueKind) -> Secret:
        """`x operator y` for secrets of `kind` (see `secret_operators`); a public `y` has been checked.

        LESS and EQUAL are `less_than` and `equal` in the range of `kind`.
        """
        ...

    def random(self, bits: int) -> Secret:
        """A secret that is uniform in 0..2^bits-1; 1 <= bits <= 64."""
        ...

    def random_element(self) -> Secret:
        """A secret that is uniform in the whole field."""
        ...

    def send(self, client: int, values: Sequence[Secret], *, kind: ValueKind) -> None:
        """Append `values` to what `client` receives at the end; raises EngineError for no such client."""
        ...

    def open(self, values: Sequence[Secret]) -> Protocol[list[Any]]:
        """Make `values` public, all in the same round; signed integers, or UNKNOWN in a dry run."""
        ...

    def open_point(self, value: Secret, base: Point) -> Protocol[Any]:
        """value times `base`, made public, or UNKNOWN in a dry run; only the product is learned.

        Raises EngineError unless the order of the curve is the modulus of the field.
        """
        ...

    def settle(self) -> Protocol[None]:
        """Evaluate everything that is queued."""
        ...

    def finish(self) -> Protocol[tuple[Output, ...]]:
        """Evaluate what the outputs need and return them, ordered by client."""
        ...


class Unknown:
    """The value of an opened secret in a dry run: it can be computed with, but nothing can depend on it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN = Unknown()
