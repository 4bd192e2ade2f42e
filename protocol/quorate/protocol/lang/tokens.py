"""The words of the language."""

from __future__ import annotations

import dataclasses
import enum
from fractions import Fraction
from typing import Final

from .source import Span


class Kind(enum.Enum):
    """What a token is."""

    NAME = "a name"
    INTEGER = "an integer"
    FLOAT = "a number"
    STRING = "a string"
    FORMAT = "an f-string"
    KEYWORD = "a keyword"
    OPERATOR = "an operator"
    NEWLINE = "the end of the line"
    INDENT = "an indentation"
    DEDENT = "the end of the block"
    END = "the end of the file"


@dataclasses.dataclass(frozen=True, slots=True)
class Token:
    """A word: `text` as written, `value` of a literal, `suffix` of a number."""

    kind: Kind
    text: str
    span: Span
    value: int | str | Fraction | None = None
    suffix: str = ""

    def __str__(self) -> str:
        if self.kind in (Kind.NEWLINE, Kind.INDENT, Kind.DEDENT, Kind.END):
            return str(self.kind.value)
        return f"`{self.text}`" if len(self.text) <= 40 else str(self.kind.value)


KEYWORDS: Final = frozenset(
    [
        "def",
        "var",
        "if",
        "elif",
        "else",
        "while",
        "for",
        "in",
        "break",
        "continue",
        "return",
        "assert",
        "pass",
        "discard",
        "and",
        "or",
        "xor",
        "not",
        "shl",
        "shr",
        "mod",
        "True",
        "False",
        "None",
        "secret",
    ]
)
"""Names with a meaning of their own."""

FOREIGN: Final[dict[str, str]] = {
    "class": "there are no classes; use `object` for the fields, and functions",
    "struct": "use `object`",
    "from": "use `import module`",
    "del": "use `delete(items, index)`",
    "lambda": "there are no function values; write a `def`",
    "try": "a failure ends the program; check with `if` beforehand",
    "except": "a failure ends the program; check with `if` beforehand",
    "raise": 'use `assert False, "message"`',
    "with": "there is nothing to close; call the function directly",
    "yield": "return a list instead",
    "async": "rounds are scheduled by the engine; write straight-line code",
    "await": "rounds are scheduled by the engine; write straight-line code",
    "global": "there are no global variables; pass the value as an argument",
    "let": "use `var`",
    "const": "use `var`",
}
"""Words that begin a construct which the language does not have, and what to write instead."""

OPERATORS: Final = (
    "->", "..", "**", "==", "!=", "<=", ">=", "+=", "-=", "*=", "//=", "/=", "%=", "//",
    "+", "-", "*", "/", "%", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".",
)  # fmt: skip
"""Operators and punctuation, longer ones first where one begins another."""
