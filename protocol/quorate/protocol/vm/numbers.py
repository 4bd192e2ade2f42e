"""Clear numbers of every kind: sized integers, fixed point, floats, and what operators do to them.

An integer that leaves its type is a failure, never a wrap-around; only a left shift drops bits. A clear fixed-point
number counts units of 2^-32; products and quotients are rounded to the nearest unit, halves up. A secret one has 16
bits behind the point and the same range: a clear number is rounded to those when it becomes secret, and an opened one
is exact. A float is an IEEE 754 double, whose four operations are exact functions of their operands and so the same
at every party; an infinity or a NaN is a failure.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

from .limits import Fault, WrongType
from .opcodes import ValueKind

FRACTION_BITS: Final = 32
"""The bits behind the point of clear fix32 and fix64; it is also their number of decimals."""
SECRET_FRACTION_BITS: Final = 16
"""The bits behind the point of secret ones."""
_MORE_BITS: Final = FRACTION_BITS - SECRET_FRACTION_BITS

INTEGER_RANGES: Final[dict[ValueKind, tuple[int, int]]] = {
    kind: (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    for kind, bits, signed in (
        (ValueKind.INT8, 8, True),
        (ValueKind.INT16, 16, True),
        (ValueKind.INT32, 32, True),
        (ValueKind.INT64, 64, True),
        (ValueKind.UINT8, 8, False),
        (ValueKind.UINT16, 16, False),
        (ValueKind.UINT32, 32, False),
        (ValueKind.UINT64, 64, False),
    )
}
"""The least and the most value of each integer kind."""

FIXED_RANGES: Final = {
    ValueKind.FIX32: (-(1 << 31), (1 << 31) - 1),
    ValueKind.FIX64: (-(1 << 63), (1 << 63) - 1),
}
"""The least and the most number of units of each fixed-point kind, when it is secret."""

CLEAR_FIXED_RANGES: Final = {
    kind: (least << _MORE_BITS, most << _MORE_BITS) for kind, (least, most) in FIXED_RANGES.items()
}
"""The same numbers in the units of clear ones."""

NAMES: Final = {kind: kind.name.lower() for kind in ValueKind}
"""The kinds as the language writes them."""


class Fixed:
    """A clear fixed-point number: `units` of 2^-32. Immutable; equal when the numbers are."""

    __slots__ = ("units",)

    def __init__(self, units: int) -> None:
        self.units = units

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fixed) and self.units == other.units

    def __hash__(self) -> int:
        return hash(("fixed", self.units))

    def __float__(self) -> float:
        return self.units / (1 << FRACTION_BITS)

    def __str__(self) -> str:
        """The exact decimals, as many as are needed; 2^-32 has 32 of them."""
        whole, part = divmod(abs(self.units), 1 << FRACTION_BITS)
        decimals = str(part * 5**FRACTION_BITS).rjust(FRACTION_BITS, "0").rstrip("0")
        return f"{'-' if self.units < 0 else ''}{whole}.{decimals or '0'}"

    def __repr__(self) -> str:
        return f"Fixed({self})"

    @property
    def fraction(self) -> Fraction:
        """The exact value."""
        return Fraction(self.units, 1 << FRACTION_BITS)

    @property
    def secret_units(self) -> int:
        """The units of the nearest secret number, halves up."""
        return (self.units + (1 << _MORE_BITS - 1)) >> _MORE_BITS

    @classmethod
    def opened(cls, secret_units: int) -> Fixed:
        """The number of an opened secret."""
        return cls(secret_units << _MORE_BITS)


def nearest_units(value: Fraction | float) -> int:
    """The number of units nearest to a number, halves up."""
    return math.floor(Fraction(value) * (1 << FRACTION_BITS) + Fraction(1, 2))


class Operator(enum.IntEnum):
    """What OPERATE does; the numbers are part of the bytecode format and never change meaning."""

    ADD = 0
    SUBTRACT = 1
    MULTIPLY = 2
    DIVIDE = 3
    REMAINDER = 4
    FLOOR_DIVIDE = 5
    MODULO = 6
    BIT_AND = 7
    BIT_OR = 8
    BIT_XOR = 9
    SHIFT_LEFT = 10
    SHIFT_RIGHT = 11
    LESS = 12
    LESS_EQUAL = 13
    MINIMUM = 14
    MAXIMUM = 15
    POWER = 16


def divide(x: int, y: int) -> int:
    """The quotient of integers rounded towards zero."""
    quotient: int = abs(x) // abs(divisor(y))
    return quotient if (x < 0) == (y < 0) else -quotient


def remainder(x: int, y: int) -> int:
    """The remainder of `divide`, with the sign of x."""
    return x - y * divide(x, y)


def divisor(y: Any) -> Any:
    """`y`, unless it is zero, which is a Fault."""
    if y == 0:
        raise Fault("division by zero")
    return y


def _amount(y: int, bits: int) -> int:
    if not 0 <= y < bits:
        raise Fault(f"a shift by {y}; shift by 0 to {bits - 1}")
    return y


def power(x: int, y: int) -> int:
    """x ** y for integers; raises Fault for a negative exponent or a result that no integer type holds."""
    if y < 0:
        raise Fault(f"the exponent {y} is negative; use one from 0 on")
    if abs(x) > 1 and y > 64:
        raise Fault("a power leaves every integer type; use smaller numbers")
    if abs(x) <= 1:
        return 1 if y == 0 or (x == -1 and y % 2 == 0) else x
    return int(pow(x, y))


_INTEGERS: Final[dict[Operator, Callable[[int, int], Any]]] = {
    Operator.ADD: lambda x, y: x + y,
    Operator.SUBTRACT: lambda x, y: x - y,
    Operator.MULTIPLY: lambda x, y: x * y,
    Operator.DIVIDE: divide,
    Operator.REMAINDER: remainder,
    Operator.FLOOR_DIVIDE: lambda x, y: x // divisor(y),
    Operator.MODULO: lambda x, y: x % divisor(y),
    Operator.BIT_AND: lambda x, y: x & y,
    Operator.BIT_OR: lambda x, y: x | y,
    Operator.BIT_XOR: lambda x, y: x ^ y,
    Operator.LESS: lambda x, y: x < y,
    Operator.LESS_EQUAL: lambda x, y: x <= y,
    Operator.MINIMUM: min,
    Operator.MAXIMUM: max,
    Operator.POWER: power,
}

_FIXED: Final[dict[Operator, Callable[[int, int], Any]]] = {
    **{
        operator: _INTEGERS[operator]
        for operator in (
            Operator.ADD,
            Operator.SUBTRACT,
            Operator.LESS,
            Operator.LESS_EQUAL,
            Operator.MINIMUM,
            Operator.MAXIMUM,
        )
    },
    Operator.MULTIPLY: lambda x, y: (x * y + (1 << FRACTION_BITS - 1)) >> FRACTION_BITS,
    Operator.DIVIDE: lambda x, y: (2 * (x << FRACTION_BITS) + divisor(y)) // (2 * y),
}

_FLOATS: Final[dict[Operator, Callable[[float, float], Any]]] = {
    Operator.ADD: lambda x, y: x + y,
    Operator.SUBTRACT: lambda x, y: x - y,
    Operator.MULTIPLY: lambda x, y: x * y,
    Operator.DIVIDE: lambda x, y: x / divisor(y),
    Operator.LESS: lambda x, y: x < y,
    Operator.LESS_EQUAL: lambda x, y: x <= y,
    Operator.MINIMUM: min,
    Operator.MAXIMUM: max,
}


def operate(operator: Operator, kind: ValueKind, x: Any, y: Any) -> Any:
    """`x operator y` for two values of `kind`; raises WrongType for others, Fault for a result outside the kind."""
    if kind in INTEGER_RANGES:
        return _on_integers(operator, kind, x, y)
    if kind in FIXED_RANGES:
        if type(x) is not Fixed or type(y) is not Fixed:
            raise WrongType(f"the value is not a {NAMES[kind]}")
        result = _chosen(_FIXED, operator)(x.units, y.units)
        return result if type(result) is bool else Fixed(fitting(kind, result))
    if type(x) is not float or type(y) is not float:
        raise WrongType("the value is not a float")
    return finite(_chosen(_FLOATS, operator)(x, y))


def _on_integers(operator: Operator, kind: ValueKind, x: Any, y: Any) -> Any:
    if type(x) is not int or type(y) is not int:
        raise WrongType(f"the value is not an {NAMES[kind]}")
    least, most = INTEGER_RANGES[kind]
    bits = (most - least).bit_length()
    if operator is Operator.SHIFT_LEFT:
        return ((x << _amount(y, bits)) - least) % (1 << bits) + least
    if operator is Operator.SHIFT_RIGHT:
        return x >> _amount(y, bits)
    result = _chosen(_INTEGERS, operator)(x, y)
    return result if type(result) is bool else fitting(kind, result)


def _chosen(table: dict[Operator, Callable[[Any, Any], Any]], operator: Operator) -> Callable[[Any, Any], Any]:
    operation = table.get(operator)
    if operation is None:
        raise WrongType(f"there is no {operator.name.lower()} for numbers with a fraction")
    return operation


def fitting(kind: ValueKind, value: int) -> int:
    """`value` (units, of a fixed-point kind) if it is inside `kind`; else raises Fault."""
    least, most = INTEGER_RANGES.get(kind) or CLEAR_FIXED_RANGES[kind]
    if not least <= value <= most:
        raise Fault(f"a result leaves {NAMES[kind]}; use smaller numbers, or a wider type")
    return value


def finite(value: Any) -> Any:
    """`value` unless it is a float that is no number; that is a Fault."""
    if type(value) is float and not math.isfinite(value):
        raise Fault("a float has become infinite or undefined; use smaller numbers")
    return value


def convert(kind: ValueKind, value: Any) -> Any:
    """A clear number or bool as `kind`: fractions are cut off towards zero; raises Fault when it does not fit."""
    exact = _exact(value)
    if kind in INTEGER_RANGES:
        return fitting(kind, math.trunc(exact))
    if kind in FIXED_RANGES:
        return Fixed(fitting(kind, nearest_units(exact)))
    if kind is ValueKind.BOOL:
        return exact != 0
    try:
        return float(exact)
    except OverflowError:
        raise Fault("a number leaves float; use a smaller one") from None


def _exact(value: Any) -> Fraction:
    if type(value) is Fixed:
        return value.fraction
    if type(value) in (int, bool, float):
        return Fraction(value)
    raise WrongType("the value is not a number")
