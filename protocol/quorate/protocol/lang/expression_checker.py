"""Types of expressions.

`infer` finds the type of an expression, `check` makes sure that it fits where it stands and notes where a clear
value becomes a public constant. What has been reported has the type ERROR, which fits everywhere.
"""

from __future__ import annotations

import difflib
from typing import Final

from . import syntax
from .builtins import LOAD, LOAD_SHARE, OPEN_ALL, OPEN_ALL_FIXED, RANDOM, RANDOM_BIT
from .call_checker import CallChecker
from .diagnostics import Reporter
from .literals import Literals, literal_of
from .module_names import ModuleNames
from .operators import result_of
from .places import ITEM, Place
from .source import Span
from .syntax import Expression
from .tables import BuiltinCall, Local, Tables
from .types import (
    ANY,
    BOOL,
    BYTES,
    ERROR,
    FLOAT,
    INT64,
    KEYS,
    NONE,
    NUMBER_KINDS,
    SECRET_BOOL,
    SHARE,
    STRING,
    UINT8,
    UNKNOWN,
    Type,
    dict_of,
    fits,
    integral,
    lifts,
    list_of,
    may_be_secret,
    numeric,
)

_DIVISIONS: Final = frozenset({"/", "//", "%", "mod", "shl", "shr", "**"})


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

    def __init__(self, tables: Tables, reporter: Reporter, scopes: Scopes, names: ModuleNames) -> None:
        self.tables = tables
        self.reporter = reporter
        self.scopes = scopes
        self.names = names
        self._literals = Literals(tables, reporter)
        self._calls = CallChecker(self)

    def check(self, expression: Expression, wanted: Type, place: Place) -> None:
        """Report unless `expression` fits `wanted`."""
        if isinstance(expression, syntax.ListLiteral) and wanted.item is not None and wanted.key is None:
            for item in expression.items:
                self.check(item, wanted.item, ITEM)
            self.tables.types[expression] = wanted
            return
        if isinstance(expression, syntax.DictLiteral) and wanted.key is not None and wanted.item is not None:
            for key, value in expression.items:
                self.check(key, wanted.key, ITEM)
                self.check(value, wanted.item, ITEM)
            self.tables.types[expression] = wanted
            return
        if expression not in self.tables.types and self.takes_type(expression, wanted):
            self._literals.set(expression, wanted.clear if wanted != SHARE else INT64)
        actual = self.infer(expression)
        if self.adapt(expression, wanted) or self._in_context(expression, wanted):
            actual = self.tables.type_of(expression)
        if not fits(actual, wanted):
            self._mismatch(expression.span, actual, wanted, place)
        elif lifts(actual, wanted):
            self.tables.lifted.add(expression)

    def _in_context(self, expression: Expression, wanted: Type) -> bool:
        """Let a call mean what the type that is wanted asks for; whether its type has changed."""
        call = self.tables.calls.get(expression) if isinstance(expression, syntax.Call) else None
        if not isinstance(expression, syntax.Call) or not isinstance(call, BuiltinCall):
            return False
        chosen, element, result = None, call.element, None
        opens_shares = call.overload is OPEN_ALL_FIXED and self.tables.type_of(call.arguments[0]).item == SHARE
        if opens_shares and wanted.item is not None and may_be_secret(wanted.item):
            chosen, element, result = OPEN_ALL, wanted.item, wanted
        elif call.overload is RANDOM and wanted == SECRET_BOOL:
            chosen = RANDOM_BIT
        elif call.overload is LOAD and wanted.secret:
            chosen = LOAD_SHARE
        if chosen is None:
            return False
        self.tables.calls[expression] = BuiltinCall(chosen, call.arguments, element)
        self.tables.types[expression] = result or chosen.result
        return True

    def takes_type(self, expression: Expression, wanted: Type) -> bool:
        """Whether `expression` is a literal without a suffix that can have the type `wanted`."""
        return self._literals.takes_type(expression, wanted)

    def adapt(self, expression: Expression, wanted: Type) -> bool:
        """Give a literal the type that its place wants, if it can have it; whether it got it."""
        return self._literals.adapt(expression, wanted)

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
            if wanted == SECRET_BOOL and actual.secret:
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
            case syntax.Integer() | syntax.Float():
                return self._number(expression)
            case syntax.FormatString():
                return self._format(expression)
            case syntax.DictLiteral():
                return self._dictionary(expression)
            case syntax.Comprehension():
                return self._comprehension(expression)
            case syntax.String():
                return STRING
            case syntax.Boolean():
                return BOOL
            case syntax.Nothing():
                return NONE
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
            case syntax.Attribute():
                return self._attribute(expression)
            case syntax.Broken():
                return ERROR

    def _number(self, expression: Expression) -> Type:
        literal, _ = literal_of(expression)
        assert literal is not None  # it is one
        type_ = INT64 if isinstance(literal, syntax.Integer) else FLOAT
        if literal.suffix:
            type_ = Type(literal.suffix)
        self._literals.set(expression, type_)
        return type_

    def _format(self, expression: syntax.FormatString) -> Type:
        for part in expression.parts:
            if isinstance(part, str):
                continue
            actual = self.infer(part)
            if self.tables.holds_secrets(actual):
                why = "a string is clear, and may be printed"
                self.reporter.error("E0503", part.span, f"this is {actual}", why=why, fix="reveal it first")
            elif actual == NONE:
                self.reporter.error("E0413", part.span, "this has no value", fix="use another value")
        return STRING

    def _dictionary(self, literal: syntax.DictLiteral) -> Type:
        if not literal.items:
            return dict_of(UNKNOWN, UNKNOWN)
        keys = self._common([key for key, _ in literal.items])
        values = self._common([value for _, value in literal.items])
        if keys != ERROR and (keys.secret or keys.name not in KEYS):
            why = "a key is a clear integer, bool, string or bytes"
            fix = "use a string or a number"
            self.reporter.error("E0417", literal.items[0][0].span, f"{keys} cannot be a key", why=why, fix=fix)
            return ERROR
        return dict_of(keys, values)

    def _comprehension(self, node: syntax.Comprehension) -> Type:
        items = self.infer(node.items)
        item = items.key or items.item or (items if items == STRING else None)
        if item is None and items != ERROR:
            fix = "loop over a list or a range"
            self.reporter.error("E0408", node.items.span, f"this is {items}, and not a list", fix=fix)
        local = Local(node.name, ERROR if item is None or item == UNKNOWN else item)
        self.tables.locals[node] = local
        self.scopes.open()
        self.scopes.declare(local)
        if node.condition is not None:
            actual = self.infer(node.condition)
            if actual.secret:
                why = "how many elements there are would tell the secret"
                fix = "keep every element and use `select`, or reveal the condition"
                self.reporter.error("E0501", node.condition.span, f"this condition is {actual}", why=why, fix=fix)
            else:
                self.check(node.condition, BOOL, Place("this condition", "E0501"))
        value = self.infer(node.value)
        self.scopes.close()
        if value == NONE:
            self._mismatch(node.value.span, value, INT64, ITEM)
            return ERROR
        return list_of(value)

    def _attribute(self, node: syntax.Attribute) -> Type:
        if isinstance(node.object, syntax.Name) and self.scopes.find(node.object.text) is None:
            members = self.names.enumerations.get(node.object.text)
            if members is not None:
                return self._member(node, members)
        object_ = self.infer(node.object)
        if object_ == ERROR:
            return ERROR
        info = self.tables.objects.get(object_.name)
        if info is None:
            why = f"it is {object_}; only objects have fields"
            message = f"`{node.name}` is not a field"
            self.reporter.error(
                "E0305", node.name_span, message, why=why, fix=f"write `{node.name}(...)` to call it"
            )
            return ERROR
        if node.name not in info.fields:
            close = difflib.get_close_matches(node.name, info.fields, n=1)
            fix = f"did you mean `{close[0]}`?" if close else f"its fields are {', '.join(info.fields)}"
            message = f"`{info.name}` has no field `{node.name}`"
            self.reporter.error("E0311", node.name_span, message, fix=fix)
            return ERROR
        return info.fields[node.name]

    def _member(self, node: syntax.Attribute, members: dict[str, int]) -> Type:
        if node.name not in members:
            close = difflib.get_close_matches(node.name, members, n=1)
            fix = f"did you mean `{close[0]}`?" if close else f"its members are {', '.join(members)}"
            self.reporter.error("E0311", node.name_span, f"there is no member `{node.name}`", fix=fix)
            return ERROR
        self.tables.constants[node] = members[node.name]
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
        return list_of(self._common(list(literal.items))) if literal.items else list_of(UNKNOWN)

    def _common(self, nodes: list[Expression]) -> Type:
        """The type of items side by side: that of the first, or a wider one that all fit."""
        types = [self.infer(node) for node in nodes]
        known = [type_ for node, type_ in zip(nodes, types, strict=True) if literal_of(node)[0] is None]
        item = next((type_ for type_ in known if type_ != ANY), [*known, *types][0])
        for node, type_ in zip(nodes, types, strict=True):
            if not fits(type_, item) and fits(item, type_) and not self.takes_type(node, item):
                item = type_
            elif not fits(type_, item) and {type_, item} <= {INT64, SECRET_BOOL}:
                item = INT64.hidden
        for node in nodes:
            self.adapt(node, item)
            type_ = self.tables.type_of(node)
            if type_ == NONE:
                self._mismatch(node.span, type_, item, ITEM)
            elif not fits(type_, item):
                why = f"the other items are {item}"
                fix = "use one type throughout"
                self.reporter.error("E0410", node.span, f"this item is {type_}", why=why, fix=fix)
            elif lifts(type_, item):
                self.tables.lifted.add(node)
        return item

    def _unary(self, unary: syntax.Unary) -> Type:
        if literal_of(unary)[0] is not None:
            return self._number(unary)
        operand = self.infer(unary.operand)
        if operand in (ERROR, ANY):
            return INT64 if operand == ANY and unary.operator == "-" else operand if operand == ERROR else BOOL
        unsigned = operand.name.startswith("u") and integral(operand)
        if unary.operator == "-" and numeric(operand) and not unsigned:
            plain = operand in (SHARE, SECRET_BOOL)
            return INT64.hidden if plain else operand
        if unary.operator == "not" and (operand.name == "bool" or (integral(operand) and not operand.secret)):
            return operand
        fix = "use a number" if unary.operator == "-" else "use a bool"
        if unary.operator == "not" and operand.secret:
            fix = "compare it: `x == 0` is a secret bool"
        elif unsigned:
            fix = f"subtract it from a number, or use {operand.name[1:]}"
        self.reporter.error("E0402", unary.span, f"`{unary.operator}` does not work on {operand}", fix=fix)
        return ERROR

    def _binary(self, binary: syntax.Binary) -> Type:
        left, right = self.infer(binary.left), self.infer(binary.right)
        if ERROR in (left, right):
            return ERROR
        if binary.operator in ("in", "not in"):
            return self._membership(binary, left, right)
        one = isinstance(binary.left, syntax.Integer) and binary.left.value == 1
        if binary.operator == "-" and one and right == SECRET_BOOL:
            return SECRET_BOOL
        if binary.operator == "**" and right.secret is False and left.secret:
            return self._power(binary, left)
        self._balance(binary)
        left, right = self.tables.type_of(binary.left), self.tables.type_of(binary.right)
        result = result_of(binary.operator, left, right, literal=literal_of(binary.right)[0] is not None)
        if result is None:
            self._no_operator(binary, left, right)
            return ERROR
        return result

    def _balance(self, binary: syntax.Binary) -> None:
        """Let a literal on one side have the type of the other side."""
        for literal, other in ((binary.left, binary.right), (binary.right, binary.left)):
            type_ = self.tables.type_of(other).clear
            if literal_of(other)[0] is None and type_.name in NUMBER_KINDS:
                self.adapt(literal, type_)
                return
        sides = literal_of(binary.left)[0], literal_of(binary.right)[0]
        for literal, other in ((binary.left, binary.right), (binary.right, binary.left)):
            if None not in sides and (self._has_suffix(other) or self.tables.type_of(literal) == INT64):
                self.adapt(literal, self.tables.type_of(other))

    def _has_suffix(self, expression: Expression) -> bool:
        literal = literal_of(expression)[0]
        return literal is not None and bool(literal.suffix)

    def _power(self, binary: syntax.Binary, left: Type) -> Type:
        exponent = binary.right
        if not integral(left) and left not in (SHARE, SECRET_BOOL):
            self._no_operator(binary, left, self.tables.type_of(exponent))
            return ERROR
        if not isinstance(exponent, syntax.Integer) or not 0 <= exponent.value <= MAX_SECRET_EXPONENT:
            why = "the power of a secret is made of products"
            fix = f"write a number from 0 to {MAX_SECRET_EXPONENT}, or multiply in a loop"
            message = "this exponent is not a small number"
            self.reporter.error("E0402", exponent.span, message, why=why, fix=fix)
            return ERROR
        return INT64.hidden if left in (SHARE, SECRET_BOOL) else left

    def _membership(self, binary: syntax.Binary, left: Type, right: Type) -> Type:
        wanted = right.key or right.item or (right if right in (STRING, BYTES) else None)
        if wanted is None or self.tables.holds_secrets(right) or left.secret:
            fix = (
                "compare every element with `==` and join with `or`" if left.secret or right.item else "use a list"
            )
            message = f"`{binary.operator}` does not work on {left} and {right}"
            self.reporter.error("E0402", binary.operator_span, message, fix=fix)
            return ERROR
        if right == BYTES and left in (UINT8, INT64):
            wanted = UINT8
        self.check(binary.left, wanted if wanted != UNKNOWN else left, Place("this value", "E0506"))
        return BOOL

    def _no_operator(self, binary: syntax.Binary, left: Type, right: Type) -> None:
        operator = binary.operator
        message = f"`{operator}` does not work on {left} and {right}"
        why, fix, code = "", "use operands of the same type", "E0402"
        if NONE in (left, right):
            code, why, fix = "E0413", "one side has no value", "use a value"
        elif (
            (left.secret or right.secret)
            and operator in ("and", "or", "xor")
            and "bool" in (left.name, right.name)
        ):
            code, why = "E0509", "one side is a bit and the other a number"
            fix = "compare first: `x != 0` is a secret bool"
        elif (left.secret or right.secret) and operator in _DIVISIONS:
            code, why = "E0509", "there is no such operation on these secrets"
            fix = "use integers of one type, or reveal the operands"
        elif BOOL in (left, right):
            fix = "use select(condition, 1, 0) to turn a bool into a number"
        elif integral(left) and integral(right):
            fix = f"convert one side: `{left.name}(...)` or `{right.name}(...)`"
        self.reporter.error(code, binary.operator_span, message, why=why, fix=fix)

    def _element(self, node: syntax.Index | syntax.Slice) -> Type:
        object_ = self.infer(node.object)
        if isinstance(node, syntax.Index) and object_.key is not None and object_.item is not None:
            return self._entry(node, object_.key, object_.item)
        bounds = [node.index] if isinstance(node, syntax.Index) else [node.start, node.stop, node.step]
        for bound in bounds:
            if bound is not None:
                self._index(bound)
        if object_ == ERROR:
            return ERROR
        if object_ in (STRING, BYTES):
            part = STRING if object_ == STRING else UINT8
            return part if isinstance(node, syntax.Index) else object_
        if object_ == ANY and isinstance(node, syntax.Index):
            return ANY
        if object_.item is None or object_.key is not None:
            why = f"it is {object_}; lists, strings and bytes have elements"
            self.reporter.error("E0407", node.object.span, "this has no elements", why=why, fix="index a list")
            return ERROR
        item = ERROR if object_.item == UNKNOWN else object_.item
        return item if isinstance(node, syntax.Index) else object_

    def _entry(self, node: syntax.Index, key: Type, item: Type) -> Type:
        if self.infer(node.index).secret:
            why = "the entry that is read would tell the secret"
            fix = "read every entry and use `select`, or reveal the key"
            actual = self.tables.type_of(node.index)
            self.reporter.error("E0502", node.index.span, f"this key is {actual}", why=why, fix=fix)
        else:
            self.check(node.index, key, Place("this key", "E0502"))
        return item

    def _index(self, index: Expression) -> None:
        actual = self.infer(index)
        if actual.secret:
            why = "the position that is read would tell the secret"
            fix = "read every element and use `select(index == i, items[i], result)`, or reveal the index"
            self.reporter.error("E0502", index.span, f"this index is {actual}", why=why, fix=fix)
        elif not integral(actual):
            self.check(index, INT64, Place("this index", "E0502"))


MAX_SECRET_EXPONENT: Final = 64
"""The largest exponent of a secret."""
