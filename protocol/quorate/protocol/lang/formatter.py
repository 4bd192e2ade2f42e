"""The one way to lay a program out: blocks by two spaces, one space around operators, at most two blank lines.

The formatter works on the tokens and not on the syntax tree: what it prints are the tokens that it read, in their
order, with other white space between them. So it keeps every comment and every literal as written, and words that
the lexer learns later pass through it unharmed. It ends by reading its own output and comparing the tokens.

Line breaks stay where they are, also inside brackets; a line that is too long is not broken.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from .diagnostics import Reporter
from .formatter_spacing import Spacing
from .lexer import tokenize
from .source import Source
from .tokens import Kind, Token

INDENT: Final = "  "
"""One level of indentation."""
MAX_BLANK_LINES: Final = 2
"""The most blank lines in a row at the top level; one inside of a block."""
_INVISIBLE: Final = (Kind.NEWLINE, Kind.INDENT, Kind.DEDENT, Kind.END)


def format_source(text: str, filename: str) -> str:
    """`text` in the house layout, the same text when it is there already; ends with one newline, or is empty.

    Raises CompileErrors when the text has words that are none: then nothing can be said about its layout.
    """
    text = text.replace("\r\n", "\n")
    tokens = _tokens(text, filename)
    formatted = _Layout(text, tokens).run()
    if _words(_tokens(formatted, filename)) != _words(tokens):
        raise AssertionError(f"formatting {filename} would change the program")
    return formatted


def _tokens(text: str, filename: str) -> list[Token]:
    reporter = Reporter(Source(text, filename))
    tokens = tokenize(reporter)
    reporter.check()
    return tokens


def _words(tokens: Sequence[Token]) -> list[tuple[Kind, str]]:
    return [(token.kind, token.text) for token in tokens]


@dataclasses.dataclass(slots=True)
class _Line:
    """One line of the source: its tokens, its comment, and how the layout places it.

    `column` is where it began, `comment_column` where its comment did. `depth` counts blocks; it is None for a
    comment alone, which is placed by what surrounds it. `continues` says that a bracket of an earlier line is open.
    """

    number: int
    column: int
    tokens: list[Token]
    comment: str = ""
    comment_column: int = 0
    depth: int | None = None
    continues: bool = False


class _Layout:
    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._spacing = Spacing()
        self._output: list[str] = []
        self._comments_at: dict[int, _Line] = {}

    def run(self) -> str:
        lines = self._lines()
        self._place_comments(lines)
        previous: _Line | None = None
        for index, line in enumerate(lines):
            self._blank_lines(previous, line, lines[index + 1 :])
            self._write(line)
            previous = line
        self._append_comments()
        return "".join(f"{line}\n" for line in self._output)

    def _lines(self) -> list[_Line]:
        """The lines that are not blank, in order."""
        starts = [0, *(index + 1 for index, character in enumerate(self._text) if character == "\n")]
        lines: dict[int, _Line] = {}
        depth, opened, number = 0, 0, 0
        end = 0
        for token in self._tokens:
            self._comments(end, token.span.start, number, starts, lines, inside=opened > 0)
            end = max(end, token.span.end)
            if token.kind in _INVISIBLE:
                depth += {Kind.INDENT: 1, Kind.DEDENT: -1}.get(token.kind, 0)
                continue
            while number + 1 < len(starts) and starts[number + 1] <= token.span.start:
                number += 1
            if number not in lines:
                column = token.span.start - starts[number]
                lines[number] = _Line(number, column, [], depth=depth, continues=opened > 0)
            lines[number].tokens.append(token)
            if token.kind is Kind.OPERATOR:
                opened += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.text, 0)
        self._comments(end, len(self._text), number, starts, lines, inside=False)
        return [lines[number] for number in sorted(lines)]

    def _comments(
        self, start: int, end: int, number: int, starts: Sequence[int], lines: dict[int, _Line], *, inside: bool
    ) -> None:
        """Find the comments between two tokens: nothing else can hold a `#` there."""
        position = self._text.find("#", start, end)
        while position >= 0:
            stop = self._text.find("\n", position)
            stop = len(self._text) if stop < 0 else stop
            while number + 1 < len(starts) and starts[number + 1] <= position:
                number += 1
            line = lines.setdefault(number, _Line(number, position - starts[number], [], continues=inside))
            line.comment = self._text[position:stop].rstrip()
            line.comment_column = position - starts[number]
            position = self._text.find("#", stop, end)

    def _place_comments(self, lines: Sequence[_Line]) -> None:
        """Give a comment alone on its line the depth of a block that is open there, by the column it stands at."""
        open_columns = [0]
        following = self._following_depths(lines)
        for line, after in zip(lines, following, strict=True):
            if line.continues:
                continue
            if line.depth is not None:
                del open_columns[line.depth :]
                open_columns.extend([line.column] * (line.depth + 1 - len(open_columns)))
                continue
            before = len(open_columns) - 1
            line.depth = after
            if after < before:
                fitting = [depth for depth in range(after, before + 1) if open_columns[depth] <= line.column]
                line.depth = max(fitting, default=after)

    @staticmethod
    def _following_depths(lines: Sequence[_Line]) -> list[int]:
        """For each line the depth of the next line of code, itself included."""
        depths, depth = [], 0
        for line in reversed(lines):
            if line.depth is not None and not line.continues:
                depth = line.depth
            depths.append(depth)
        return depths[::-1]

    def _blank_lines(self, previous: _Line | None, line: _Line, rest: Sequence[_Line]) -> None:
        if previous is None:
            return
        top = line.depth == 0 and not line.continues
        count = min(line.number - previous.number - 1, MAX_BLANK_LINES if top else 1)
        if top and count == 0 and previous.depth != 0 and _heads_function(line, rest):
            count = 1
        self._output.extend([""] * count)

    def _write(self, line: _Line) -> None:
        closing = 0
        for token in line.tokens:
            if token.kind is not Kind.OPERATOR or token.text not in ")]}":
                break
            closing += 1
        if not line.continues:
            assert line.depth is not None  # comments have been placed
            self._spacing.begin(line.depth)
        margin = self._spacing.margin(closing=closing)
        if line.comment and line.tokens:
            self._comments_at[len(self._output)] = line
        self._output.append(INDENT * margin + (self._spacing.words(line.tokens) or line.comment))

    def _append_comments(self) -> None:
        """Put comments behind their lines by two spaces, and below one another where they were."""
        run: list[int] = []
        for index, line in self._comments_at.items():
            if run and (run[-1] != index - 1 or self._comments_at[run[-1]].comment_column != line.comment_column):
                self._align(run)
                run = []
            run.append(index)
        self._align(run)

    def _align(self, run: Sequence[int]) -> None:
        width = max((len(self._output[index]) for index in run), default=0)
        for index in run:
            self._output[index] = f"{self._output[index]:<{width}}  {self._comments_at[index].comment}"


def _heads_function(line: _Line, rest: Sequence[_Line]) -> bool:
    """Whether the line begins a function, or the comment right above one."""
    for candidate in (line, *rest):
        if candidate.tokens:
            return candidate.tokens[0].text == "def"
    return False
