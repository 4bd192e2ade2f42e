"""Expressions, by precedence climbing.

From the loosest to the tightest:
or xor | and | not | == != < <= > >= in | + - | * / // % mod shl shr | - | ** | x() x[] x.y
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from . import syntax
from .cursor import Cursor
from .lexer import tokenize_expression, unescape
from .source import Span
from .syntax import Argument, Attribute, Binary, Call, Expression, Index, Name, Slice, Unary
from .tokens import Kind, Token

MAX_EXPRESSION_HEIGHT: Final = 100
"""How deep an expression may nest, operators and brackets together."""
MAX_ITEMS: Final = 4096
"""The most arguments of a call, and the most items of a list literal."""

_PRECEDENCE: Final = {
    "or": 1, "xor": 1, "and": 2,
    "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4,
    "+": 5, "-": 5,
    "*": 6, "/": 6, "//": 6, "%": 6, "mod": 6, "shl": 6, "shr": 6,
}  # fmt: skip
_BRACES: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}?|\}")
_NOT: Final = 3
_COMPARISON: Final = 4


class Expressions:
    """Parses expressions from a cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._depth = 0
        self._heights: dict[Expression, int] = {}

    def expression(self) -> Expression:
        """One expression; raises SyntaxFailure."""
        return self._operators(1)

    def _operators(self, loosest: int) -> Expression:
        self._descend()
        left = self._prefix(loosest)
        while (precedence := self._infix()) >= loosest:
            operator = self._cursor.take()
            word = operator.text
            if word == "not":
                self._cursor.expect("in", "after `not`")
                word = "not in"
            right = self._operators(precedence + 1)
            span = left.span.to(right.span)
            left = self._built(Binary(span, word, operator.span, left, right), left, right)
            if precedence == _COMPARISON and self._infix() == _COMPARISON:
                self._cursor.fail(
                    "comparisons do not chain",
                    code="E0204",
                    why="a < b < c would compare a bool with c",
                    fix="write `a < b and b < c`",
                )
        self._depth -= 1
        return left

    def _infix(self) -> int:
        token = self._cursor.token
        if self._cursor.at("not") and self._cursor.following().text == "in":
            return _COMPARISON
        return _PRECEDENCE.get(token.text, 0) if token.kind in (Kind.OPERATOR, Kind.KEYWORD) else 0

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > MAX_EXPRESSION_HEIGHT:
            self._too_deep(self._cursor.token.span)

    def _too_deep(self, span: Span) -> None:
        self._depth = 0
        self._cursor.fail(
            "this expression nests too deeply",
            code="E0208",
            why=f"the most is {MAX_EXPRESSION_HEIGHT} levels of operators and brackets",
            fix="give a part of it a name with `var`",
            span=span,
        )

    def _built(self, node: Expression, *children: Expression) -> Expression:
        """Record the height of a node, so that the later stages may recurse over it."""
        height = 1 + max((self._heights.get(child, 0) for child in children), default=0)
        if height > MAX_EXPRESSION_HEIGHT:
            self._too_deep(node.span)
        self._heights[node] = height
        return node

    def _prefix(self, loosest: int) -> Expression:
        cursor = self._cursor
        if (token := cursor.accept("-")) is not None:
            operand = self._operators(_PRECEDENCE["*"] + 1)
            return self._built(Unary(token.span.to(operand.span), "-", operand), operand)
        if cursor.at("not"):
            token = cursor.take()
            operand = self._operators(max(_NOT, loosest))
            return self._built(Unary(token.span.to(operand.span), "not", operand), operand)
        base = self._suffixes(self._atom())
        if (token := cursor.accept("**")) is None:
            return base
        exponent = self._operators(_PRECEDENCE["*"] + 1)
        span = base.span.to(exponent.span)
        return self._built(Binary(span, "**", token.span, base, exponent), base, exponent)

    def _atom(self) -> Expression:
        cursor = self._cursor
        token = cursor.token
        literal: Expression | None = None
        if token.kind is Kind.INTEGER and isinstance(token.value, int):
            literal = syntax.Integer(token.span, token.value, token.suffix)
        elif token.kind is Kind.FLOAT and isinstance(token.value, Fraction):
            literal = syntax.Float(token.span, token.value, token.suffix)
        elif token.kind is Kind.FORMAT:
            return self._format(cursor.take())
        elif token.kind is Kind.STRING and isinstance(token.value, str):
            literal = syntax.String(token.span, token.value)
        elif token.kind is Kind.NAME:
            literal = Name(token.span, token.text)
        elif cursor.at("True", "False"):
            literal = syntax.Boolean(token.span, token.text == "True")
        elif cursor.at("None"):
            literal = syntax.Nothing(token.span)
        if literal is not None:
            cursor.take()
            return literal
        if cursor.accept("("):
            inner = self.expression()
            cursor.expect(")", "after the expression")
            return inner
        if cursor.at("["):
            return self._list()
        if cursor.at("{"):
            return self._dictionary()
        return cursor.fail(f"expected an expression, found {token}", fix="write a value, a name or a call here")

    def _format(self, token: Token) -> Expression:
        """The parts of an f-string; each expression in braces is parsed where it stands in the source."""
        source = self._cursor.reporter.source
        raw, start = source.text[token.span.start + 2 : token.span.end - 1], token.span.start + 2
        parts: list[str | Expression] = []
        position = 0
        for match in _BRACES.finditer(raw):
            parts.append(unescape(raw[position : match.start()]))
            position = match.end()
            if match.group() in ("{{", "}}"):
                parts.append(match.group()[0])
                continue
            span = Span(start + match.start() + 1, start + match.end() - 1)
            if not match.group().endswith("}") or match.group() == "}" or not match.group()[1:-1].strip():
                why = "a brace opens an expression and its partner closes it"
                fix = "write `{{` or `}}` for a brace"
                place = Span(start + match.start(), start + match.end())
                self._cursor.fail("this f-string is not well formed", code="E0212", why=why, fix=fix, span=place)
            parts.append(self._inner(span))
            self._limit(len(parts), token.span)
        parts.append(unescape(raw[position:]))
        kept = tuple(part for part in parts if part != "")
        return self._built(syntax.FormatString(token.span, kept), *(p for p in kept if not isinstance(p, str)))

    def _inner(self, span: Span) -> Expression:
        """The expression between two braces."""
        cursor = Cursor(tokenize_expression(self._cursor.reporter, span), self._cursor.reporter)
        inner = Expressions(cursor)
        inner._depth, inner._heights = self._depth, self._heights
        expression = inner.expression()
        if not cursor.at_kind(Kind.END):
            cursor.fail(f"expected `}}`, found {cursor.token}", code="E0212", fix="one expression in each brace")
        return expression

    def _list(self) -> Expression:
        start = self._cursor.take().span
        items: list[Expression] = []
        while not self._cursor.at("]"):
            items.append(self.expression())
            if len(items) == 1 and self._cursor.at("for"):
                return self._comprehension(start, items[0])
            self._limit(len(items), start)
            if not self._cursor.accept(","):
                break
        end = self._cursor.expect("]", "after the last item").span
        return self._built(syntax.ListLiteral(start.to(end), tuple(items)), *items)

    def _comprehension(self, start: Span, value: Expression) -> Expression:
        cursor = self._cursor
        cursor.take()
        name = cursor.expect_kind(Kind.NAME, "the loop variable")
        cursor.expect("in", "after the loop variable")
        items = self.expression()
        if (dots := cursor.accept("..")) is not None:
            last = self.expression()
            ends = tuple(Argument(end.span, None, end) for end in (items, last))
            items = self._built(Call(items.span.to(last.span), Name(dots.span, "range"), ends), items, last)
        condition = self.expression() if cursor.accept("if") else None
        end = cursor.expect("]", "after the comprehension").span
        children = [child for child in (value, items, condition) if child is not None]
        node = syntax.Comprehension(start.to(end), value, name.text, name.span, items, condition)
        return self._built(node, *children)

    def _dictionary(self) -> Expression:
        cursor = self._cursor
        start = cursor.take().span
        items: list[tuple[Expression, Expression]] = []
        while not cursor.at("}"):
            key = self.expression()
            cursor.expect(":", "after the key")
            items.append((key, self.expression()))
            self._limit(len(items), start)
            if not cursor.accept(","):
                break
        end = cursor.expect("}", "after the last item").span
        children = [part for item in items for part in item]
        return self._built(syntax.DictLiteral(start.to(end), tuple(items)), *children)

    def _limit(self, count: int, span: Span) -> None:
        if count > MAX_ITEMS:
            self._cursor.fail(f"more than {MAX_ITEMS} items", code="E0208", fix="append them in a loop", span=span)

    def _suffixes(self, expression: Expression) -> Expression:
        cursor = self._cursor
        while True:
            if cursor.at("("):
                expression = self._call(expression)
            elif cursor.at("["):
                expression = self._index(expression)
            elif cursor.accept("."):
                name = cursor.expect_kind(Kind.NAME, "a name")
                span = expression.span.to(name.span)
                expression = self._built(Attribute(span, expression, name.text, name.span), expression)
            else:
                return expression

    def _call(self, function: Expression) -> Expression:
        start = self._cursor.take().span
        arguments: list[Argument] = []
        while not self._cursor.at(")"):
            arguments.append(self._argument())
            self._limit(len(arguments), start)
            if arguments[-1].name is None and any(argument.name for argument in arguments):
                why = "arguments are matched by position until the first name"
                span = arguments[-1].span
                self._cursor.reporter.error(
                    "E0211", span, "this argument needs a name", why=why, fix="give it a name, or move it forward"
                )
            if not self._cursor.accept(","):
                break
        end = self._cursor.expect(")", "after the last argument").span
        values = [argument.value for argument in arguments]
        return self._built(Call(function.span.to(end), function, tuple(arguments)), function, *values)

    def _argument(self) -> Argument:
        cursor = self._cursor
        token = cursor.token
        following = cursor.following()
        if token.kind is Kind.NAME and following.kind is Kind.OPERATOR and following.text in ("=", ":"):
            cursor.take()
            cursor.take()
            value = self.expression()
            return Argument(token.span.to(value.span), token.text, value)
        value = self.expression()
        return Argument(value.span, None, value)

    def _index(self, expression: Expression) -> Expression:
        cursor = self._cursor
        cursor.take()
        start = None if cursor.at(":") else self.expression()
        if start is not None and not cursor.at(":"):
            end = cursor.expect("]", "after the index").span
            return self._built(Index(expression.span.to(end), expression, start), expression, start)
        cursor.expect(":", "in the slice")
        stop = None if cursor.at("]", ":") else self.expression()
        step = self.expression() if cursor.accept(":") and not cursor.at("]") else None
        end = cursor.expect("]", "after the slice").span
        children = [child for child in (expression, start, stop, step) if child is not None]
        return self._built(Slice(expression.span.to(end), expression, start, stop, step), *children)
