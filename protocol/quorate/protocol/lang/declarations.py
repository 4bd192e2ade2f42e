"""Types as written, and the declarations outside functions: objects, enumerations, aliases, imports.

`object`, `enum`, `type`, `import` and `builtin` are words only where a declaration begins; elsewhere they are names.
"""

from __future__ import annotations

from typing import Final

from . import syntax
from .cursor import Cursor
from .source import Span
from .syntax import TypeName
from .tokens import Kind

MAX_TYPE_DEPTH: Final = 6
"""How deep types may nest."""
MAX_MEMBERS: Final = 256
"""The most fields of an object, and the most members of an enumeration."""
WORDS: Final = frozenset({"object", "enum", "type", "import"})
"""The words that begin a declaration."""

Declaration = syntax.ObjectType | syntax.Enumeration | syntax.Alias | syntax.Import


class Declarations:
    """Parses types and declarations from a cursor."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def at_declaration(self) -> bool:
        """Whether a declaration begins here."""
        token, following = self._cursor.token, self._cursor.following()
        return token.kind is Kind.NAME and token.text in WORDS and following.kind is Kind.NAME

    def declaration(self) -> Declaration:
        """One declaration; raises SyntaxFailure."""
        word = self._cursor.take()
        if word.text == "object":
            return self._object(word.span)
        if word.text == "enum":
            return self._enumeration(word.span)
        if word.text == "import":
            return self._import(word.span)
        name = self._cursor.expect_kind(Kind.NAME, "the name of the type")
        self._cursor.expect("=", "after the name of the type")
        meaning = self.type()
        self._end_of_line()
        return syntax.Alias(word.span.to(meaning.span), name.text, name.span, meaning)

    def type(self, depth: int = 0) -> TypeName:
        """A type; raises SyntaxFailure."""
        cursor = self._cursor
        if depth > MAX_TYPE_DEPTH:
            fix = f"use at most {MAX_TYPE_DEPTH} levels of lists and dictionaries"
            cursor.fail("this type nests too deeply", code="E0208", fix=fix)
        start = cursor.token.span
        secret = cursor.accept("secret") is not None
        if cursor.accept("None"):
            return TypeName(start, "None", secret)
        name = cursor.expect_kind(Kind.NAME, "a type")
        arguments: list[TypeName] = []
        if cursor.accept("["):
            arguments.append(self.type(depth + 1))
            while cursor.accept(","):
                arguments.append(self.type(depth + 1))
            cursor.expect("]", "after the type of the items")
        return TypeName(start.to(cursor.previous.span), name.text, secret, tuple(arguments))

    def _end_of_line(self) -> None:
        if not self._cursor.at_kind(Kind.NEWLINE, Kind.END, Kind.DEDENT):
            found = self._cursor.token
            self._cursor.fail(f"expected the end of the line, found {found}", fix="put it on a line of its own")
        if self._cursor.at_kind(Kind.NEWLINE):
            self._cursor.take()

    def _import(self, start: Span) -> syntax.Import:
        cursor = self._cursor
        parts = [cursor.expect_kind(Kind.NAME, "the name of a module").text]
        while cursor.accept("."):
            parts.append(cursor.expect_kind(Kind.NAME, "the name of a module").text)
        alias = parts[-1]
        if cursor.token.text == "as" and cursor.at_kind(Kind.NAME):
            cursor.take()
            alias = cursor.expect_kind(Kind.NAME, "another name for the module").text
        span = start.to(cursor.previous.span)
        self._end_of_line()
        return syntax.Import(span, ".".join(parts), alias)

    def _open_members(self, what: str) -> None:
        cursor = self._cursor
        colon = cursor.expect(":", f"before the members of {what}").span
        if cursor.at_kind(Kind.NEWLINE):
            cursor.take()
        if not cursor.at_kind(Kind.INDENT):
            why = "its members stand below it, one a line, indented further"
            cursor.fail(f"{what} has no members", code="E0213", why=why, fix="add one", span=colon)
        cursor.take()

    def _members_left(self, count: int) -> bool:
        """Whether another member follows; takes the end of the block."""
        cursor = self._cursor
        if count > MAX_MEMBERS:
            cursor.fail(f"more than {MAX_MEMBERS} members", code="E0208", fix="split it")
        while cursor.at_kind(Kind.NEWLINE):
            cursor.take()
        if cursor.at_kind(Kind.END):
            return False
        if cursor.at_kind(Kind.DEDENT):
            cursor.take()
            return False
        return True

    def _object(self, start: Span) -> syntax.ObjectType:
        cursor = self._cursor
        name = cursor.expect_kind(Kind.NAME, "the name of the object type")
        parent = None
        if cursor.accept("("):
            token = cursor.expect_kind(Kind.NAME, "the object type that it extends")
            parent = syntax.Name(token.span, token.text)
            cursor.expect(")", "after the object type that it extends")
        span = start.to(cursor.previous.span)
        self._open_members(f"`{name.text}`")
        fields: list[syntax.Field] = []
        while self._members_left(len(fields)):
            field = cursor.expect_kind(Kind.NAME, "the name of a field")
            cursor.expect(":", f"and a type after `{field.text}`")
            annotation = self.type()
            fields.append(syntax.Field(field.span.to(annotation.span), field.text, annotation))
            self._end_of_line()
        return syntax.ObjectType(span, name.text, name.span, parent, tuple(fields))

    def _enumeration(self, start: Span) -> syntax.Enumeration:
        cursor = self._cursor
        name = cursor.expect_kind(Kind.NAME, "the name of the enumeration")
        span = start.to(name.span)
        self._open_members(f"`{name.text}`")
        members: list[tuple[syntax.Name, int | None]] = []
        while self._members_left(len(members)):
            member = cursor.expect_kind(Kind.NAME, "the name of a member")
            value = None
            if cursor.accept("="):
                sign = -1 if cursor.accept("-") else 1
                literal = cursor.expect_kind(Kind.INTEGER, "an integer").value
                value = sign * literal if isinstance(literal, int) else None
            members.append((syntax.Name(member.span, member.text), value))
            self._end_of_line()
        return syntax.Enumeration(span, name.text, name.span, tuple(members))
