"""The parser's view of the tokens: look, take, expect; and the exception that unwinds to a place of recovery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from .diagnostics import Reporter
from .source import Span
from .tokens import FOREIGN, Kind, Token


class SyntaxFailure(Exception):
    """Parsing cannot go on here; the error has been reported."""


class Cursor:
    """A position in the tokens of one source."""

    def __init__(self, tokens: Sequence[Token], reporter: Reporter) -> None:
        self._tokens = tokens
        self._index = 0
        self.reporter = reporter

    @property
    def token(self) -> Token:
        """The next token."""
        return self._tokens[self._index]

    @property
    def previous(self) -> Token:
        """The token before the next one."""
        return self._tokens[max(0, self._index - 1)]

    def following(self) -> Token:
        """The token behind the next one."""
        return self._tokens[min(self._index + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Go past the next token; END is never passed."""
        token = self.token
        if token.kind is not Kind.END:
            self._index += 1
        return token

    def ends_with_colon(self) -> bool:
        """Whether the rest of the line ends with a colon."""
        index = self._index
        while self._tokens[index].kind not in (Kind.NEWLINE, Kind.END):
            index += 1
        return index > 0 and self._tokens[index - 1].text == ":"

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these keywords or operators."""
        token = self.token
        return token.text in texts and token.kind in (Kind.KEYWORD, Kind.OPERATOR)

    def at_kind(self, *kinds: Kind) -> bool:
        """Whether the next token is of one of these kinds."""
        return self.token.kind in kinds

    def accept(self, *texts: str) -> Token | None:
        """Take the next token if it is one of these keywords or operators."""
        return self.take() if self.at(*texts) else None

    def expect(self, text: str, where: str, *, fix: str = "") -> Token:
        """Take `text`, or report that it is missing."""
        token = self.accept(text)
        if token is None:
            self.fail(f"expected `{text}` {where}, found {self.token}", fix=fix or f"write `{text}` here")
        return token

    def expect_kind(self, kind: Kind, what: str) -> Token:
        """Take a token of `kind`, or report that it is missing."""
        if self.token.kind is not kind:
            self.fail(f"expected {what}, found {self.token}", fix=f"write {what} here")
        return self.take()

    def fail(
        self, message: str, *, code: str = "E0201", why: str = "", fix: str = "", span: Span | None = None
    ) -> NoReturn:
        """Report an error at the next token, or at `span`, and unwind."""
        token = self.token
        if code == "E0201" and token.kind is Kind.NAME and token.text in FOREIGN:
            message, code, fix = f"`{token.text}` is not part of the language", "E0210", FOREIGN[token.text]
        place = span or (
            token.span if token.span.end > token.span.start else Span(token.span.start, token.span.start)
        )
        self.reporter.error(code, place, message, why=why, fix=fix)
        raise SyntaxFailure
