"""Types of expressions.

`infer` finds the type of an expression, `check` makes sure that it fits where it stands and notes where a clear
value becomes a public constant. What has been reported has the type ERROR, which fits everywhere.
"""

from __future__ import annotations

import difflib
from typing import Final

from . import syntax
from .call_checker import CallChecker
from .diagnostics import Reporter
from .places import ITEM, Place
from .source import Span
from .syntax import Expression
from .tables import Local, Tables
from .types import (
    BOOL,
    ERROR,
    INT64,
    NONE,
    SECRET_BOOL,
    SECRET_INT64,
    STRING,
    UNKNOWN,
    Type,
    fits,
    lifts,
    list_of,
    numeric,
)

_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_CLEAR_ONLY: Final = frozenset({"/", "//", "%", "mod", "shl", "shr"})
_LOGIC: Final = frozenset({"and", "or", "xor"})


class Scopes:
    """The variables that can be seen, innermost block last."""

    def __init__(self) -> None:
        self._blocks: list[dict[str, Local]] = []

    def open(self) -> None:
        """Enter a block."""
        self._blocks.append({})

    def close(self) -> None:
        """Leave the innermost block."""
        self._blocks.pop()

    def find(self, name: str) -> Local | None:
        """The innermost variable called `name`."""
        return next((block[name] for block in reversed(self._blocks) if name in block), None)

    def declare(self, local: Local) -> bool:
        """Add a variable to the innermost block; False when the block has one of that name."""
        known = local.name in self._blocks[-1]
        self._blocks[-1].setdefault(local.name, local)
        return not known

    def names(self) -> list[str]:
        """Every name that can be seen."""
        return [name for block in self._blocks for name in block]


