"""Names, types and secrecy of a whole program: functions and statements."""

from __future__ import annotations

from typing import Final

from quorate.protocol.vm.program import MAX_FUNCTIONS, MAX_NAME_BYTES, MAX_PARAMETERS

from . import syntax
from .builtins import NAMESPACES
from .diagnostics import Reporter
from .expression_checker import ExpressionChecker, Scopes
from .places import Place
from .source import Span
from .syntax import Module, Statement
from .tables import Binding, Local, Signature, Tables
from .types import BOOL, ERROR, INT64, NONE, SCALARS, SECRET_BOOL, STRING, UNKNOWN, Type, fits, list_of, unresolved

_SELECT: Final = "use `select(condition, a, b)`, or reveal the condition with `.reveal()`"


def check(module: Module, reporter: Reporter) -> Tables:
    """Check a whole program; errors go to the reporter."""
    checker = _Checker(reporter)
    checker.module(module)
    return checker.tables


class _Checker:
    def __init__(self, reporter: Reporter) -> None:
        self.tables = Tables()
        self._reporter = reporter
        self._scopes = Scopes()
        self._expressions = ExpressionChecker(self.tables, reporter, self._scopes)
        self._signature: Signature | None = None
        self._loops = 0

    def module(self, module: Module) -> None:
        if not module.functions and not self._reporter.diagnostics:
            why = "a program begins at a function"
            self._reporter.error(
                "E0201", Span(0, 0), "the program has no function", why=why, fix="write `def main() -> int64:`"
            )
        if len(module.functions) > MAX_FUNCTIONS:
            self._reporter.error(
                "E0309", module.functions[-1].name_span, f"more than {MAX_FUNCTIONS} functions", fix="merge some"
            )
        for function in module.functions:
            self._declare_function(function)
        for function in module.functions:
            self._function(function)

    def _declare_function(self, function: syntax.Function) -> None:
        name = function.name
        if name in self.tables.signatures or name in NAMESPACES:
            why = (
                "another function has this name"
                if name in self.tables.signatures
                else "the language uses this name"
            )
            self._reporter.error(
                "E0302", function.name_span, f"`{name}` is defined already", why=why, fix="choose another name"
            )
        names = [name, *(parameter.name for parameter in function.parameters)]
        if len(names) > MAX_PARAMETERS + 1 or max(map(len, names)) > MAX_NAME_BYTES:
            self._reporter.error(
                "E0309",
                function.name_span,
                f"more than {MAX_PARAMETERS} parameters, or a name of more than {MAX_NAME_BYTES} characters",
                fix="pass a list, or shorten the name",
            )
        signature = Signature(
            name,
            tuple(parameter.name for parameter in function.parameters),
            tuple(self._type(parameter.annotation) for parameter in function.parameters),
            tuple(parameter.default for parameter in function.parameters),
            self._type(function.result, result=True) if function.result is not None else NONE,
        )
        self.tables.signatures.setdefault(name, signature)

    def _type(self, written: syntax.TypeName, *, result: bool = False) -> Type:
        error = self._reporter.error
        if written.name == "list" and written.item is not None:
            if written.secret:
                why = "the length of a list is public, its items may be secret"
                error("E0303", written.span, "a list cannot be secret", why=why, fix="write list[secret ...]")
            return list_of(self._type(written.item))
        type_ = SCALARS.get(written.name)
        if type_ is None or written.item is not None:
            fix = "the types are int64, bool, string, Share, list[...], and secret int64, secret bool"
            error("E0303", written.span, f"there is no type `{written.name}` like this", fix=fix)
            return ERROR
        if type_ == NONE and not result:
            error("E0303", written.span, "None is only the result of a function", fix="use another type")
            return ERROR
        if not written.secret:
            return type_
        if type_.name not in ("int64", "bool"):
            error("E0303", written.span, f"{type_} cannot be secret", fix="use secret int64 or secret bool")
            return ERROR
        return Type(type_.name, secret=True)

    def _function(self, function: syntax.Function) -> None:
        signature = self.tables.signatures[function.name]
        self._signature = signature
        self._scopes.open()
        for parameter in function.parameters:
            type_ = self._type(parameter.annotation)
            self._declare(parameter, parameter.name, parameter.span, type_)
            if parameter.default is not None:
                self._default(parameter.default, type_)
        self._block(function.body)
        self._scopes.close()
        if signature.result not in (NONE, ERROR) and not _returns(function.body):
            why = f"the function returns {signature.result}, and its end can be reached"
            self._reporter.error(
                "E0405",
                function.name_span,
                f"`{function.name}` can end without a return",
                why=why,
                fix="end every path with `return`",
            )

    def _default(self, default: syntax.Expression, wanted: Type) -> None:
        literal = default.operand if isinstance(default, syntax.Unary) else default
        if not isinstance(literal, syntax.Integer | syntax.Boolean | syntax.String):
            why = "it is computed at every call"
            self._reporter.error(
                "E0401",
                default.span,
                "a default must be a literal",
                why=why,
                fix="write a number, a string or a bool",
            )
            return
        self._expressions.check(default, wanted, Place("this default", "E0504"))

    def _declare(self, node: Binding, name: str, span: Span, type_: Type) -> None:
        local = Local(name, type_)
        self.tables.locals[node] = local
        if name in NAMESPACES:
            self._reporter.error("E0302", span, f"`{name}` is a name of the language", fix="choose another name")
        if not self._scopes.declare(local):
            why = "this block has a variable of that name"
            self._reporter.error(
                "E0302",
                span,
                f"`{name}` is declared already",
                why=why,
                fix=f"assign with `{name} = ...`, or choose another name",
            )

    def _block(self, statements: tuple[Statement, ...]) -> None:
        self._scopes.open()
        for statement in statements:
            self._statement(statement)
        self._scopes.close()

    def _statement(self, statement: Statement) -> None:
        match statement:
            case syntax.Variable():
                self._variable(statement)
            case syntax.Assign():
                self._assign(statement)
            case syntax.Evaluate(value=value):
                self._expressions.infer(value)
            case syntax.If(branches=branches, otherwise=otherwise):
                for branch in branches:
                    self._condition(branch.condition)
                    self._block(branch.body)
                self._block(otherwise or ())
            case syntax.While(condition=condition, body=body):
                self._condition(condition)
                self._loop(body)
            case syntax.ForRange():
                self._for_range(statement)
            case syntax.ForEach():
                self._for_each(statement)
            case syntax.Jump(span=span, word=word):
                if not self._loops:
                    self._reporter.error("E0306", span, f"`{word}` outside a loop", fix="remove it")
            case syntax.Return():
                self._return(statement)
            case syntax.Assert():
                self._assert(statement)
            case syntax.Pass():
                pass

    def _loop(self, body: tuple[Statement, ...]) -> None:
        self._loops += 1
        self._block(body)
        self._loops -= 1

    def _variable(self, statement: syntax.Variable) -> None:
        if statement.annotation is not None:
            type_ = self._type(statement.annotation)
            fix = f"declare it as `var {statement.name}: secret ...`, or reveal the value with `.reveal()`"
            self._expressions.check(statement.value, type_, Place("this value", "E0504", fix))
        else:
            type_ = self._expressions.infer(statement.value)
            if type_ == NONE:
                why = "the function called here returns nothing"
                self._reporter.error(
                    "E0413", statement.value.span, "this has no value", why=why, fix="call it on its own line"
                )
                type_ = ERROR
            elif unresolved(type_):
                self._reporter.error(
                    "E0409",
                    statement.value.span,
                    "the type of this empty list is unknown",
                    fix=f"write `var {statement.name}: list[int64] = []`, or another type",
                )
                type_ = ERROR
        self._declare(statement, statement.name, statement.name_span, type_)

    def _assign(self, statement: syntax.Assign) -> None:
        target = statement.target
        if isinstance(target, syntax.Name) and self._scopes.find(target.text) is None:
            self._expressions.infer(statement.value)
            if target.text in self.tables.signatures:
                why = "it is a function"
                self._reporter.error(
                    "E0305",
                    target.span,
                    f"`{target.text}` cannot be assigned to",
                    why=why,
                    fix="choose another name",
                )
                return
            self._reporter.error(
                "E0307",
                target.span,
                f"`{target.text}` is not declared",
                why="a variable is declared before it is assigned to",
                fix=f"write `var {target.text} = ...`",
            )
            return
        wanted = self._expressions.infer(target)
        place = Place("this value", "E0504", "declare the variable secret, or reveal the value with `.reveal()`")
        if statement.operator is None:
            self._expressions.check(statement.value, wanted, place)
            return
        combined = syntax.Binary(
            statement.span, statement.operator, statement.operator_span, target, statement.value
        )
        actual = self._expressions.infer(combined)
        if not fits(actual, wanted):
            self._expressions.check(combined, wanted, place)

    def _condition(self, condition: syntax.Expression) -> None:
        actual = self._expressions.infer(condition)
        if actual.secret:
            why = "which way the program goes would tell the secret"
            self._reporter.error("E0501", condition.span, f"this condition is {actual}", why=why, fix=_SELECT)
        elif actual not in (BOOL, ERROR):
            fix = "compare it: `x != 0`" if actual == INT64 else "use a bool"
            self._reporter.error("E0406", condition.span, f"this condition is {actual}", fix=fix)

    def _for_range(self, statement: syntax.ForRange) -> None:
        for bound in (statement.start, statement.stop, statement.step):
            if bound is None:
                continue
            actual = self._expressions.infer(bound)
            if actual.secret:
                why = "how often the loop runs would tell the secret"
                fix = "loop to a public maximum and use `select`, or reveal the bound"
                self._reporter.error("E0508", bound.span, f"this bound is {actual}", why=why, fix=fix)
            else:
                self._expressions.check(bound, INT64, Place("this bound", "E0508"))
        self._loop_variable(statement, INT64)

    def _for_each(self, statement: syntax.ForEach) -> None:
        items = self._expressions.infer(statement.items)
        item = items.item
        if item is None and items != ERROR:
            self._reporter.error(
                "E0408",
                statement.items.span,
                f"this is {items}, and not a list",
                fix="loop over a list or a range",
            )
        self._loop_variable(statement, ERROR if item is None or item == UNKNOWN else item)

    def _loop_variable(self, statement: syntax.ForRange | syntax.ForEach, type_: Type) -> None:
        self._scopes.open()
        self._declare(statement, statement.name, statement.name_span, type_)
        self._loop(statement.body)
        self._scopes.close()

    def _return(self, statement: syntax.Return) -> None:
        assert self._signature is not None  # statements are inside functions
        wanted = self._signature.result
        name = self._signature.name
        value = statement.value
        if value is None or isinstance(value, syntax.Nothing):
            if wanted not in (NONE, ERROR):
                self._reporter.error("E0401", statement.span, f"`{name}` returns {wanted}", fix="return a value")
            return
        if wanted == NONE:
            actual = self._expressions.infer(value)
            if actual not in (NONE, ERROR):
                why = "a function without `->` returns nothing"
                self._reporter.error(
                    "E0412",
                    value.span,
                    f"`{name}` returns a value, {actual}",
                    why=why,
                    fix=f"write `-> {actual}` after its parameters",
                )
            return
        fix = f"write `-> {Type(wanted.name, secret=True)}`, or reveal the value with `.reveal()`"
        self._expressions.check(value, wanted, Place("the returned value", "E0505", fix))

    def _assert(self, statement: syntax.Assert) -> None:
        actual = self._expressions.infer(statement.condition)
        if actual == SECRET_BOOL or actual.secret:
            why = "whether the program goes on would tell the secret"
            fix = 'reveal the condition: `assert c.reveal(), "..."`'
            self._reporter.error(
                "E0507", statement.condition.span, f"this condition is {actual}", why=why, fix=fix
            )
        elif actual not in (BOOL, ERROR):
            self._reporter.error(
                "E0406", statement.condition.span, f"this condition is {actual}", fix="use a bool"
            )
        if statement.message is not None:
            self._expressions.check(statement.message, STRING, Place("this message", "E0503"))


def _returns(statements: tuple[Statement, ...]) -> bool:
    """Whether the end of a block cannot be reached."""
    for statement in statements:
        match statement:
            case syntax.Return() | syntax.Evaluate(value=syntax.Broken()):
                return True
            case syntax.If(branches=branches, otherwise=otherwise):
                if otherwise is not None and all(map(_returns, (*(b.body for b in branches), otherwise))):
                    return True
            case syntax.While(condition=syntax.Boolean(value=True), body=body):
                if not _breaks(body):
                    return True
            case _:
                continue
    return False


def _breaks(statements: tuple[Statement, ...]) -> bool:
    """Whether a block breaks out of the loop that it belongs to."""
    for statement in statements:
        match statement:
            case syntax.Jump(word="break"):
                return True
            case syntax.If(branches=branches, otherwise=otherwise):
                if any(map(_breaks, (*(branch.body for branch in branches), otherwise or ()))):
                    return True
            case _:
                continue
    return False
