"""Names, types and secrecy of a whole program: functions and statements."""

from __future__ import annotations

from quorate.protocol.vm.program import MAX_FUNCTIONS, MAX_NAME_BYTES, MAX_PARAMETERS

from . import syntax
from .builtins import NAMESPACES
from .diagnostics import Reporter
from .expression_checker import ExpressionChecker, Scopes
from .module_names import ModuleNames
from .places import Place
from .selections import Selections
from .source import Span
from .syntax import Module, Statement
from .tables import Binding, Local, Signature, Tables, Version
from .types import BOOL, CLOSURE, ERROR, INT64, NONE, STRING, UNKNOWN, Type, fits, integral, unresolved


def check(module: Module, reporter: Reporter, modules: dict[str, frozenset[str]] | None = None) -> Tables:
    """Check a whole program; errors go to the reporter. `modules` are the functions of each module by its name."""
    checker = _Checker(reporter)
    checker.module(module, modules or {})
    return checker.tables


class _Checker:
    def __init__(self, reporter: Reporter) -> None:
        self.tables = Tables()
        self._reporter = reporter
        self._scopes = Scopes()
        self._names = ModuleNames(self.tables, reporter)
        self._expressions = ExpressionChecker(self.tables, reporter, self._scopes, self._names)
        self._selections = Selections(self.tables, reporter, self._scopes)
        self._signature: Signature | None = None
        self._loops = 0

    def module(self, module: Module, modules: dict[str, frozenset[str]]) -> None:
        if not module.functions and not self._reporter.diagnostics:
            why = "a program begins at a function"
            self._reporter.error(
                "E0201", Span(0, 0), "the program has no function", why=why, fix="write `def main() -> int64:`"
            )
        self._names.declare(module, modules)
        for function in module.functions:
            self._declare_function(function)
        checked = 0
        while checked < len(self.tables.versions):
            self._function(self.tables.versions[checked])
            checked += 1
        if len(self.tables.versions) > MAX_FUNCTIONS:
            span = module.functions[-1].name_span
            self._reporter.error("E0309", span, f"more than {MAX_FUNCTIONS} functions", fix="merge some")

    def _declare_function(self, function: syntax.Function) -> None:
        name = function.name
        known = name in self.tables.signatures or name in self._names.templates
        if known or name in NAMESPACES or name in self.tables.objects:
            why = "another function has this name" if known else "the language or a type uses this name"
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
        if function.type_parameters:
            self._names.pattern_of(function)
            self._names.templates.setdefault(name, function)
            return
        signature = self._names.signature_of(function, name)
        if name not in self.tables.signatures:
            self.tables.signatures[name] = signature
            self.tables.versions.append(Version(function, signature, {}))

    def _function(self, version: Version) -> None:
        function, signature = version.function, version.signature
        self._signature = signature
        self._names.types.bound = version.bound
        self._scopes.open()
        for parameter, type_ in zip(function.parameters, signature.types, strict=True):
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
        if not isinstance(literal, syntax.Integer | syntax.Float | syntax.Boolean | syntax.String):
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
            case syntax.If():
                self._if(statement)
            case syntax.Match():
                self._match(statement)
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

    def _if(self, statement: syntax.If) -> None:
        types = [self._expressions.infer(branch.condition) for branch in statement.branches]
        for branch, type_ in zip(statement.branches, types, strict=True):
            if not type_.secret:
                self._condition(branch.condition)
            self._block(branch.body)
        self._block(statement.otherwise or ())
        if any(type_.secret for type_ in types):
            self._selections.check(statement, types)

    def _match(self, statement: syntax.Match) -> None:
        subject = self._expressions.infer(statement.subject)
        if subject.secret:
            why = "which case is taken would tell the secret"
            fix = "compare with each value and use `select`, or reveal the subject"
            self._reporter.error("E0501", statement.subject.span, f"this subject is {subject}", why=why, fix=fix)
            subject = ERROR
        for index, case in enumerate(statement.cases):
            for pattern in case.patterns:
                self._expressions.check(pattern, subject, Place("this pattern", "E0501"))
            if not case.patterns and index + 1 < len(statement.cases):
                span = statement.cases[index + 1].span
                why = "the case before it takes everything"
                self._reporter.error(
                    "E0416", span, "this case is never taken", why=why, fix="move `case _` to the end"
                )
            self._block(case.body)

    def _variable(self, statement: syntax.Variable) -> None:
        if statement.annotation is not None:
            type_ = self._names.types.resolve(statement.annotation)
            fix = f"declare it as `var {statement.name}: secret ...`, or reveal the value with `.reveal()`"
            if statement.value is not None:
                self._expressions.check(statement.value, type_, Place("this value", "E0504", fix))
            elif type_ == CLOSURE:
                why = "a closure has no default"
                self._reporter.error(
                    "E0206", statement.name_span, "this needs a value", why=why, fix="give it one"
                )
        elif statement.value is None:
            type_ = ERROR
        else:
            type_ = self._expressions.infer(statement.value)
            if type_ == NONE and not isinstance(statement.value, syntax.Nothing):
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
            fix = "use `select(condition, a, b)`, or reveal the condition with `.reveal()`"
            self._reporter.error("E0501", condition.span, f"this condition is {actual}", why=why, fix=fix)
        elif not fits(actual, BOOL):
            fix = "compare it: `x != 0`" if actual == INT64 else "use a bool"
            self._reporter.error("E0406", condition.span, f"this condition is {actual}", fix=fix)

    def _for_range(self, statement: syntax.ForRange) -> None:
        counter = INT64
        for bound in (statement.start, statement.stop, statement.step):
            if bound is None:
                continue
            actual = self._expressions.infer(bound)
            if actual.secret:
                why = "how often the loop runs would tell the secret"
                fix = "loop to a public maximum and use `select`, or reveal the bound"
                self._reporter.error("E0508", bound.span, f"this bound is {actual}", why=why, fix=fix)
            elif integral(actual) and not isinstance(bound, syntax.Integer):
                counter = actual
            else:
                self._expressions.check(bound, INT64, Place("this bound", "E0508"))
        self._loop_variable(statement, counter)

    def _for_each(self, statement: syntax.ForEach) -> None:
        items = self._expressions.infer(statement.items)
        item = items.key or items.item or (items if items == STRING else None)
        if item is None and items != ERROR:
            self._reporter.error(
                "E0408",
                statement.items.span,
                f"this is {items}, and not a list",
                fix="loop over a list, a string, a dictionary's keys or a range",
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
        if actual.secret:
            why = "whether the program goes on would tell the secret"
            fix = 'reveal the condition: `assert c.reveal(), "..."`'
            self._reporter.error(
                "E0507", statement.condition.span, f"this condition is {actual}", why=why, fix=fix
            )
        elif not fits(actual, BOOL):
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
            case syntax.Match(cases=cases):
                if cases and not cases[-1].patterns and all(_returns(case.body) for case in cases):
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
            case syntax.Match(cases=cases):
                if any(_breaks(case.body) for case in cases):
                    return True
            case _:
                continue
    return False
