"""Tokens to a syntax tree; statements and functions.

After an error the parser skips to the end of the line, and past a block that hangs on it, and goes on, so that
one run reports several errors. It keeps the nesting of blocks and expressions below named maxima, so that the
stages behind it may recurse.
"""

from __future__ import annotations

from typing import Final, NoReturn

from . import syntax
from .cursor import Cursor, SyntaxFailure
from .declarations import Declaration, Declarations
from .diagnostics import Reporter
from .expressions import Expressions
from .lexer import tokenize
from .source import Span
from .syntax import Expression, Function, Module, Parameter, Statement, TypeName
from .tokens import FOREIGN, Kind, Token

MAX_BLOCK_DEPTH: Final = 32
"""How deep blocks may nest."""


def parse(reporter: Reporter, part: Span | None = None) -> Module:
    """The syntax tree of the reporter's source, or of the file at `part`; errors go to the reporter."""
    return _Parser(Cursor(tokenize(reporter, part), reporter)).module()


class _Parser:
    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._declarations = Declarations(cursor)
        self._type = self._declarations.type
        self._blocks = 0

    def _expression(self) -> Expression:
        return Expressions(self._cursor).expression()

    def module(self) -> Module:
        functions: list[Function] = []
        declared: list[Declaration] = []
        cursor = self._cursor
        while not cursor.at_kind(Kind.END):
            if cursor.at_kind(Kind.NEWLINE, Kind.DEDENT):
                cursor.take()
                continue
            try:
                if self._declarations.at_declaration():
                    declared.append(self._declarations.declaration())
                else:
                    functions.append(self._function() if cursor.at("def") else self._outside())
            except SyntaxFailure:
                self._recover(top=True)
        return Module(
            tuple(functions),
            tuple(one for one in declared if isinstance(one, syntax.ObjectType)),
            tuple(one for one in declared if isinstance(one, syntax.Enumeration)),
            tuple(one for one in declared if isinstance(one, syntax.Alias)),
            tuple(one for one in declared if isinstance(one, syntax.Import)),
        )

    def _outside(self) -> NoReturn:
        token = self._cursor.token
        if token.kind is Kind.INDENT:
            why = "only the body of a function or a statement is indented further than what precedes it"
            self._cursor.fail(
                "this line is indented, but opens no block", code="E0203", why=why, fix="unindent it"
            )
        if token.kind is Kind.NAME and token.text in FOREIGN:
            self._cursor.fail(f"expected `def`, found {token}")
        why = "a program is a list of functions; `main` is where it begins"
        self._cursor.fail(f"{token} is outside a function", code="E0209", why=why, fix="put it into a `def`")

    def _recover(self, *, top: bool = False) -> None:
        """Skip the rest of the line and a block that hangs on it; at top level, everything up to the next def."""
        cursor = self._cursor
        while not cursor.at_kind(Kind.NEWLINE, Kind.END, Kind.DEDENT, Kind.INDENT):
            cursor.take()
        if cursor.at_kind(Kind.NEWLINE):
            cursor.take()
        if cursor.at_kind(Kind.INDENT):
            depth = 0
            while not cursor.at_kind(Kind.END):
                depth += {Kind.INDENT: 1, Kind.DEDENT: -1}.get(cursor.take().kind, 0)
                if depth == 0:
                    break
        while top and not cursor.at_kind(Kind.END) and not cursor.at("def"):
            begins = cursor.previous.kind in (Kind.NEWLINE, Kind.DEDENT)
            if begins and self._declarations.at_declaration():
                break
            cursor.take()

    def _function(self) -> Function:
        cursor = self._cursor
        start = cursor.take().span
        name = cursor.expect_kind(Kind.NAME, "the name of the function")
        type_parameters: list[str] = []
        if cursor.accept("["):
            while not type_parameters or cursor.accept(","):
                type_parameters.append(cursor.expect_kind(Kind.NAME, "a type parameter").text)
            cursor.expect("]", "after the type parameters")
        cursor.expect("(", "after the name of the function")
        parameters: list[Parameter] = []
        while not cursor.at(")"):
            parameters.append(self._parameter())
            if len(parameters) > 1 and parameters[-2].variadic:
                cursor.fail("nothing follows a parameter that takes the rest", fix="move it to the end")
            last = parameters[-1]
            if last.default is None and not last.variadic and any(one.default for one in parameters):
                why = "arguments are matched from the left"
                span = parameters[-1].span
                cursor.reporter.error(
                    "E0207", span, "this parameter needs a default too", why=why, fix="add one, or move it forward"
                )
            if not cursor.accept(","):
                break
        cursor.expect(")", "after the last parameter")
        result = self._type() if cursor.accept("->") else None
        body = self._block("the function")
        span = start.to(cursor.previous.span)
        return Function(span, name.text, name.span, tuple(type_parameters), tuple(parameters), result, body)

    def _parameter(self) -> Parameter:
        cursor = self._cursor
        star = cursor.accept("*")
        name = cursor.expect_kind(Kind.NAME, "a parameter name")
        start = name.span if star is None else star.span
        if star is not None and not cursor.at(":"):
            return Parameter(start.to(name.span), name.text, TypeName(name.span, "int64"), None, variadic=True)
        cursor.expect(":", f"and a type after `{name.text}`", fix=f"write `{name.text}: int64`, or another type")
        annotation = self._type()
        default = self._expression() if star is None and cursor.accept("=") else None
        return Parameter(start.to(cursor.previous.span), name.text, annotation, default, variadic=star is not None)

    def _block(self, owner: str) -> tuple[Statement, ...]:
        """`:` and an indented block, or one simple statement on the same line."""
        cursor = self._cursor
        colon = cursor.expect(":", f"before the block of {owner}").span
        if not cursor.at_kind(Kind.NEWLINE):
            return (self._simple(),)
        cursor.take()
        if not cursor.at_kind(Kind.INDENT):
            why = "a block is indented further than the line that opens it"
            fix = "indent its statements, or write `pass`"
            cursor.fail(f"{owner} has no block", code="E0202", why=why, fix=fix, span=colon)
        cursor.take()
        self._blocks += 1
        if self._blocks > MAX_BLOCK_DEPTH:
            self._blocks = 0
            fix = "move the inner blocks into a function"
            cursor.fail(f"blocks nest deeper than {MAX_BLOCK_DEPTH}", code="E0208", fix=fix)
        statements = self._statements()
        self._blocks = max(0, self._blocks - 1)
        return tuple(statements)

    def _statements(self) -> list[Statement]:
        cursor = self._cursor
        statements: list[Statement] = []
        while not cursor.at_kind(Kind.DEDENT, Kind.END):
            depth, start = self._blocks, cursor.token.span
            try:
                if cursor.at_kind(Kind.INDENT):
                    why = "only a line that ends with `:` opens a block"
                    cursor.fail(
                        "this line is indented, but opens no block", code="E0203", why=why, fix="unindent it"
                    )
                statements.append(self._statement())
            except SyntaxFailure:
                self._blocks = depth
                statements.append(syntax.Evaluate(start, syntax.Broken(start)))
                self._recover()
        if cursor.at_kind(Kind.DEDENT):
            cursor.take()
        return statements

    def _statement(self) -> Statement:
        cursor = self._cursor
        if cursor.at("if"):
            return self._if()
        if cursor.at("while"):
            start = cursor.take().span
            condition = self._expression()
            return syntax.While(start.to(condition.span), condition, self._block("while"))
        if cursor.at("for"):
            return self._for()
        if cursor.at("def"):
            why = "functions are not values and are all at the outermost level"
            cursor.fail("a function inside a function", code="E0210", why=why, fix="move it out")
        if cursor.token.text == "match" and self._at_match():
            return self._match()
        if cursor.at("elif", "else"):
            cursor.fail(f"{cursor.token} belongs to no `if`", fix="align it with its `if`")
        return self._simple()

    def _at_match(self) -> bool:
        """Whether `match` begins a statement here: what follows could not follow a name."""
        cursor, following = self._cursor, self._cursor.following()
        if not cursor.at_kind(Kind.NAME):
            return False
        if following.kind in (Kind.NAME, Kind.INTEGER, Kind.STRING, Kind.FORMAT):
            return True
        return following.text in ("not", "(", "-") and cursor.ends_with_colon()

    def _match(self) -> Statement:
        cursor = self._cursor
        start = cursor.take().span
        subject = self._expression()
        colon = cursor.expect(":", "before the cases of `match`").span
        if cursor.at_kind(Kind.NEWLINE):
            cursor.take()
        if not cursor.at_kind(Kind.INDENT):
            why = "its cases stand below it, indented further"
            cursor.fail("`match` has no cases", code="E0202", why=why, fix="add `case _:`", span=colon)
        cursor.take()
        cases: list[syntax.Case] = []
        while not cursor.at_kind(Kind.DEDENT, Kind.END):
            cases.append(self._case())
        if cursor.at_kind(Kind.DEDENT):
            cursor.take()
        return syntax.Match(start.to(subject.span), subject, tuple(cases))

    def _case(self) -> syntax.Case:
        cursor = self._cursor
        token = cursor.token
        if token.kind is not Kind.NAME or token.text != "case":
            cursor.fail(f"expected `case`, found {token}", fix="write `case value:` or `case _:`")
        cursor.take()
        patterns: list[Expression] = []
        if cursor.token.text == "_" and cursor.at_kind(Kind.NAME):
            cursor.take()
        else:
            patterns.append(self._expression())
            while cursor.accept(","):
                patterns.append(self._expression())
        span = token.span.to(cursor.previous.span)
        return syntax.Case(span, tuple(patterns), self._block("`case`"))

    def _if(self) -> Statement:
        cursor = self._cursor
        start = cursor.token.span
        branches: list[syntax.Branch] = []
        while not branches or cursor.at("elif"):
            word = cursor.take()
            condition = self._expression()
            body = self._block(f"`{word.text}`")
            branches.append(syntax.Branch(word.span.to(condition.span), condition, body))
        otherwise = self._block("`else`") if cursor.accept("else") else None
        return syntax.If(start.to(branches[0].span), tuple(branches), otherwise)

    def _for(self) -> Statement:
        cursor = self._cursor
        start = cursor.take().span
        name = cursor.expect_kind(Kind.NAME, "the loop variable")
        cursor.expect("in", "after the loop variable")
        first = self._expression()
        span = start.to(first.span)
        if cursor.accept(".."):
            last = self._expression()
            return syntax.ForRange(span, name.text, name.span, first, last, None, self._block("for"))
        if (
            isinstance(first, syntax.Call)
            and isinstance(first.function, syntax.Name)
            and first.function.text == "range"
        ):
            return self._for_range(first, name, start)
        return syntax.ForEach(span, name.text, name.span, first, self._block("for"))

    def _for_range(self, call: syntax.Call, name: Token, start: Span) -> Statement:
        values = [argument.value for argument in call.arguments]
        if not 1 <= len(values) <= 3 or any(argument.name for argument in call.arguments):
            self._cursor.fail(
                "range takes one to three arguments without names",
                code="E0403",
                fix="write range(stop), range(start, stop) or range(start, stop, step)",
                span=call.span,
            )
        first = values[0] if len(values) > 1 else None
        stop = values[1] if len(values) > 1 else values[0]
        step = values[2] if len(values) > 2 else None
        return syntax.ForRange(start.to(call.span), name.text, name.span, first, stop, step, self._block("for"))

    def _simple(self) -> Statement:
        """A statement without a block, and the end of its line."""
        statement = self._simple_statement()
        cursor = self._cursor
        if cursor.at_kind(Kind.NEWLINE, Kind.END):
            cursor.take()
        else:
            cursor.fail(f"expected the end of the line, found {cursor.token}", fix="put it on a line of its own")
        return statement

    def _simple_statement(self) -> Statement:
        cursor = self._cursor
        token = cursor.token
        if cursor.accept("var"):
            return self._variable(token)
        if cursor.accept("return"):
            value = None if cursor.at_kind(Kind.NEWLINE) else self._expression()
            return syntax.Return(token.span.to(cursor.previous.span), value)
        if cursor.accept("break", "continue"):
            return syntax.Jump(token.span, token.text)
        if cursor.accept("pass"):
            return syntax.Pass(token.span)
        if cursor.accept("discard"):
            value = self._expression()
            return syntax.Evaluate(token.span.to(value.span), value)
        if cursor.accept("assert"):
            condition = self._expression()
            message = self._expression() if cursor.accept(",") else None
            return syntax.Assert(token.span.to(cursor.previous.span), condition, message)
        if (
            token.kind is Kind.NAME
            and token.text in FOREIGN
            and cursor.following().kind in (Kind.NAME, Kind.NEWLINE)
        ):
            cursor.fail(f"expected a statement, found {token}")
        return self._expression_statement()

    def _variable(self, start: Token) -> Statement:
        cursor = self._cursor
        name = cursor.expect_kind(Kind.NAME, "the name of the variable")
        annotation = self._type() if cursor.accept(":") else None
        if not cursor.accept("="):
            if annotation is not None and cursor.at_kind(Kind.NEWLINE, Kind.END):
                span = start.span.to(annotation.span)
                return syntax.Variable(span, name.text, name.span, annotation, None)
            if cursor.at_kind(Kind.NEWLINE):
                fix = f"write `var {name.text} = ...`, or `var {name.text}: type`"
                why = "its type would be unknown"
                span = name.span
                cursor.fail(f"`{name.text}` has no value", code="E0206", why=why, fix=fix, span=span)
            cursor.fail(f"expected `=` after the variable, found {cursor.token}", fix="write `=` and a value")
        value = self._expression()
        return syntax.Variable(start.span.to(value.span), name.text, name.span, annotation, value)

    def _expression_statement(self) -> Statement:
        cursor = self._cursor
        target = self._expression()
        operator = cursor.accept("=", "+=", "-=", "*=", "/=", "//=", "%=")
        if operator is None:
            return syntax.Evaluate(target.span, target)
        if not isinstance(target, syntax.Name | syntax.Index | syntax.Attribute):
            why = "only a variable, a field or an element can be assigned to"
            fix = "did you mean `==`?" if operator.text == "=" else "assign to a variable"
            cursor.fail("this cannot be assigned to", code="E0205", why=why, fix=fix, span=target.span)
        value = self._expression()
        arithmetic = operator.text[:-1] or None
        return syntax.Assign(target.span.to(value.span), target, arithmetic, operator.span, value)
