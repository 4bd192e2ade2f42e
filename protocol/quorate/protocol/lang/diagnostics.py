"""What is wrong with a program, as data: a code, a place, what happened, why, and what to do.

The first digit after E says which stage found it: 1 lexer, 2 parser, 3 names, 4 types, 5 secrecy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from quorate.protocol.errors import ProgramError

from .source import Source, Span

MAX_DIAGNOSTICS: Final = 50
"""The most errors that one run reports."""

CODES: Final[dict[str, str]] = {
    "E0101": "a character that no token begins with",
    "E0102": "a string without its end",
    "E0103": "a tab in the indentation",
    "E0104": "a dedent to no open block",
    "E0105": "a malformed number",
    "E0106": "an unknown number suffix",
    "E0107": "an unknown escape in a string",
    "E0108": "a source that is too large",
    "E0109": "a bracket without its partner",
    "E0201": "something else was expected here",
    "E0202": "a block was expected",
    "E0203": "an indentation that opens no block",
    "E0204": "chained comparisons",
    "E0205": "a target that cannot be assigned to",
    "E0206": "a variable without a value",
    "E0207": "a parameter without a default after one with",
    "E0208": "nesting that is too deep",
    "E0209": "a statement outside a function",
    "E0210": "a construct of another language",
    "E0211": "an argument without a name after one with",
    "E0212": "an f-string that is not well formed",
    "E0213": "a declaration without members",
    "E0301": "an unknown name",
    "E0302": "a name defined twice",
    "E0303": "an unknown type",
    "E0304": "an unknown function or method",
    "E0305": "a function used as a value",
    "E0306": "break or continue outside a loop",
    "E0307": "an assignment to an undeclared variable",
    "E0308": "a member that is refused on purpose",
    "E0309": "too many functions, parameters or registers",
    "E0310": "an unknown module, or one that imports itself",
    "E0311": "an unknown field",
    "E0312": "a type that contains itself",
    "E0313": "type parameters that a call leaves open, or too many versions of a function",
    "E0314": "a closure of something that cannot be one",
    "E0401": "a value of the wrong type",
    "E0402": "an operator that its operands do not have",
    "E0403": "the wrong number of arguments",
    "E0404": "an unknown or repeated argument name",
    "E0405": "a path without a return",
    "E0406": "a condition that is not a bool",
    "E0407": "an index into something that is no list",
    "E0408": "a loop over something that is no list",
    "E0409": "an empty list of unknown type",
    "E0410": "list elements of different types",
    "E0412": "a returned value in a function without a result",
    "E0413": "a value where there is none",
    "E0415": "a number outside its type",
    "E0416": "a pattern that matches nothing",
    "E0417": "a key of a type that cannot be one",
    "E0501": "a branch on a secret",
    "E0502": "a secret index",
    "E0503": "a secret in print",
    "E0504": "a secret in a clear variable",
    "E0505": "a secret returned as a clear value",
    "E0506": "a secret argument for a clear parameter",
    "E0507": "an assertion about a secret",
    "E0508": "a secret loop bound",
    "E0509": "an operator that secrets do not have",
    "E0510": "a secret in a clear list",
    "E0511": "a condition beside a secret one that does more than compute",
}
"""Every code and what it stands for."""


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error: `message` says what happened, `explanation` why it is one, `suggestion` what to do."""

    code: str
    span: Span
    line: int
    column: int
    message: str
    explanation: str = ""
    suggestion: str = ""


class CompileErrors(ProgramError):
    """The program does not compile; `diagnostics` are in the order of the source."""

    def __init__(self, diagnostics: Sequence[Diagnostic], source: Source) -> None:
        self.diagnostics = tuple(sorted(diagnostics, key=lambda one: (one.span.start, one.code)))
        self.source = source
        first = self.diagnostics[0]
        count = len(self.diagnostics)
        more = "" if count == 1 else f" (and {count - 1} more)"
        where = f"{source.file_at(first.span.start)}:{first.line}:{first.column}"
        super().__init__(f"{where}: {first.code}: {first.message}{more}")

    def render(self) -> str:
        """All errors for people, each with its source line and a caret."""
        return "\n\n".join(_render(diagnostic, self.source) for diagnostic in self.diagnostics) + "\n"


def _render(diagnostic: Diagnostic, source: Source) -> str:
    text, filename = source.line_at(diagnostic.span.start), source.file_at(diagnostic.span.start)
    width = max(1, min(diagnostic.span.end - diagnostic.span.start, len(text) - diagnostic.column + 1))
    margin = " " * len(str(diagnostic.line))
    pad = "".join(character if character == "\t" else " " for character in text[: diagnostic.column - 1])
    lines = [
        f"{filename}:{diagnostic.line}:{diagnostic.column}: error {diagnostic.code}: {diagnostic.message}",
        f" {margin} |",
        f" {diagnostic.line} | {text}",
        f" {margin} | {pad}{'^' * width}",
    ]
    if diagnostic.explanation:
        lines.append(f" {margin} = {diagnostic.explanation}")
    if diagnostic.suggestion:
        lines.append(f" {margin} = help: {diagnostic.suggestion}")
    return "\n".join(lines)


class TooManyErrors(Exception):
    """Raised inside the compiler when there is no room for another error."""


class Reporter:
    """Collects the errors of one run."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self._muted: list[Span] = []

    def mute(self, span: Span) -> None:
        """Report no syntax error that begins in `span`: the lexer has reported what causes it."""
        self._muted.append(span)

    def error(self, code: str, span: Span, message: str, *, why: str = "", fix: str = "") -> None:
        """Report an error; one place is reported once a stage. Raises TooManyErrors beyond MAX_DIAGNOSTICS."""
        if code not in CODES:
            raise AssertionError(f"{code} is not a diagnostic code")
        if any(known.span.start == span.start and known.code[:3] == code[:3] for known in self.diagnostics):
            return
        if code.startswith("E02") and any(muted.start <= span.start <= muted.end for muted in self._muted):
            return
        line, column = self.source.position(span.start)
        self.diagnostics.append(Diagnostic(code, span, line, column, message, why, fix))
        if len(self.diagnostics) >= MAX_DIAGNOSTICS:
            raise TooManyErrors

    def check(self) -> None:
        """Raise CompileErrors if anything was reported."""
        if self.diagnostics:
            raise CompileErrors(self.diagnostics, self.source)
