"""Text to tokens: indentation becomes INDENT and DEDENT, brackets join lines, comments vanish.

The lexer never stops at an error: it reports and goes on behind the offending character.
"""

from __future__ import annotations

import difflib
import re
from fractions import Fraction
from typing import Final

from .diagnostics import Reporter
from .source import Span
from .tokens import KEYWORDS, OPERATORS, Kind, Token

MAX_SOURCE_CHARACTERS: Final = 1 << 18
"""The longest source text of one file."""
MAX_FRACTION_CHARACTERS: Final = 64
"""The longest number with a fraction."""
MAX_EXPONENT: Final = 40
"""The largest exponent of ten."""

_INTEGERS: Final = {
    f"{sign}{bits}": f"{word}{bits}" for sign, word in (("i", "int"), ("u", "uint")) for bits in (8, 16, 32, 64)
}
NUMBER_SUFFIXES: Final = {
    **_INTEGERS,
    **{name: name for name in _INTEGERS.values()},
    "fix32": "fix32",
    "fix64": "fix64",
    "f64": "float",
    "float": "float",
}
"""Suffixes that say a number's type: `1u8` is a uint8."""

_NUMBER = re.compile(
    r"(?P<digits>0[xX][0-9a-fA-F_]*|0[oO][0-9_]*|0[bB][0-9_]*|[0-9][0-9_]*)"
    r"(?P<fraction>\.[0-9][0-9_]*)?(?P<exponent>(?<![xX])[eE][+-]?[0-9]+)?(?P<suffix>[A-Za-z_][A-Za-z0-9_]*)?"
)
_BLANK_LINE = re.compile(r"[ \t\r]*(#[^\n]*)?(\n|\Z)")
_NEXT_FUNCTION = re.compile(r"def [A-Za-z_]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile("|".join(re.escape(operator) for operator in OPERATORS))
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "'": "'"}
_PARTNER: Final = {")": "(", "]": "[", "}": "{"}


def tokenize(reporter: Reporter, part: Span | None = None) -> list[Token]:
    """The tokens of the reporter's source, or a part of it, ending with END; errors go to the reporter."""
    return _Lexer(reporter, part or Span(0, len(reporter.source.text))).run()


def tokenize_expression(reporter: Reporter, part: Span) -> list[Token]:
    """The tokens of an expression inside a string, ending with END."""
    lexer = _Lexer(reporter, part)
    return [token for token in lexer.run(inside=True) if token.kind is not Kind.NEWLINE]


