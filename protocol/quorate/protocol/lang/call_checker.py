"""Calls: which function is meant, and whether the arguments fit it.

`x.f(a)` is `f(x, a)`: a function of the program comes first, then a builtin function, then what the type of x
has: `Share.f` for secrets and lists of secrets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import syntax
from .builtins import AS_OPERATORS, BUILTINS, NAMESPACES, REFUSED, Overload, Special
from .places import ARGUMENT
from .tables import BuiltinCall, ClosureCall, FunctionCall, ObjectCall, ObjectInfo, OperatorCall, Signature
from .types import ANY, CLOSURE, ERROR, FIXED_KINDS, NONE, UNKNOWN, Type, has_variable, lifts, substitute
from .types import match as matches

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
        if (
            isinstance(function.object, syntax.Name)
            and self._expressions.scopes.find(function.object.text) is None
        ):
            space = function.object.text
            if space in NAMESPACES:
                return self._builtin(call, f"{space}.{function.name}", arguments)
            if function.name in self._expressions.names.modules.get(space, ()):
                return self._of_program(call, function.name, arguments)
        receiver = syntax.Argument(function.object.span, None, function.object)
        return self._method(call, function, (receiver, *arguments))

    def _give_up(self, call: syntax.Call) -> Type:
        """Check the arguments of a call that has been reported, for errors of their own."""
        for argument in call.arguments:
            self._expressions.infer(argument.value)
        return ERROR

    def _in_program(self, name: str) -> bool:
        return name in self._tables.signatures or name in self._expressions.names.templates

    def _of_program(self, call: syntax.Call, name: str, arguments: tuple[syntax.Argument, ...]) -> Type:
        template = self._expressions.names.templates.get(name)
        if template is not None:
            return self._generic(call, template, arguments)
        return self._function(call, self._tables.signatures[name], arguments)

    def _named(self, call: syntax.Call, function: syntax.Name) -> Type:
        name = function.text
        if self._in_program(name):
            return self._of_program(call, name, call.arguments)
        if name in self._tables.objects:
            return self._object(call, self._tables.objects[name])
        if name in BUILTINS:
            return self._builtin(call, name, call.arguments)
        if self._expressions.scopes.find(name) is not None:
            why = "it is a variable"
            self._reporter.error(
                "E0304", function.span, f"`{name}` cannot be called", why=why, fix="call a function by its name"
            )
        else:
            known = [*self._tables.signatures, *(one for one in BUILTINS if "." not in one), *self._tables.objects]
            self._expressions.unknown_name(function, known, code="E0304")
        return self._give_up(call)

    def _method(
        self, call: syntax.Call, function: syntax.Attribute, arguments: tuple[syntax.Argument, ...]
    ) -> Type:
        name = function.name
        if self._in_program(name):
            return self._of_program(call, name, arguments)
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
                message = f"there is no parameter `{argument.name}`"
                self._reporter.error("E0404", argument.span, message, why=why, fix="correct the name")
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

    def _packed(
        self, call: syntax.Call, signature: Signature, arguments: tuple[syntax.Argument, ...]
    ) -> tuple[syntax.Argument, ...]:
        """The arguments with those for a parameter that takes the rest put into a list."""
        if not signature.variadic or any(argument.name == signature.names[-1] for argument in arguments):
            return arguments
        first = len(signature.names) - 1
        rest = [argument for argument in arguments[first:] if argument.name is None]
        kept = arguments[:first] + tuple(argument for argument in arguments[first:] if argument.name is not None)
        packed = syntax.ListLiteral(call.span, tuple(argument.value for argument in rest))
        return (*kept, syntax.Argument(call.span, signature.names[-1], packed))

    def _function(self, call: syntax.Call, signature: Signature, arguments: tuple[syntax.Argument, ...]) -> Type:
        arguments = self._packed(call, signature, arguments)
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

    def _generic(
        self, call: syntax.Call, template: syntax.Function, arguments: tuple[syntax.Argument, ...]
    ) -> Type:
        """A call of a function with type parameters: the version of it for these arguments."""
        pattern = self._expressions.names.pattern_of(template)
        arguments = self._packed(call, pattern, arguments)
        values = self._arrange(call, template.name, pattern.names, arguments)
        if values is None:
            return self._give_up(call)
        bound: dict[str, Type] = {}
        for value, wanted in zip(values, pattern.types, strict=True):
            if value is None:
                continue
            actual = self._expressions.infer(value)
            if not matches(wanted, actual, bound):
                fix = f"{template.name} takes {', '.join(map(str, pattern.types))}"
                message = f"this argument is {actual}, but {wanted} is wanted here"
                self._reporter.error("E0401", value.span, message, fix=fix)
                return ERROR
        missing = [name for name in template.type_parameters if name not in bound or bound[name] == UNKNOWN]
        if missing:
            why = "no argument says which type it is"
            message = f"the type `{missing[0]}` of `{template.name}` is open"
            self._reporter.error("E0313", call.span, message, why=why, fix="give the argument a type with `var`")
            return ERROR
        signature = self._expressions.names.version_of(call, template, bound)
        return ERROR if signature is None else self._function(call, signature, arguments)

    def _object(self, call: syntax.Call, info: ObjectInfo) -> Type:
        values = self._arrange(call, info.name, tuple(info.fields), call.arguments)
        if values is None:
            self._give_up(call)
            return Type(info.name)
        for value, wanted in zip(values, info.fields.values(), strict=True):
            if value is not None:
                self._expressions.check(value, wanted, ARGUMENT)
        self._tables.calls[call] = ObjectCall(info, tuple(values))
        return Type(info.name)

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
        if overloads[0].lowering is Special.MAKE_CLOSURE:
            return self._closure(call, overloads[0], arguments)
        return self._overloaded(call, name, overloads, arguments)

    def _closure(self, call: syntax.Call, overload: Overload, arguments: tuple[syntax.Argument, ...]) -> Type:
        """`create_closure("f")`: names stand in string literals, so that they are known here."""
        texts = [argument.value for argument in arguments]
        names = [text.value for text in texts if isinstance(text, syntax.String)]
        wanted = len(overload.parameters)
        if len(names) != wanted or len(texts) != wanted:
            why = "the function is chosen when the program is compiled"
            fix = 'write its name as a string: create_closure("f")'
            self._reporter.error("E0314", call.span, "a closure takes names as literals", why=why, fix=fix)
            return CLOSURE
        signature = self._tables.signatures.get(names[0])
        if signature is None:
            self._expressions.unknown_name(
                syntax.Name(texts[0].span, names[0]), list(self._tables.signatures), code="E0304"
            )
            return CLOSURE
        if signature.result.secret or any(type_.secret for type_ in signature.types):
            why = "what is called by a closure is only known when the program runs"
            fix = "take and give clear values, or lists of secrets"
            self._reporter.error(
                "E0314", texts[0].span, f"`{names[0]}` has secrets in its signature", why=why, fix=fix
            )
            return CLOSURE
        captured = [self._expressions.scopes.find(name) for name in names[1:]]
        if any(local is None or local.type.secret for local in captured):
            fix = "name a clear variable that is declared before"
            self._reporter.error("E0314", texts[-1].span, f"`{names[-1]}` cannot be captured", fix=fix)
            return CLOSURE
        self._tables.calls[call] = ClosureCall(signature, tuple(local for local in captured if local is not None))
        return CLOSURE

    def _print(self, call: syntax.Call, overload: Overload, arguments: tuple[syntax.Argument, ...]) -> Type:
        for argument in arguments:
            actual = self._expressions.infer(argument.value)
            if self._tables.holds_secrets(actual):
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
            return results.pop() if len(results) == 1 and not any(map(has_variable, results)) else ERROR
        if name in AS_OPERATORS and self._is_operator(actuals.values()):
            return self._as_operator(call, AS_OPERATORS[name], arguments)
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
            bound = self._bindings(overload, ordered)
            if bound is not None:
                return self._choose(call, overload, ordered, bound)
        self._no_overload(call, name, candidates, list(actuals.values()))
        return ERROR

    def _bindings(self, overload: Overload, values: list[syntax.Expression]) -> dict[str, Type] | None:
        """What the type variables stand for when the arguments fit, else None; literals take the type of the place."""
        bound: dict[str, Type] = {}
        for (_, pattern), value in zip(overload.parameters, values, strict=True):
            actual = self._tables.type_of(value)
            if matches(pattern, actual, bound):
                continue
            wanted = substitute(pattern, bound)
            if has_variable(wanted) or not self._expressions.takes_type(value, wanted):
                return None
        return bound

    def _is_operator(self, actuals: Iterable[Type]) -> bool:
        return any(actual.secret and actual.name in FIXED_KINDS for actual in actuals)

    def _as_operator(self, call: syntax.Call, operator: str, arguments: tuple[syntax.Argument, ...]) -> Type:
        if len(arguments) != 2:
            self._count(call, "this", ("a", "b"), len(arguments))
            return ERROR
        left, right = (argument.value for argument in arguments)
        binary = syntax.Binary(call.span, operator, call.span, left, right)
        self._tables.calls[call] = OperatorCall(binary)
        return self._expressions.infer(binary)

    def _choose(
        self, call: syntax.Call, overload: Overload, values: list[syntax.Expression], bound: dict[str, Type]
    ) -> Type:
        for (_, pattern), value in zip(overload.parameters, values, strict=True):
            wanted = substitute(pattern, bound)
            self._expressions.adapt(value, wanted)
            actual = self._tables.type_of(value)
            if lifts(actual, wanted) and actual.item is None:
                self._tables.lifted.add(value)
        self._tables.calls[call] = BuiltinCall(overload, tuple(values), bound.get("T", UNKNOWN))
        if overload.lowering is Special.CALL_CLOSURE:
            return ANY
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
