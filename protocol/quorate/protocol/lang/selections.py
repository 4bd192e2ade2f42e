"""`if` on a secret condition: allowed where all it does is assign to secret variables.

Both ways are computed, and each variable becomes what the condition selects. So nothing in a branch may be seen from
outside: it declares variables, assigns to secret ones, and computes without effects.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import syntax
from .diagnostics import Reporter
from .source import Span
from .syntax import Expression, Statement
from .tables import BuiltinCall, FunctionCall, Local, ObjectCall, OperatorCall, Tables
from .types import ERROR, SECRET_BOOL, SHARE, Type

if TYPE_CHECKING:
    from .expression_checker import Scopes


class Selections:
    """Checks the branches on secrets of one program."""

    def __init__(self, tables: Tables, reporter: Reporter, scopes: Scopes) -> None:
        self._tables = tables
        self._reporter = reporter
        self._scopes = scopes

    def check(self, statement: syntax.If, conditions: list[Type]) -> None:
        """Note what the branches assign, or report why they cannot be computed both."""
        for branch, type_ in zip(statement.branches, conditions, strict=True):
            if type_.secret and type_ not in (SECRET_BOOL, SHARE):
                fix = "compare it: `x != 0` is a secret bool"
                self._reporter.error("E0406", branch.condition.span, f"this condition is {type_}", fix=fix)
                return
        bodies = [*(branch.body for branch in statement.branches), statement.otherwise or ()]
        first = next(branch for branch, type_ in zip(statement.branches, conditions, strict=True) if type_.secret)
        assigned: dict[Local, None] = {}
        for body in bodies:
            culprit = self._culprit(body, set(), assigned)
            if culprit is not None:
                why = (
                    f"which way the program goes would tell the secret: line {self._line(culprit[0])} {culprit[1]}"
                )
                fix = "use `select(condition, a, b)`, or reveal the condition with `.reveal()`"
                type_ = self._tables.type_of(first.condition)
                self._reporter.error("E0501", first.condition.span, f"this condition is {type_}", why=why, fix=fix)
                return
        for branch in statement.branches[1:]:
            span = self._effect(branch.condition)
            if span is not None:
                why = "every condition is computed, whichever holds"
                message = "this condition does more than compute"
                self._reporter.error("E0511", span, message, why=why, fix="compute it before the `if`")
        self._tables.selections[statement] = tuple(assigned)

    def _line(self, span: Span) -> int:
        return self._reporter.source.position(span.start)[0]

    def _culprit(
        self, body: tuple[Statement, ...], own: set[Local], assigned: dict[Local, None]
    ) -> tuple[Span, str] | None:
        """The first thing that a branch must not do, and what it is; None when there is none."""
        own = set(own)
        for statement in body:
            for expression in _expressions(statement):
                span = self._effect(expression)
                if span is not None:
                    return span, _CALLS
            found = self._statement_culprit(statement, own, assigned)
            if found is not None:
                return found
        return None

    def _statement_culprit(
        self, statement: Statement, own: set[Local], assigned: dict[Local, None]
    ) -> tuple[Span, str] | None:
        match statement:
            case syntax.Variable():
                own.add(self._tables.locals[statement])
            case syntax.Assign(target=syntax.Name() as target):
                local = self._tables.locals.get(target)
                if local is None or local in own:
                    return None
                if not local.type.secret and local.type != ERROR:
                    return statement.span, f"assigns to `{local.name}`, which is clear"
                assigned[local] = None
            case syntax.If() if statement in self._tables.selections or _is_clear(statement, self._tables):
                for body in (*(branch.body for branch in statement.branches), statement.otherwise or ()):
                    found = self._culprit(body, own, assigned)
                    if found is not None:
                        return found
            case syntax.Pass():
                return None
            case _:
                return statement.span, "does more than assign to secret variables"
        return None

    def _effect(self, expression: Expression) -> Span | None:
        """The first call inside an expression that may be seen from outside."""
        for node in _walk(expression):
            if not isinstance(node, syntax.Call):
                continue
            resolved = self._tables.calls.get(node)
            pure = isinstance(resolved, OperatorCall | ObjectCall) or (
                isinstance(resolved, BuiltinCall) and not resolved.overload.effects
            )
            if not pure and (resolved is None or isinstance(resolved, FunctionCall | BuiltinCall)):
                return node.span
        return None


_CALLS = "calls what may be seen from outside"


def _is_clear(statement: syntax.If, tables: Tables) -> bool:
    return not any(tables.type_of(branch.condition).secret for branch in statement.branches)


def _expressions(statement: Statement) -> Iterator[Expression]:
    """The expressions of a statement itself, not of the blocks inside it."""
    match statement:
        case syntax.Variable(value=value):
            if value is not None:
                yield value
        case syntax.Assign(target=target, value=value):
            yield target
            yield value
        case syntax.Evaluate(value=value):
            yield value
        case syntax.If(branches=branches):
            for branch in branches:
                yield branch.condition
        case _:
            return


def _walk(expression: Expression) -> Iterator[Expression]:
    """An expression and everything inside it."""
    waiting: list[object] = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting.extend(node)
        elif dataclasses.is_dataclass(node) and not isinstance(node, Span):
            if isinstance(node, Expression):
                yield node
            waiting.extend(getattr(node, field.name) for field in dataclasses.fields(node))
