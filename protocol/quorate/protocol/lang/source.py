"""Source text and places in it."""

from __future__ import annotations

import bisect
import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """The characters from `start` up to, not including, `end`."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of `other`."""
        return Span(self.start, max(self.end, other.end))


@dataclasses.dataclass(frozen=True, slots=True)
class _File:
    name: str
    start: int
    lines: tuple[int, ...]


class Source:
    """Texts with names, one behind the other; lines and columns count from 1 in each, columns in characters."""

    def __init__(self, text: str, filename: str) -> None:
        self.text = ""
        self.filename = filename
        self._files: list[_File] = []
        self.add(text, filename)

    def add(self, text: str, filename: str) -> Span:
        """Append another file; the span of its text."""
        start = len(self.text) + (1 if self._files else 0)
        self.text += ("\n" if self._files else "") + text
        lines = (start, *(start + index + 1 for index, character in enumerate(text) if character == "\n"))
        self._files.append(_File(filename, start, lines))
        return Span(start, len(self.text))

    def _file(self, offset: int) -> _File:
        return self._files[max(0, bisect.bisect_right(self._files, offset, key=lambda file: file.start) - 1)]

    def file_at(self, offset: int) -> str:
        """The name of the file that a character is in."""
        return self._file(offset).name

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, in its file."""
        lines = self._file(offset).lines
        line = bisect.bisect_right(lines, offset)
        return line, offset - lines[line - 1] + 1

    def line_at(self, offset: int) -> str:
        """The text of the line of a character, without its end."""
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")
