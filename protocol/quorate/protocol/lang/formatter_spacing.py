"""Where a space stands between two words, and how far a line inside brackets is indented."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from .tokens import Kind, Token

_CLOSERS: Final = (")", "]", "}")
_OPENERS: Final = ("(", "[", "{")
_TIGHT: Final = (".", "..")
_PREFIXES: Final = ("-", "+", "*", "**")
_CONSTANTS: Final = ("True", "False", "None")


@dataclasses.dataclass(slots=True)
class _Bracket:
    """An open bracket; `margin` is that of its line, `annotated` that a `:` came since its last comma."""

    text: str
    margin: int
    annotated: bool = False


class Spacing:
    """The state of one program from its first line to its last: which brackets are open, what came before."""

    def __init__(self) -> None:
        self._brackets: list[_Bracket] = []
        self._margin = 0
        self._previous: Token | None = None
        self._prefix = False
        self._member = False

    def begin(self, depth: int) -> None:
        """A logical line begins, inside of `depth` blocks."""
        self._brackets.clear()
        self._margin = depth
        self._previous = None
        self._prefix = False

    def margin(self, *, closing: int) -> int:
        """The indentation of the line that begins now, whose first `closing` words close brackets."""
        if self._brackets:
            closed = self._brackets[-min(closing, len(self._brackets))] if closing else None
            self._margin = closed.margin if closed is not None else self._brackets[-1].margin + 1
        return self._margin

    def words(self, tokens: Sequence[Token]) -> str:
        """The words of one line with the space between them."""
        parts: list[str] = []
        for index, token in enumerate(tokens):
            if index and self._is_spaced(token):
                parts.append(" ")
            parts.append(token.text)
            self._pass(token)
        return "".join(parts)

    def _pass(self, token: Token) -> None:
        """Note that `token` has been written."""
        previous = self._previous
        self._prefix = token.text in _PREFIXES and token.kind is Kind.OPERATOR and not self._ends_operand(previous)
        self._member = previous is not None and previous.kind is Kind.OPERATOR and previous.text == "."
        if token.kind is Kind.OPERATOR:
            if token.text in _OPENERS:
                self._brackets.append(_Bracket(token.text, self._margin))
            elif token.text in _CLOSERS and self._brackets:
                self._brackets.pop()
            elif token.text in (",", ":") and self._brackets:
                self._brackets[-1].annotated = token.text == ":"
        self._previous = token

    def _ends_operand(self, token: Token | None) -> bool:
        """Whether an operator behind `token` has a left operand."""
        if token is None:
            return False
        if token.kind is Kind.OPERATOR:
            return token.text in _CLOSERS
        return token.kind is not Kind.KEYWORD or token.text in _CONSTANTS or self._member

    def _is_spaced(self, token: Token) -> bool:
        previous = self._previous
        assert previous is not None  # only asked from the second word on
        before = previous.text if previous.kind is Kind.OPERATOR else ""
        after = token.text if token.kind is Kind.OPERATOR else ""
        if before in _OPENERS or after in (*_CLOSERS, ",", ":", *_TIGHT) or before in _TIGHT or self._prefix:
            return False
        if before == ":":
            return not (self._brackets and self._brackets[-1].text == "[")
        if after in ("(", "["):
            return not self._ends_operand(previous)
        if "=" in (before, after):
            return not self._names_argument()
        return True

    def _names_argument(self) -> bool:
        """Whether a `=` here stands between an argument and its name."""
        return bool(self._brackets) and self._brackets[-1].text == "(" and not self._brackets[-1].annotated
