"""The operators on secrets as kinds: one for each operator, on whole batches of one kind of number.

The parameter of a batch says which: the kind of number in its low bits, and above them the public right operand, if
there is one. What an operation takes from the pool is found by `cost_of`, for the party that runs it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Final

from quorate.protocol.field import BN254, Vector
from quorate.protocol.mpc import DEFAULT_KAPPA, Party, Plan, Protocol, arithmetic, random_shares
from quorate.protocol.sharing import PartyId
from quorate.protocol.vm.opcodes import OPERATION_KINDS, ValueKind
from quorate.protocol.vm.secret_operators import FIXED_OPERATORS, SecretOperator, bits_of

from .kinds import Kind

_ROUNDINGS: Final = {
    SecretOperator.DIVIDE: arithmetic.Rounding.ZERO,
    SecretOperator.REMAINDER: arithmetic.Rounding.ZERO,
    SecretOperator.FLOOR_DIVIDE: arithmetic.Rounding.FLOOR,
    SecretOperator.MODULO: arithmetic.Rounding.FLOOR,
}
_BITWISE: Final = {
    SecretOperator.BIT_AND: arithmetic.bit_and,
    SecretOperator.BIT_OR: arithmetic.bit_or,
    SecretOperator.BIT_XOR: arithmetic.bit_xor,
}


def parameter_of(kind: ValueKind, constant: int | None = None) -> int:
    """A kind of number and a public operand as the parameter of a batch."""
    if constant is None:
        return int(kind)
    return ((2 * constant if constant >= 0 else -2 * constant - 1) + 1) * OPERATION_KINDS + kind


def _meaning(parameter: int) -> tuple[ValueKind, int | None]:
    above, kind = divmod(parameter, OPERATION_KINDS)
    if above == 0:
        return ValueKind(kind), None
    zigzag = above - 1
    return ValueKind(kind), -((zigzag + 1) >> 1) if zigzag & 1 else zigzag >> 1


@dataclasses.dataclass(frozen=True, slots=True)
class OperatorKind(Kind):
    """The kind of an operator; `plan_at(party, count, parameter)` is what a batch takes from that party's pool."""

    operation: Callable[..., Protocol[Vector]]

    def plan_at(self, party: Party, count: int, parameter: int) -> Plan:
        """What a batch of `count` takes, under the scheme of `party`."""
        lengths = (1,) if _meaning(parameter)[1] is not None else (1, 1)
        each = arithmetic.plan_of(party, self.operation, *lengths, parameter=parameter)
        return each.times(count)


def _integers(kind: ValueKind) -> arithmetic.IntegerType:
    return arithmetic.IntegerType(bits_of(kind), signed=not kind.name.startswith("U"))


def _apply(party: Party, x: Vector, *others: Vector, operator: SecretOperator, parameter: int) -> Protocol[Vector]:
    kind, constant = _meaning(parameter)
    if operator in FIXED_OPERATORS:
        return (yield from _fixed(party, x, *others, operator=operator, kind=kind, constant=constant))
    of = _integers(kind)
    options: dict[str, Any] = {"of": of}
    if operator in _ROUNDINGS:
        options["rounding"] = _ROUNDINGS[operator]
        quotient = operator in (SecretOperator.DIVIDE, SecretOperator.FLOOR_DIVIDE)
        if constant is not None:
            by = arithmetic.divide_by if quotient else arithmetic.remainder_by
            return (yield from by(party, x, divisor=constant, **options))
        return (yield from (arithmetic.divide if quotient else arithmetic.remainder)(party, x, *others, **options))
    if operator in _BITWISE:
        other = others[0] if constant is None else party.field.full(len(x), constant)
        return (yield from _BITWISE[operator](party, x, other, **options))
    left = operator is SecretOperator.SHIFT_LEFT
    if constant is not None:
        shift = arithmetic.shift_left if left else arithmetic.shift_right
        return (yield from shift(party, x, amount=constant, **options))
    by_secret = arithmetic.shift_left_by_secret if left else arithmetic.shift_right_by_secret
    return (yield from by_secret(party, x, *others, **options))


def _fixed(
    party: Party, x: Vector, *others: Vector, operator: SecretOperator, kind: ValueKind, constant: int | None
) -> Protocol[Vector]:
    """Products are rounded to the nearest unit, so that they are those of the clear engine."""
    of = arithmetic.FIX32 if kind is ValueKind.FIX32 else arithmetic.FIX64
    nearest = arithmetic.Truncation.NEAREST
    if operator is SecretOperator.FIXED_MULTIPLY:
        if constant is not None:
            return (yield from arithmetic.fixed_scale(party, x, factor=constant, of=of, truncation=nearest))
        return (yield from arithmetic.fixed_multiply(party, x, others[0], of=of, truncation=nearest))
    divisor = others[0] if constant is None else party.field.full(len(x), constant)
    return (yield from arithmetic.fixed_divide(party, x, divisor, of=of))


@lru_cache(maxsize=1)
def _reference_party() -> Party:
    """The party for which rounds are counted where none is given."""
    return Party(BN254, PartyId(1), parties=3, threshold=1, kappa=DEFAULT_KAPPA, randomness=bytes)


@lru_cache(maxsize=512)
def _rounds(operator: SecretOperator, parameter: int) -> int:
    kind = OPERATORS[operator]
    lengths = (1,) if _meaning(parameter)[1] is not None else (1, 1)
    return arithmetic.cost_of(_reference_party(), kind.operation, *lengths, parameter=parameter).rounds


def _kind(operator: SecretOperator) -> OperatorKind:
    operation = partial(_apply, operator=operator)

    def run(party: Party, columns: Sequence[Vector], parameter: int) -> Protocol[Vector]:
        return operation(party, *columns, parameter=parameter)

    name = operator.name.lower().replace("_", " ")
    return OperatorKind(name, True, run, lambda *_: Plan(), partial(_rounds, operator), operation)


OPERATORS: Final[dict[SecretOperator, OperatorKind]] = {
    operator: _kind(operator)
    for operator in SecretOperator
    if operator not in (SecretOperator.LESS, SecretOperator.EQUAL)
}
"""The kind of each operator but the comparisons, which have kinds of their own."""


def _random_element(party: Party, columns: Sequence[Vector], parameter: int) -> Protocol[Vector]:
    return random_shares(party, len(columns[0]))


RANDOM_ELEMENT: Final = Kind(
    "random element", False, _random_element, lambda count, bits, kappa: Plan(shares=count), lambda bits: 0
)


def plan_at(kind: Kind, party: Party, *, count: int, parameter: int) -> Plan:
    """What a batch of any kind takes from the pool of `party`."""
    if isinstance(kind, OperatorKind):
        return kind.plan_at(party, count, parameter)
    return kind.plan(count, parameter, party.kappa)