class ExpressionChecker:
    """Checks the expressions of one program."""

    def __init__(self, tables: Tables, reporter: Reporter, scopes: Scopes) -> None:
        self.tables = tables
        self.reporter = reporter
        self.scopes = scopes
        self._calls = CallChecker(self)

    def check(self, expression: Expression, wanted: Type, place: Place) -> None:
        """Report unless `expression` fits `wanted`."""
        if isinstance(expression, syntax.ListLiteral) and wanted.item is not None:
            for item in expression.items:
                self.check(item, wanted.item, ITEM)
            self.tables.types[expression] = wanted
            return
        actual = self.infer(expression)
        if not fits(actual, wanted):
            self._mismatch(expression.span, actual, wanted, place)
        elif lifts(actual, wanted):
            self.tables.lifted.add(expression)

    def _mismatch(self, span: Span, actual: Type, wanted: Type, place: Place) -> None:
        if actual == NONE:
            why = "the function called here returns nothing"
            self.reporter.error(
                "E0413", span, f"{place.what} has no value", why=why, fix="call it on its own line"
            )
        elif actual.secret and not wanted.secret and (actual.name == wanted.name or numeric(wanted)):
            why = "what is secret stays secret until the program reveals it to everyone"
            self.reporter.error(
                place.code, span, f"{place.what} is {actual}, but {wanted} is wanted here", why=why, fix=place.fix
            )
        else:
            fix = f"use a value of type {wanted}"
            if wanted == SECRET_BOOL and actual == SECRET_INT64:
                fix = "compare it: `x != 0` is a secret bool"
            elif actual.item is not None and wanted.item is not None:
                fix = "lists are shared, so the item types must be equal; build a new list"
            self.reporter.error(
                "E0401", span, f"{place.what} is {actual}, but {wanted} is wanted here", why="", fix=fix
            )

    def infer(self, expression: Expression) -> Type:
        """The type of `expression`; it is found once."""
        if expression in self.tables.types:
            return self.tables.types[expression]
        type_ = self._infer(expression)
        self.tables.types[expression] = type_
        return type_

    def _infer(self, expression: Expression) -> Type:
        match expression:
            case syntax.Integer():
                return self._integer(expression, most=(1 << 63) - 1)
            case syntax.String():
                return STRING
            case syntax.Boolean():
                return BOOL
            case syntax.Nothing():
                return NONE
            case syntax.Float(span=span):
                why = "secret arithmetic is exact, on integers"
                self.reporter.error(
                    "E0414",
                    span,
                    "floating-point numbers are not supported",
                    why=why,
                    fix="scale to an integer, for example cents",
                )
                return ERROR
            case syntax.Name():
                return self._name(expression)
            case syntax.ListLiteral():
                return self._list(expression)
            case syntax.Unary():
                return self._unary(expression)
            case syntax.Binary():
                return self._binary(expression)
            case syntax.Index() | syntax.Slice():
                return self._element(expression)
            case syntax.Call():
                return self._calls.infer(expression)
            case syntax.Attribute(name_span=span, name=name):
                why = "values have methods, which are called, and no fields"
                self.reporter.error("E0305", span, f"`{name}` is not called", why=why, fix=f"write `{name}(...)`")
                return ERROR
            case syntax.Broken():
                return ERROR

    def _integer(self, literal: syntax.Integer, *, most: int) -> Type:
        if literal.value > most:
            why = "an int64 is from -9223372036854775808 to 9223372036854775807"
            self.reporter.error(
                "E0415", literal.span, "this number is outside int64", why=why, fix="use a smaller one"
            )
        return INT64

    def _name(self, name: syntax.Name) -> Type:
        local = self.scopes.find(name.text)
        if local is not None:
            self.tables.locals[name] = local
            return local.type
        if name.text in self.tables.signatures:
            why = "functions are not values"
            self.reporter.error(
                "E0305", name.span, f"`{name.text}` is a function", why=why, fix="call it with ( )"
            )
            return ERROR
        self.unknown_name(name, self.scopes.names())
        return ERROR

    def unknown_name(self, name: syntax.Name, known: list[str], *, code: str = "E0301") -> None:
        """Report a name that means nothing here, with the closest one that does."""
        close = difflib.get_close_matches(name.text, known, n=1)
        what = "function" if code == "E0304" else "variable"
        fix = f"did you mean `{close[0]}`?" if close else f"declare it, or correct the name of the {what}"
        self.reporter.error(code, name.span, f"there is no {what} called `{name.text}` here", fix=fix)

    def _list(self, literal: syntax.ListLiteral) -> Type:
        if not literal.items:
            return list_of(UNKNOWN)
        types = [self.infer(item) for item in literal.items]
        item = types[0]
        for type_ in types[1:]:
            if not fits(type_, item) and fits(item, type_):
                item = type_
            elif not fits(type_, item) and {type_, item} <= {INT64, SECRET_BOOL}:
                item = SECRET_INT64
        for node, type_ in zip(literal.items, types, strict=True):
            if type_ == NONE:
                self._mismatch(node.span, type_, item, ITEM)
            elif not fits(type_, item):
                why = f"the items before it are {item}"
                self.reporter.error(
                    "E0410", node.span, f"this item is {type_}", why=why, fix="use one type throughout"
                )
            elif lifts(type_, item):
                self.tables.lifted.add(node)
        return list_of(item)

    def _unary(self, unary: syntax.Unary) -> Type:
        if unary.operator == "-" and isinstance(unary.operand, syntax.Integer):
            self.tables.types[unary.operand] = INT64
            return self._integer(unary.operand, most=1 << 63)
        operand = self.infer(unary.operand)
        if operand == ERROR:
            return ERROR
        if unary.operator == "-" and numeric(operand):
            return SECRET_INT64 if operand.secret else INT64
        if unary.operator == "not" and (operand.name == "bool" or operand == INT64):
            return operand
        fix = (
            "compare it: `x == 0` is a secret bool"
            if operand == SECRET_INT64
            else "use a number"
            if unary.operator == "-"
            else "use a bool"
        )
        self.reporter.error("E0402", unary.span, f"`{unary.operator}` does not work on {operand}", fix=fix)
        return ERROR

    def _binary(self, binary: syntax.Binary) -> Type:
        left, right = self.infer(binary.left), self.infer(binary.right)
        if ERROR in (left, right):
            return ERROR
        secret = left.secret or right.secret
        result: Type | None = None
        if binary.operator in _COMPARISONS:
            result = self._comparison(binary, left, right)
        elif binary.operator in _LOGIC:
            if left.name == right.name == "bool":
                result = SECRET_BOOL if secret else BOOL
            elif left == right == INT64:
                result = INT64
        elif binary.operator in _CLEAR_ONLY and left == right == INT64:
            result = INT64
        elif binary.operator in ("+", "-", "*") and numeric(left) and numeric(right):
            result = SECRET_INT64 if secret else INT64
        elif binary.operator == "+" and left == right == STRING:
            result = STRING
        if result is None:
            self._no_operator(binary, left, right)
            return ERROR
        return result

    def _comparison(self, binary: syntax.Binary, left: Type, right: Type) -> Type | None:
        secret = left.secret or right.secret
        if (
            binary.operator in ("==", "!=")
            and left.clear == right.clear
            and left.name in ("int64", "bool", "string")
        ):
            return SECRET_BOOL if secret else BOOL
        if numeric(left) and numeric(right):
            return SECRET_BOOL if secret else BOOL
        return None

    def _no_operator(self, binary: syntax.Binary, left: Type, right: Type) -> None:
        operator = binary.operator
        message = f"`{operator}` does not work on {left} and {right}"
        secret = left.secret or right.secret
        if secret and operator in _CLEAR_ONLY and numeric(left) and numeric(right):
            why = "there is no secret division or shift"
            fix = "reveal the operands, or multiply instead"
            self.reporter.error("E0509", binary.operator_span, message, why=why, fix=fix)
        elif secret and operator in _LOGIC and numeric(left) and numeric(right):
            why = "bits of a secret integer are not at hand"
            fix = "compare first: `x != 0` is a secret bool"
            self.reporter.error("E0509", binary.operator_span, message, why=why, fix=fix)
        elif NONE in (left, right):
            self.reporter.error(
                "E0413", binary.operator_span, message, why="one side has no value", fix="use a value"
            )
        else:
            fix = (
                "use select(condition, 1, 0) to turn a bool into a number"
                if BOOL in (left, right)
                else "use operands of the same type"
            )
            self.reporter.error("E0402", binary.operator_span, message, fix=fix)

    def _element(self, node: syntax.Index | syntax.Slice) -> Type:
        object_ = self.infer(node.object)
        indexes = [node.index] if isinstance(node, syntax.Index) else [node.start, node.stop]
        for index in indexes:
            if index is not None:
                self._index(index)
        if object_ == ERROR:
            return ERROR
        if object_.item is None:
            why = f"it is {object_}; only lists have elements"
            self.reporter.error("E0407", node.object.span, "this has no elements", why=why, fix="index a list")
            return ERROR
        item = ERROR if object_.item == UNKNOWN else object_.item
        return item if isinstance(node, syntax.Index) else object_

    def _index(self, index: Expression) -> None:
        actual = self.infer(index)
        if actual.secret:
            why = "the position that is read would tell the secret"
            fix = "read every element and use `select(index == i, items[i], result)`, or reveal the index"
            self.reporter.error("E0502", index.span, f"this index is {actual}", why=why, fix=fix)
        else:
            self.check(index, INT64, Place("this index", "E0502"))
