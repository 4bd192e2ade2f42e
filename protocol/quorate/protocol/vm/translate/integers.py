"""Python expressions for the operators on integers, with the range of what they give.

Each is exact on integers of any size; what leaves the type, a divisor of zero and a shift by too much are left to
the machine, so that an expression comes with the conditions under which it may be used.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from quorate.protocol.vm.numbers import Operator
from quorate.protocol.vm.opcodes import Opcode

from .facts import ENDLESS, Value, integer

OPERATORS: Final = {
    Opcode.ADD: Operator.ADD,
    Opcode.SUBTRACT: Operator.SUBTRACT,
    Opcode.MULTIPLY: Operator.MULTIPLY,
    Opcode.DIVIDE: Operator.DIVIDE,
    Opcode.REMAINDER: Operator.REMAINDER,
    Opcode.FLOOR_DIVIDE: Operator.FLOOR_DIVIDE,
    Opcode.MODULO: Operator.MODULO,
    Opcode.BIT_AND: Operator.BIT_AND,
    Opcode.BIT_OR: Operator.BIT_OR,
    Opcode.BIT_XOR: Operator.BIT_XOR,
    Opcode.SHIFT_LEFT: Operator.SHIFT_LEFT,
    Opcode.SHIFT_RIGHT: Operator.SHIFT_RIGHT,
    Opcode.MINIMUM: Operator.MINIMUM,
    Opcode.MAXIMUM: Operator.MAXIMUM,
}
"""The operations on int64 that have an opcode of their own."""

_SYMBOLS: Final = {
    Operator.ADD: "+",
    Operator.SUBTRACT: "-",
    Operator.MULTIPLY: "*",
    Operator.FLOOR_DIVIDE: "//",
    Operator.MODULO: "%",
    Operator.BIT_AND: "&",
    Operator.BIT_OR: "|",
    Operator.BIT_XOR: "^",
    Operator.SHIFT_RIGHT: ">>",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Expression:
    """`text` of `result`'s range before it is checked against the type; `refused` is when not to evaluate it.

    Evaluating may raise ZeroDivisionError.
    """

    text: str
    result: Value
    refused: str | None = None


def expression(
    operator: Operator, left: str, right: str, *, values: tuple[Value, Value], bounds: tuple[int, int]
) -> Expression | None:
    """`left operator right` for two integers of the type whose least and most value are `bounds`.

    None for an operator that has no expression.
    """
    x, y = values
    if operator in (Operator.DIVIDE, Operator.REMAINDER):
        return _division(operator, left, right, x=x, y=y)
    if operator in (Operator.SHIFT_LEFT, Operator.SHIFT_RIGHT):
        return _shift(operator, left, right, values=values, bounds=bounds)
    if operator in (Operator.MINIMUM, Operator.MAXIMUM):
        chosen, sign = (min, "<=") if operator is Operator.MINIMUM else (max, ">=")
        result = integer(chosen(x.low, y.low), chosen(x.high, y.high))
        return Expression(f"{left} if {left} {sign} {right} else {right}", result)
    symbol = _SYMBOLS.get(operator)
    return Expression(f"{left} {symbol} {right}", _range(operator, x, y)) if symbol else None


def _range(operator: Operator, x: Value, y: Value) -> Value:
    if operator is Operator.ADD:
        return integer(x.low + y.low, x.high + y.high)
    if operator is Operator.SUBTRACT:
        return integer(x.low - y.high, x.high - y.low)
    if operator is Operator.MULTIPLY:
        return _corners([a * b for a in (x.low, x.high) for b in (y.low, y.high)])
    if operator is Operator.MODULO:
        if y.low < 0:
            return integer(y.low, max(y.high, 0))
        return integer(0, min(y.high - 1, x.high) if x.low >= 0 else y.high - 1)
    if operator is Operator.FLOOR_DIVIDE:
        most = max(abs(x.low), abs(x.high))
        return integer(0 if x.low >= 0 and y.low >= 0 else -most, most)
    return _bits(operator, x, y)


def _corners(products: list[int]) -> Value:
    return integer(min(products), max(products))


def _bits(operator: Operator, x: Value, y: Value) -> Value:
    """AND, OR and XOR stay within as many bits as the wider operand has."""
    if operator is Operator.BIT_AND and (x.low >= 0 or y.low >= 0):
        return integer(0, min(value.high for value in (x, y) if value.low >= 0))
    most = max(abs(bound) for bound in (x.low, x.high + 1, y.low, y.high + 1))
    if most > ENDLESS >> 1:
        return integer(-ENDLESS, ENDLESS)
    size = 1 << (most - 1).bit_length() if most else 1
    return integer(0 if x.low >= 0 and y.low >= 0 else -size, size - 1)


def _division(operator: Operator, left: str, right: str, *, x: Value, y: Value) -> Expression:
    """Division towards zero: that of Python where the signs are equal, and its mirror image where they differ."""
    symbol = "//" if operator is Operator.DIVIDE else "%"
    most = max(abs(x.low), abs(x.high))
    if x.low >= 0 and y.low >= 0:
        text = f"{left} {symbol} {right}"
        return Expression(text, integer(0, most if symbol == "//" else min(most, y.high - 1)))
    same = f"({left} >= 0) == ({right} > 0)"
    text = f"{left} {symbol} {right} if {same} else -(-{left} {symbol} {right})"
    least = 0 if x.low >= 0 and symbol == "%" else -most
    return Expression(text, integer(least, most))


def _shift(
    operator: Operator, left: str, right: str, *, values: tuple[Value, Value], bounds: tuple[int, int]
) -> Expression:
    least, most = bounds
    bits = (most - least).bit_length()
    x, y = values
    inside = y.low >= 0 and y.high < bits
    refused = None if inside else f"not 0 <= {right} < {bits}"
    if operator is Operator.SHIFT_RIGHT:
        return Expression(f"{left} >> {right}", integer(min(x.low, 0), max(x.high, 0)), refused)
    if inside and x.low >= 0 and x.high << y.high <= most:
        return Expression(f"{left} << {right}", integer(x.low << y.low, x.high << y.high), refused)
    text = f"(({left} << {right}) + {-least} & {(1 << bits) - 1}) - {-least}"
    return Expression(text, integer(least, most), refused)