class _Lexer:
    def __init__(self, reporter: Reporter, part: Span) -> None:
        self._reporter = reporter
        self._text = reporter.source.text[: part.end]
        self._start = self._position = part.start
        self._tokens: list[Token] = []
        self._indents = [0]
        self._brackets: list[Token] = []

    def run(self, *, inside: bool = False) -> list[Token]:
        if len(self._text) - self._start > MAX_SOURCE_CHARACTERS:
            self._reporter.error(
                "E0108",
                Span(self._start, self._start + 1),
                f"the source has {len(self._text) - self._start} characters",
                why=f"the most is {MAX_SOURCE_CHARACTERS}",
                fix="split the program",
            )
            self._text = ""
        if (half := _SURROGATE.search(self._text, self._start)) is not None:
            why = "half of a surrogate pair stands for no character"
            span = Span(half.start(), half.end())
            self._reporter.error("E0101", span, "this is not Unicode text", why=why, fix="save the file as UTF-8")
            self._text = ""
        at_line_start = not inside
        while self._position < len(self._text):
            if at_line_start and not self._brackets and self._blank_line():
                continue
            if at_line_start and not self._brackets:
                self._indentation()
            at_line_start = self._token()
        self._finish()
        return self._tokens

    def _finish(self) -> None:
        end = Span(len(self._text), len(self._text))
        self._give_up_brackets()
        if self._tokens and self._tokens[-1].kind is not Kind.NEWLINE:
            self._tokens.append(Token(Kind.NEWLINE, "", end))
        for _ in self._indents[1:]:
            self._tokens.append(Token(Kind.DEDENT, "", end))
        self._tokens.append(Token(Kind.END, "", end))

    def _error(self, code: str, span: Span, message: str, *, why: str, fix: str) -> None:
        """Report an error, and spare its line the syntax errors that follow from it."""
        self._reporter.error(code, span, message, why=why, fix=fix)
        start = self._text.rfind("\n", 0, span.start) + 1
        end = self._text.find("\n", span.end)
        self._reporter.mute(Span(start, len(self._text) if end < 0 else end))

    def _give_up_brackets(self) -> None:
        """Report the brackets that are still open, here where they cannot be any more."""
        for bracket in self._brackets:
            self._reporter.error(
                "E0109", bracket.span, f"{bracket} is never closed", why="its partner is missing", fix="close it"
            )
            self._reporter.mute(Span(bracket.span.start, self._position))
        self._brackets.clear()

    def _blank_line(self) -> bool:
        """Skip one line of nothing but spaces and a comment."""
        match = _BLANK_LINE.match(self._text, self._position)
        if match is None:
            return False
        self._position = match.end()
        return True

    def _indentation(self) -> None:
        start = self._position
        while self._position < len(self._text) and self._text[self._position] in " \t":
            self._position += 1
        span = Span(start, self._position)
        width = self._position - start
        if "\t" in self._text[start : self._position]:
            why = "a tab has no width that everyone agrees on"
            self._reporter.error("E0103", span, "a tab in the indentation", why=why, fix="indent with spaces")
        if width > self._indents[-1]:
            self._indents.append(width)
            self._tokens.append(Token(Kind.INDENT, "", span))
            return
        while len(self._indents) > 1 and width <= self._indents[-2]:
            self._indents.pop()
            self._tokens.append(Token(Kind.DEDENT, "", Span(self._position, self._position)))
        if width != self._indents[-1]:
            self._reporter.error(
                "E0104",
                Span(start, max(self._position, start + 1)),
                f"this line is indented by {width} spaces, which no open block is",
                why="a line that ends a block must begin where an outer block does",
                fix=f"indent it by {self._indents[-1]} spaces",
            )
            self._indents[-1] = width

    def _token(self) -> bool:
        """Read one token; True at the end of a line."""
        text, start = self._text, self._position
        character = text[start]
        if character in " \t\r":
            self._position += 1
            return False
        if character == "#":
            end = text.find("\n", start)
            self._position = len(text) if end < 0 else end
            return False
        if character == "\n":
            self._position += 1
            if self._brackets and _NEXT_FUNCTION.match(text, self._position):
                self._give_up_brackets()
            if self._brackets:
                return False
            self._tokens.append(Token(Kind.NEWLINE, "", Span(start, start + 1)))
            return True
        self._word(character, start)
        return False

    def _word(self, character: str, start: int) -> None:
        if character == "f" and self._text[start + 1 : start + 2] in ('"', "'"):
            self._string(self._text[start + 1], start, prefix=1)
        elif (match := _NAME.match(self._text, start)) is not None:
            kind = Kind.KEYWORD if match.group() in KEYWORDS else Kind.NAME
            self._add(kind, match.group(), start)
        elif character.isascii() and character.isdigit():
            self._number(start)
        elif character in "\"'":
            self._string(character, start)
        elif (match := _OPERATOR.match(self._text, start)) is not None:
            self._operator(match.group(), start)
        else:
            self._position += 1
            self._error(
                "E0101",
                Span(start, start + 1),
                f"{character!r} begins no word of the language",
                why="names, numbers, strings and operators are made of ASCII characters",
                fix=_REPLACEMENTS.get(character, "remove it"),
            )

    def _add(
        self, kind: Kind, text: str, start: int, value: int | str | Fraction | None = None, suffix: str = ""
    ) -> Token:
        token = Token(kind, text, Span(start, start + len(text)), value, suffix)
        self._position = start + len(text)
        self._tokens.append(token)
        return token

    def _operator(self, text: str, start: int) -> None:
        token = self._add(Kind.OPERATOR, text, start)
        if text in "([{":
            self._brackets.append(token)
        elif text in _PARTNER:
            if self._brackets and self._brackets[-1].text == _PARTNER[text]:
                self._brackets.pop()
                return
            why = "the innermost open bracket is of another kind, or there is none"
            self._error("E0109", token.span, f"{token} closes nothing", why=why, fix="remove it")
            self._tokens.pop()

    def _number(self, start: int) -> None:
        match = _NUMBER.match(self._text, start)
        assert match is not None  # it begins with a digit
        text, suffix = match.group(), match["suffix"] or ""
        span = Span(start, match.end())
        digits = match["digits"].replace("_", "").lower()
        if suffix and suffix not in NUMBER_SUFFIXES:
            close = difflib.get_close_matches(suffix, NUMBER_SUFFIXES, n=1)
            why = f"the suffixes are {', '.join(NUMBER_SUFFIXES)}"
            fix = f"did you mean `{close[0]}`?" if close else "remove the suffix"
            self._error("E0106", span, f"the suffix `{suffix}` is unknown", why=why, fix=fix)
        kind = NUMBER_SUFFIXES.get(suffix, "")
        if match["fraction"] or match["exponent"] or kind in ("fix32", "fix64", "float"):
            self._fraction(match, start, kind)
            return
        base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2], 10)
        try:
            value = int(digits[2:] if base != 10 else digits, base) if len(digits) <= 80 else 1 << 200
        except ValueError:
            why = f"its digits must be those of base {base}"
            self._error("E0105", span, f"`{text}` is not a number", why=why, fix="correct the digits")
            value = 0
        self._add(Kind.INTEGER, text, start, value, kind)

    def _fraction(self, match: re.Match[str], start: int, kind: str) -> None:
        text, exponent = match.group(), match["exponent"] or ""
        value = Fraction(0)
        if len(text) > MAX_FRACTION_CHARACTERS or abs(int(exponent[1:] or 0)) > MAX_EXPONENT:
            why = f"the most is {MAX_FRACTION_CHARACTERS} characters and an exponent of {MAX_EXPONENT}"
            self._error("E0105", Span(start, match.end()), "this number is too long", why=why, fix="round it")
        elif match["digits"][:2].lower() in ("0x", "0o", "0b"):
            why = "a number with a fraction is decimal"
            self._error(
                "E0105", Span(start, match.end()), f"`{text}` is not a number", why=why, fix="use decimals"
            )
        else:
            value = Fraction(f"{match['digits']}{match['fraction'] or ''}{exponent}".replace("_", ""))
        self._add(Kind.FLOAT, text, start, value, kind)

    def _string(self, quote: str, start: int, *, prefix: int = 0) -> None:
        kind = Kind.FORMAT if prefix else Kind.STRING
        match = _STRING.match(self._text, start + prefix)
        if match is None:
            end = self._text.find("\n", start)
            end = len(self._text) if end < 0 else end
            why = "a string ends on the line it begins on"
            self._error("E0102", Span(start, end), "this string has no end", why=why, fix=f"add {quote}")
            self._add(kind, self._text[start:end], start, "")
            line = self._text.rfind("\n", 0, start)  # the string has swallowed the ends of its line's brackets
            self._brackets = [bracket for bracket in self._brackets if bracket.span.start < line]
            return
        self._check_escapes(match)
        raw = match.group()
        self._add(kind, self._text[start : match.end()], start, unescape(raw[1:-1]))

    def _check_escapes(self, match: re.Match[str]) -> None:
        raw = match.group()
        for escape in _ESCAPE.finditer(raw[1:-1]):
            if escape.group(1) not in _ESCAPES:
                place = match.start() + 1 + escape.start()
                self._error(
                    "E0107",
                    Span(place, place + 2),
                    f"`{escape.group()}` is not an escape",
                    why="a backslash begins an escape",
                    fix="use \\n, \\t, \\\\, \\\" or \\'",
                )


def unescape(text: str) -> str:
    """The text that a string literal stands for, without its quotes; an unknown escape vanishes."""
    return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape.group(1), ""), text)


_REPLACEMENTS: Final = {
    "&": "use `and`",
    "|": "use `or`",
    "^": "use `xor`",
    "~": "use `not`",
    "!": "use `not`, or `!=`",
    ";": "put each statement on its own line",
    "?": "use `select(condition, a, b)` or `if`",
}
