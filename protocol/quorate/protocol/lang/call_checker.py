"""Calls: which function is meant, and whether the arguments fit it.

`x.f(a)` is `f(x, a)`: a function of the program comes first, then a builtin function, then what the type of x
has: `Share.f` for secrets and lists of secrets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import syntax
from .builtins import BUILTINS, NAMESPACES, REFUSED, Overload, Special
from .places import ARGUMENT
from .tables import BuiltinCall, FunctionCall, Signature
from .types import ERROR, NONE, UNKNOWN, Type, lifts, match, substitute

if TYPE_CHECKING:
    from .expression_checker import ExpressionChecker


class CallChecker:
    """Checks the calls of one program."""

    def __init__(self, expressions: ExpressionChecker) -> None:
        self._expressions = expressions
        self._tables = expressions.tables
        self._reporter = expressions.reporter

    def infer(self, call: syntax.Call) -> Type:
        """The type of a call's value."""
        function, arguments = call.function, call.arguments
        if isinstance(function, syntax.Name):
            return self._named(call, function)
        if not isinstance(function, syntax.Attribute):
            self._reporter.error(
                "E0304", function.span, "this is not a function", fix="call a function by its name"
            )
            return self._give_up(call)
        if isinstance(function.object, syntax.Name) and self._namespace(function.object.text):
            return self._builtin(call, f"{function.object.text}.{function.name}", arguments)
        receiver = syntax.Argument(function.object.span, None, function.object)
        return self._method(call, function, (receiver, *arguments))

    def _namespace(self, name: str) -> bool:
        return name in NAMESPACES and self._expressions.scopes.find(name) is None

    def _give_up(self, call: syntax.Call) -> Type:
        """Check the arguments of a call that has been reported, for errors of their own."""
        for argument in call.arguments:
            self._expressions.infer(argument.value)
        return ERROR

    def _named(self, call: syntax.Call, function: syntax.Name) -> Type:
        signature = self._tables.signatures.get(function.text)
        if signature is not None:
            return self._function(call, signature, call.arguments)
        if function.text in BUILTINS:
            return self._builtin(call, function.text, call.arguments)
        if function.text == "range":
            why = "ranges are not values"
            self._reporter.error(
                "E0305", function.span, "range outside a for loop", why=why, fix="write `for i in range(...)`"
            )
        elif self._expressions.scopes.find(function.text) is not None:
            why = "it is a variable"
            self._reporter.error(
                "E0304",
                function.span,
                f"`{function.text}` cannot be called",
                why=why,
                fix="call a function by its name",
            )
        else:
            known = [*self._tables.signatures, *(name for name in BUILTINS if "." not in name)]
            self._expressions.unknown_name(function, known, code="E0304")
        return self._give_up(call)

    def _method(
        self, call: syntax.Call, function: syntax.Attribute, arguments: tuple[syntax.Argument, ...]
    ) -> Type:
        name = function.name
        signature = self._tables.signatures.get(name)
        if signature is not None:
            return self._function(call, signature, arguments)
        if name in BUILTINS:
            return self._builtin(call, name, arguments)
        receiver = self._expressions.infer(function.object)
        if receiver == ERROR:
            return self._give_up(call)
        secret = receiver.secret or (receiver.item is not None and receiver.item.secret)
        if secret and (f"Share.{name}" in BUILTINS or f"Share.{name}" in REFUSED):
            return self._builtin(call, f"Share.{name}", arguments)
        known = sorted({full.split(".")[-1] for full in BUILTINS} | set(self._tables.signatures))
        self._expressions.unknown_name(syntax.Name(function.name_span, name), known, code="E0304")
        return self._give_up(call)

    def _arrange(
        self, call: syntax.Call, what: str, names: tuple[str, ...], arguments: tuple[syntax.Argument, ...]
    ) -> list[syntax.Expression | None] | None:
        """Arguments by parameter; None after an error."""
        values: list[syntax.Expression | None] = [None] * len(names)
        if len(arguments) > len(names):
            self._count(call, what, names, len(arguments))
            return None
        for position, argument in enumerate(arguments):
            if argument.name is not None and argument.name not in names:
                why = f"{what} has {', '.join(names) or 'no parameters'}"
                self._reporter.error(
                    "E0404",
                    argument.span,
                    f"there is no parameter `{argument.name}`",
                    why=why,
                    fix="correct the name",
                )
                return None
            index = position if argument.name is None else names.index(argument.name)
            if values[index] is not None:
                self._reporter.error("E0404", argument.span, f"`{names[index]}` is given twice", fix="remove one")
                return None
            values[index] = argument.value
        return values

    def _count(self, call: syntax.Call, what: str, names: tuple[str, ...], given: int) -> None:
        message = f"{what} takes {len(names)} arguments, {given} were given"
        fix = f"its parameters are {', '.join(names)}" if names else "it has no parameters"
        self._reporter.error("E0403", call.span, message, fix=fix)

    def _function(self, call: syntax.Call, signature: Signature, arguments: tuple[syntax.Argument, ...]) -> Type:
        values = self._arrange(call, signature.name, signature.names, arguments)
        if values is None:
            self._give_up(call)
            return signature.result
        complete: list[syntax.Expression] = []
        for value, default, wanted in zip(values, signature.defaults, signature.types, strict=True):
            if value is not None:
                self._expressions.check(value, wanted, ARGUMENT)
            elif default is None:
                self._count(call, signature.name, signature.names, len(arguments))
                return signature.result
            chosen = value if value is not None else default
            assert chosen is not None  # one of the two is there
            complete.append(chosen)
        self._tables.calls[call] = FunctionCall(signature, tuple(complete))
        return signature.result

    def _builtin(self, call: syntax.Call, name: str, arguments: tuple[syntax.Argument, ...]) -> Type:
        if name in REFUSED:
            why, fix = REFUSED[name]
            self._reporter.error("E0308", call.function.span, f"{name} is not available", why=why, fix=fix)
            return self._give_up(call)
        if name not in BUILTINS:
            space, member = name.split(".")
            known = [full.split(".")[1] for full in BUILTINS if full.startswith(f"{space}.")]
            span = call.function.name_span if isinstance(call.function, syntax.Attribute) else call.span
            self._expressions.unknown_name(syntax.Name(span, member), known, code="E0304")
            return self._give_up(call)
        overloads = BUILTINS[name]
        if overloads[0].lowering is Special.PRINT:
            return self._print(call, overloads[0], arguments)
        return self._overloaded(call, name, overloads, arguments)

    def _print(self, call: syntax.Call, overload: Overload, arguments: tuple[syntax.Argument, ...]) -> Type:
        for argument in arguments:
            actual = self._expressions.infer(argument.value)
            if actual.secret or (actual.item is not None and "secret" in str(actual)):
                why = "what is printed is seen by every party"
                fix = "reveal it first: `print(x.reveal())`"
                self._reporter.error("E0503", argument.span, f"this is {actual}", why=why, fix=fix)
            elif actual == NONE:
                self._reporter.error("E0413", argument.span, "this has no value", fix="print something else")
        values = tuple(argument.value for argument in arguments)
        self._tables.calls[call] = BuiltinCall(overload, values, UNKNOWN)
        return overload.result

    def _overloaded(
        self, call: syntax.Call, name: str, overloads: tuple[Overload, ...], arguments: tuple[syntax.Argument, ...]
    ) -> Type:
        actuals = {argument: self._expressions.infer(argument.value) for argument in arguments}
        if ERROR in actuals.values():
            results = {overload.result for overload in overloads}
            return results.pop() if len(results) == 1 and not any(map(_open, results)) else ERROR
        candidates = [overload for overload in overloads if len(overload.parameters) == len(arguments)]
        if not candidates:
            names = tuple(name for name, _ in overloads[0].parameters)
            self._count(call, name, names, len(arguments))
            return ERROR
        for overload in candidates:
            if any(argument.name is not None for argument in arguments):
                names = tuple(name for name, _ in overload.parameters)
                values = self._arrange(call, name, names, arguments)
            else:
                values = [argument.value for argument in arguments]
            if values is None:
                return ERROR
            ordered = [value for value in values if value is not None]
            bound: dict[str, Type] = {}
            pairs = list(zip(overload.parameters, ordered, strict=True))
            if all(match(type_, self._tables.type_of(value), bound) for (_, type_), value in pairs):
                return self._choose(call, overload, ordered, bound)
        self._no_overload(call, name, candidates, list(actuals.values()))
        return ERROR

    def _choose(
        self, call: syntax.Call, overload: Overload, values: list[syntax.Expression], bound: dict[str, Type]
    ) -> Type:
        for (_, pattern), value in zip(overload.parameters, values, strict=True):
            if lifts(self._tables.type_of(value), substitute(pattern, bound)):
                self._tables.lifted.add(value)
        self._tables.calls[call] = BuiltinCall(overload, tuple(values), bound.get("T", UNKNOWN))
        return substitute(overload.result, bound)

    def _no_overload(self, call: syntax.Call, name: str, candidates: list[Overload], actuals: list[Type]) -> None:
        given = ", ".join(map(str, actuals))
        choices = " or ".join(f"{name}{overload.signature}" for overload in candidates)
        fix = f"use {choices}"
        clear = any(actual.secret for actual in actuals) and all(
            not type_.secret for overload in candidates for _, type_ in overload.parameters
        )
        if clear:
            why = "a secret cannot stand where a clear value is wanted"
            self._reporter.error("E0506", call.span, f"{name} does not take ({given})", why=why, fix=fix)
        else:
            self._reporter.error("E0401", call.span, f"{name} does not take ({given})", fix=fix)


def _open(type_: Type) -> bool:
    """Whether T occurs in a type."""
    return type_.name == "T" or (type_.item is not None and _open(type_.item))
