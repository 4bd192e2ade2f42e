"""Numbers as written: which types they can have, and their values in the type that they get.

A literal without a suffix has the type that its place wants, if that is a number; an integer can have a type with a
fraction, and 0 and 1 can be bits.
"""

from __future__ import annotations

from quorate.protocol.vm.numbers import CLEAR_FIXED_RANGES, INTEGER_RANGES, Fixed, nearest_units

from . import syntax
from .diagnostics import Reporter
from .syntax import Expression
from .tables import Tables
from .types import BOOL, FLOAT, INT64, NUMBER_KINDS, SECRET_BOOL, SHARE, Type


class Literals:
    """The literals of one program."""

    def __init__(self, tables: Tables, reporter: Reporter) -> None:
        self.tables = tables
        self.reporter = reporter

    def takes_type(self, expression: Expression, wanted: Type) -> bool:
        """Whether `expression` is a literal without a suffix that can have the type `wanted`."""
        literal, sign = literal_of(expression)
        if literal is None or literal.suffix or wanted.item is not None:
            return False
        name = "int64" if wanted == SHARE else wanted.name
        if isinstance(literal, syntax.Integer):
            return name in NUMBER_KINDS or (wanted == SECRET_BOOL and literal.value in (0, 1) and sign > 0)
        return name in ("fix32", "fix64", "float")

    def adapt(self, expression: Expression, wanted: Type) -> bool:
        """Give a literal the type that its place wants, if it can have it; whether it got it."""
        if not self.takes_type(expression, wanted) or self.tables.type_of(expression).clear == wanted.clear:
            return False
        self.set(expression, wanted.clear if wanted != SHARE else INT64)
        return True

    def set(self, expression: Expression, type_: Type) -> None:
        """Make a literal a constant of `type_`; reports one that is outside it."""
        literal, sign = literal_of(expression)
        assert literal is not None  # whoever calls has looked
        value = sign * literal.value
        constant: object = value
        kind = NUMBER_KINDS.get(type_.name)
        inside = True
        least, most = 0, 0
        if type_ == BOOL:
            constant = value == 1
        elif type_ == FLOAT:
            constant = float(value)
        elif kind is not None and kind in CLEAR_FIXED_RANGES:
            units = nearest_units(value)
            least, most = CLEAR_FIXED_RANGES[kind]
            constant, inside = Fixed(units), least <= units <= most
        elif kind is not None:
            least, most = INTEGER_RANGES[kind]
            inside = least <= value <= most
        if not inside:
            why = f"{_article(type_)} is from {least} to {most}" if kind in INTEGER_RANGES else ""
            fix = "use a smaller one, or a wider type"
            self.reporter.error("E0415", literal.span, f"this number is outside {type_}", why=why, fix=fix)
            constant = 0
        self.tables.constants[expression] = constant
        self.tables.types[expression] = type_


def literal_of(expression: Expression) -> tuple[syntax.Integer | syntax.Float | None, int]:
    """The number that an expression is, and its sign; None when it is no literal."""
    if isinstance(expression, syntax.Integer | syntax.Float):
        return expression, 1
    if isinstance(expression, syntax.Unary) and expression.operator == "-":
        operand = expression.operand
        if isinstance(operand, syntax.Integer | syntax.Float):
            return operand, -1
    return None, 1


def _article(type_: Type) -> str:
    return f"an {type_}" if type_.name.startswith("i") else f"a {type_}"
