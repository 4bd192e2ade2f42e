"""Operators on secrets beyond sums, products and comparisons, and what each means on plain integers.

A secret number of some kind is the integer it stands for; of a fixed-point kind, its units. Division by a secret
zero cannot stop, since that would tell: the quotient is 0 and the remainder the dividend. A secret shift amount
must be in range; outside it the result is undefined.
"""

from __future__ import annotations

import enum
from typing import Final

from .limits import Fault
from .numbers import FIXED_RANGES, INTEGER_RANGES, Operator, divide, operate, remainder
from .opcodes import ValueKind


class SecretOperator(enum.IntEnum):
    """What SECRET_OPERATE does; the numbers are part of the bytecode format and never change meaning."""

    DIVIDE = 0
    REMAINDER = 1
    FLOOR_DIVIDE = 2
    MODULO = 3
    BIT_AND = 4
    BIT_OR = 5
    BIT_XOR = 6
    SHIFT_LEFT = 7
    SHIFT_RIGHT = 8
    FIXED_MULTIPLY = 9
    FIXED_DIVIDE = 10
    LESS = 11
    EQUAL = 12


DIVISIONS: Final = frozenset(
    {SecretOperator.DIVIDE, SecretOperator.REMAINDER, SecretOperator.FLOOR_DIVIDE, SecretOperator.MODULO}
)
SHIFTS: Final = frozenset({SecretOperator.SHIFT_LEFT, SecretOperator.SHIFT_RIGHT})
FIXED_OPERATORS: Final = frozenset({SecretOperator.FIXED_MULTIPLY, SecretOperator.FIXED_DIVIDE})
_BITWISE: Final = {
    SecretOperator.BIT_AND: Operator.BIT_AND,
    SecretOperator.BIT_OR: Operator.BIT_OR,
    SecretOperator.BIT_XOR: Operator.BIT_XOR,
    SecretOperator.SHIFT_LEFT: Operator.SHIFT_LEFT,
    SecretOperator.SHIFT_RIGHT: Operator.SHIFT_RIGHT,
}


def works_on(operator: SecretOperator, kind: ValueKind) -> bool:
    """Whether there is such an operation: comparisons take every number, the others integers or fixed point."""
    if operator in FIXED_OPERATORS:
        return kind in FIXED_RANGES
    if operator in (SecretOperator.LESS, SecretOperator.EQUAL):
        return kind in INTEGER_RANGES or kind in FIXED_RANGES
    return kind in INTEGER_RANGES


def bits_of(kind: ValueKind) -> int:
    """The bits of an integer or fixed-point kind."""
    least, most = INTEGER_RANGES.get(kind) or FIXED_RANGES[kind]
    return (most - least).bit_length()


def compared_bits(kind: ValueKind) -> int:
    """The bits of the signed integers that a comparison of this kind takes."""
    least, _ = INTEGER_RANGES.get(kind) or FIXED_RANGES[kind]
    return bits_of(kind) + (0 if least else 1)


def check_public_operand(operator: SecretOperator, kind: ValueKind, constant: int) -> int:
    """A public right operand, or a Fault: a zero divisor, a shift out of range."""
    if operator in DIVISIONS | {SecretOperator.FIXED_DIVIDE} and constant == 0:
        raise Fault("division by zero")
    if operator in SHIFTS and not 0 <= constant < bits_of(kind):
        raise Fault(f"a shift by {constant}; shift by 0 to {bits_of(kind) - 1}")
    return constant


def exact_result(operator: SecretOperator, kind: ValueKind, x: int, y: int) -> int:
    """What an operator gives for plain integers; raises Fault for a shift out of range."""
    if operator in DIVISIONS:
        return _division(operator, x, y)
    if operator is SecretOperator.LESS:
        return int(x < y)
    if operator is SecretOperator.EQUAL:
        return int(x == y)
    if operator is SecretOperator.FIXED_MULTIPLY:
        return (x * y + (1 << 15)) >> 16
    if operator is SecretOperator.FIXED_DIVIDE:
        return (2 * (x << 16) + y) // (2 * y) if y else 0
    return int(operate(_BITWISE[operator], kind, x, y))


def _division(operator: SecretOperator, x: int, y: int) -> int:
    quotient = operator in (SecretOperator.DIVIDE, SecretOperator.FLOOR_DIVIDE)
    if y == 0:
        return 0 if quotient else x
    if operator is SecretOperator.DIVIDE:
        return divide(x, y)
    if operator is SecretOperator.REMAINDER:
        return remainder(x, y)
    return x // y if quotient else x % y
