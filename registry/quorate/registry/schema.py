"""Reading tables from outside (TOML, JSON) with a schema: every key is asked for, bounded, and named in errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .errors import ManifestError

MAX_TEXT_CHARS: Final = 500
"""The longest text that has no limit of its own."""


class Table:
    """One table of a file: `source` is the file's name, `where` the dotted key of the table in it."""

    def __init__(self, values: object, *, source: str, where: str = "") -> None:
        self._source = source
        self._where = where
        if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
            raise self.refuse("", "must be a table")
        self._values: dict[str, Any] = dict(values)  # untyped by nature: it came from a parser
        self._asked: set[str] = set()

    def refuse(self, key: str, reason: str) -> ManifestError:
        """The error that says what is wrong with `key` of this table."""
        where = ".".join(part for part in (self._where, key) if part) or "the file"
        return ManifestError(where, reason, source=self._source)

    def text(self, key: str, *, most: int = MAX_TEXT_CHARS, default: str | None = None) -> str:
        """The one-line text at `key`, of 1 to `most` characters; `default` when the key is absent."""
        if default is not None and key not in self._values:
            self._asked.add(key)
            return default
        value = self._take(key)
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise self.refuse(key, f"must be a text of 1 to {most} characters")
        if not value.isprintable():
            raise self.refuse(key, "must be one line of printable characters")
        return value

    def matching(self, key: str, pattern: str, *, meaning: str, most: int = 64) -> str:
        """The text at `key`, which must match the regular expression `pattern`; `meaning` describes it."""
        value = self.text(key, most=most)
        if not re.fullmatch(pattern, value):
            raise self.refuse(key, f"must be {meaning}, not {value!r}")
        return value

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """The text at `key`, which must be one of `choices`."""
        value = self.text(key)
        if value not in choices:
            raise self.refuse(key, f"must be one of {', '.join(choices)}, not {value!r}")
        return value

    def integer(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        """The integer at `key`, from `least` to `most`; `default` when the key is absent."""
        if default is not None and key not in self._values:
            self._asked.add(key)
            return default
        value = self._take(key)
        if type(value) is not int or not least <= value <= most:
            raise self.refuse(key, f"must be an integer from {least} to {most}")
        return value

    def boolean(self, key: str) -> bool:
        """The truth value at `key`."""
        value = self._take(key)
        if type(value) is not bool:
            raise self.refuse(key, "must be true or false")
        return value

    def texts(self, key: str, *, most_items: int, most: int = MAX_TEXT_CHARS) -> tuple[str, ...]:
        """The list of 1 to `most_items` texts at `key`, each of at most `most` characters."""
        items = self._list(key, most_items)
        if not items:
            raise self.refuse(key, "must not be empty")
        nested = Table(
            {str(place): item for place, item in enumerate(items)}, source=self._source, where=self._path(key)
        )
        return tuple(nested.text(str(place), most=most) for place in range(len(items)))

    def integers(self, key: str, *, most_items: int) -> tuple[int, ...]:
        """The list of at most `most_items` integers of at most 256 bits at `key`."""
        items = self._list(key, most_items)
        for item in items:
            if type(item) is not int or item.bit_length() > 256:
                raise self.refuse(key, "must hold integers of at most 256 bits only")
        return tuple(items)

    def rows(self, key: str, *, most_rows: int, most_items: int) -> tuple[tuple[int, ...], ...]:
        """The list of lists of integers at `key`."""
        rows = self._list(key, most_rows)
        nested = Table(
            {str(place): row for place, row in enumerate(rows)}, source=self._source, where=self._path(key)
        )
        return tuple(nested.integers(str(place), most_items=most_items) for place in range(len(rows)))

    def table(self, key: str) -> Table:
        """The table at `key`."""
        return Table(self._take(key), source=self._source, where=self._path(key))

    def tables(self, key: str, *, most_items: int) -> tuple[Table, ...]:
        """The tables in the list at `key`; none when the key is absent."""
        if key not in self._values:
            self._asked.add(key)
            return ()
        items = self._list(key, most_items)
        where = self._path(key)
        return tuple(
            Table(item, source=self._source, where=f"{where}[{place}]") for place, item in enumerate(items)
        )

    def has(self, key: str) -> bool:
        """Whether `key` is there."""
        return key in self._values

    def kind_of(self, key: str) -> type | None:
        """The Python type of the value at `key`, or None when it is absent."""
        return type(self._values[key]) if key in self._values else None

    def finish(self) -> None:
        """Raise ManifestError for a key that nobody asked for: a misspelt key must not pass in silence."""
        for key in self._values:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise self.refuse(key[:80], f"is not a known key; the keys here are {known}")

    def _path(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def _take(self, key: str) -> Any:
        self._asked.add(key)
        if key not in self._values:
            raise self.refuse(key, "is missing")
        return self._values[key]

    def _list(self, key: str, most_items: int) -> list[Any]:
        value = self._take(key)
        if not isinstance(value, list) or len(value) > most_items:
            raise self.refuse(key, f"must be a list of at most {most_items} items")
        return value


def distinct(table: Table, key: str, names: Sequence[str]) -> None:
    """Raise ManifestError at `key` of `table` when two of `names` are equal."""
    counts: Mapping[str, int] = {name: names.count(name) for name in names}
    for name, count in counts.items():
        if count > 1:
            raise table.refuse(key, f"the name {name!r} stands there {count} times")
