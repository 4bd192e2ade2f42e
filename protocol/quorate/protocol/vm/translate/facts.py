"""What is known about clear registers at a place of a function: the kind of value, and the range of an integer.

An abstract interpretation in the sense of Cousot and Cousot (1977) over intervals. What is known holds in
translated code only: whenever a value turns out to be of another kind than translated code supposes, the machine
takes over before the instruction, so that after it the supposition is a fact.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Container
from typing import Any, Final

from quorate.protocol.vm.program import INT64_LEAST, INT64_MOST, Constant

ENDLESS: Final = 1 << 200
"""Stands for infinity in a range."""


class Kind(enum.Enum):
    """The kind of a value; ANY is everything, secrets in lists excepted, which are in no clear register."""

    ANY = enum.auto()
    INTEGER = enum.auto()
    BOOL = enum.auto()
    LIST = enum.auto()
    FLOAT = enum.auto()


PYTHON_TYPES: Final = {Kind.INTEGER: "int", Kind.BOOL: "bool", Kind.LIST: "list", Kind.FLOAT: "float"}
"""How translated code names the type of a kind."""


_TYPES: Final = {Kind.BOOL: bool, Kind.LIST: list, Kind.FLOAT: float}


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """A value of `kind`; an integer or a bool is from `low` to `high`."""

    kind: Kind
    low: int = -ENDLESS
    high: int = ENDLESS

    @property
    def literal(self) -> str | None:
        """The value as Python writes it, if only one is possible."""
        if self.low != self.high or abs(self.low) >= ENDLESS or self.kind not in (Kind.INTEGER, Kind.BOOL):
            return None
        return str(self.low) if self.kind is Kind.INTEGER else str(self.low == 1)

    @property
    def constant(self) -> int | bool:
        """The one value that is possible, of an integer or a bool."""
        return self.low if self.kind is Kind.INTEGER else self.low == 1

    def joined(self, other: Value) -> Value:
        """What covers both."""
        if self.kind is not other.kind:
            return ANYTHING
        return Value(self.kind, min(self.low, other.low), max(self.high, other.high))

    def widened(self, other: Value) -> Value:
        """What covers both, in steps of which there are few."""
        if self.kind is not other.kind:
            return ANYTHING
        low = self.low if other.low >= self.low else next(x for x in _LOWS if x <= other.low)
        high = self.high if other.high <= self.high else next(x for x in _HIGHS if x >= other.high)
        return Value(self.kind, low, high)


_LOWS: Final = (0, -1, INT64_LEAST, -ENDLESS)
_HIGHS: Final = (0, 1, INT64_MOST - 1, INT64_MOST, ENDLESS)

ANYTHING: Final = Value(Kind.ANY)
INTEGER: Final = Value(Kind.INTEGER)
INT64: Final = Value(Kind.INTEGER, INT64_LEAST, INT64_MOST)
TRUTH: Final = Value(Kind.BOOL, 0, 1)


def integer(low: int, high: int) -> Value:
    """An integer in a range, which may be empty where control never comes."""
    low, high = max(low, -ENDLESS), min(high, ENDLESS)
    return Value(Kind.INTEGER, low, max(low, high))


def of_constant(constant: Constant) -> Value:
    """What is known of a constant."""
    if type(constant) is bool:
        return Value(Kind.BOOL, int(constant), int(constant))
    if type(constant) is int:
        return integer(constant, constant)
    return Value(Kind.FLOAT) if type(constant) is float else ANYTHING


def of_type(written: str) -> Value:
    """What a parameter or a result is promised to be, by its type as the language writes it."""
    if written == "int64":
        return INT64
    if written == "bool":
        return TRUTH
    if written == "float":
        return Value(Kind.FLOAT)
    if written.startswith("list["):
        return Value(Kind.LIST)
    sized = written.removeprefix("u").removeprefix("int")
    return INTEGER if written.startswith(("int", "uint")) and sized in ("8", "16", "32", "64") else ANYTHING


def keeps(promise: Value, value: Any) -> bool:
    """Whether a value at run time is what was promised."""
    if promise.kind is Kind.INTEGER:
        return type(value) is int and promise.low <= value <= promise.high
    return promise.kind is Kind.ANY or type(value) is _TYPES[promise.kind]


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """What a bool in a register says: that `left` is less than (or equal to) `right`.

    A side is a register, or None when that register has changed since; `low` and `high` are what was known then.
    """

    left: int | None
    right: int | None
    left_value: Value
    right_value: Value
    strict: int


class Facts:
    """What is known at one place; a register that is not named may hold anything."""

    def __init__(self, values: dict[int, Value] | None = None) -> None:
        self.values = values or {}
        self.comparisons: dict[int, Comparison] = {}

    def copy(self) -> Facts:
        """The same facts, to be changed on their own; comparisons do not outlive their block."""
        return Facts(dict(self.values))

    def value(self, register: int) -> Value:
        """What is known of a register."""
        return self.values.get(register, ANYTHING)

    def put(self, register: int, value: Value) -> None:
        """A register has a new value."""
        self.comparisons.pop(register, None)
        for target, comparison in list(self.comparisons.items()):
            if register in (comparison.left, comparison.right):
                self.comparisons[target] = dataclasses.replace(
                    comparison,
                    left=None if comparison.left == register else comparison.left,
                    right=None if comparison.right == register else comparison.right,
                )
        self.learn(register, value)

    def learn(self, register: int, value: Value) -> None:
        """More is known of the value that a register has."""
        if value.kind is Kind.ANY:
            self.values.pop(register, None)
        else:
            self.values[register] = value

    def suppose(self, register: int, *, true: bool) -> None:
        """The bool in `register` is known: what it says of the integers it compared becomes known too."""
        comparison = self.comparisons.get(register)
        if comparison is None:
            return
        left, right, strict = comparison.left_value, comparison.right_value, comparison.strict
        if true:
            new_left = integer(left.low, min(left.high, right.high - strict))
            new_right = integer(max(right.low, left.low + strict), right.high)
        else:
            new_left = integer(max(left.low, right.low + 1 - strict), left.high)
            new_right = integer(right.low, min(right.high, left.high - 1 + strict))
        if comparison.left is not None:
            self.learn(comparison.left, new_left)
        if comparison.right is not None:
            self.learn(comparison.right, new_right)

    def merged(self, other: Facts, *, widen: Container[int] = ()) -> Facts:
        """What is known when control may come from either place; `widen` names registers that a loop changes."""
        values = {}
        for register, value in self.values.items():
            if register in other.values:
                new = other.values[register]
                both = value.widened(new) if register in widen else value.joined(new)
                if both.kind is not Kind.ANY:
                    values[register] = both
        return Facts(values)
