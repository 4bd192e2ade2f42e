"""From types as written to types: scalars, lists, dictionaries, aliases, objects, type parameters."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from . import syntax
from .diagnostics import Reporter
from .tables import ObjectInfo, Tables
from .types import ERROR, INT64, KEYS, NONE, SCALARS, Type, dict_of, list_of, may_be_secret


class TypeNames:
    """The types that a program can name."""

    def __init__(self, tables: Tables, reporter: Reporter) -> None:
        self._tables = tables
        self._reporter = reporter
        self._aliases: dict[str, syntax.Alias] = {}
        self._objects: dict[str, syntax.ObjectType] = {}
        self._enumerations: set[str] = set()
        self._busy: list[str] = []
        self.bound: dict[str, Type] = {}
        """What the type parameters of the function at hand stand for."""

    def declare(self, module: syntax.Module) -> None:
        """Take in the declarations of a program, and report those that are wrong."""
        taken: set[str] = set(SCALARS) | {"list", "dict"}
        declarations: Sequence[syntax.Alias | syntax.ObjectType | syntax.Enumeration] = sorted(
            (*module.aliases, *module.objects, *module.enumerations), key=lambda one: one.span.start
        )
        for one in declarations:
            if one.name in taken:
                why = "another type has this name"
                self._error("E0302", one, f"`{one.name}` is defined already", why, "choose another name")
                continue
            taken.add(one.name)
            if isinstance(one, syntax.Alias):
                self._aliases[one.name] = one
            elif isinstance(one, syntax.ObjectType):
                self._objects[one.name] = one
            else:
                self._enumerations.add(one.name)
        for name in self._aliases:
            self._named(syntax.TypeName(self._aliases[name].name_span, name))
        for name in self._objects:
            self._object(name)

    def _error(
        self,
        code: str,
        node: syntax.Alias | syntax.ObjectType | syntax.Enumeration,
        message: str,
        why: str,
        fix: str,
    ) -> None:
        self._reporter.error(code, node.name_span, message, why=why, fix=fix)

    def _object(self, name: str) -> ObjectInfo | None:
        """The fields of an object type, found once; None while it contains itself."""
        if name in self._tables.objects:
            return self._tables.objects[name]
        declared = self._objects[name]
        if name in self._busy:
            why = "its default value would have no end"
            self._error("E0312", declared, f"`{name}` contains itself", why, "put it into a list")
            return None
        self._busy.append(name)
        fields: dict[str, Type] = {}
        if declared.parent is not None:
            parent = self._object(declared.parent.text) if declared.parent.text in self._objects else None
            if declared.parent.text not in self._objects:
                span = declared.parent.span
                self._reporter.error(
                    "E0303", span, f"there is no object type `{declared.parent.text}`", fix="declare it"
                )
            fields.update(parent.fields if parent is not None else {})
        for field in declared.fields:
            if field.name in fields:
                fix = "choose another name"
                self._reporter.error("E0302", field.span, f"`{field.name}` is a field already", fix=fix)
            type_ = self.resolve(field.annotation)
            inside = self._object(type_.name) if type_.name in self._objects and type_.item is None else declared
            fields[field.name] = type_ if inside is not None else ERROR
        self._busy.pop()
        return self._tables.objects.setdefault(name, ObjectInfo(name, fields))

    def resolve(self, written: syntax.TypeName, *, result: bool = False) -> Type:
        """The type that is written; ERROR after a report. None is only the type of a `result`."""
        error = self._reporter.error
        if written.name in ("list", "dict") and written.arguments:
            return self._collection(written)
        type_ = self._named(written)
        if type_ == ERROR:
            return ERROR
        if type_ == NONE and not result:
            error("E0303", written.span, "None is only the result of a function", fix="use another type")
            return ERROR
        if not written.secret:
            return type_
        if type_.secret:
            return type_
        if not may_be_secret(type_):
            why = "numbers and bools can be secret"
            if type_.item is not None:
                why = "the length of a list is public, its items may be secret"
            error("E0303", written.span, f"{type_} cannot be secret", why=why, fix="make its parts secret")
            return ERROR
        return type_.hidden

    def _collection(self, written: syntax.TypeName) -> Type:
        error = self._reporter.error
        wanted = 1 if written.name == "list" else 2
        if len(written.arguments) != wanted:
            error("E0303", written.span, f"{written.name} takes {wanted} types", fix="write list[T] or dict[K, V]")
            return ERROR
        if written.secret:
            why = "the length of a list is public, its items may be secret"
            error(
                "E0303", written.span, f"a {written.name} cannot be secret", why=why, fix="write list[secret ...]"
            )
        parts = [self.resolve(argument) for argument in written.arguments]
        if wanted == 1:
            return list_of(parts[0])
        if parts[0] != ERROR and not parts[0].variable and (parts[0].secret or parts[0].name not in KEYS):
            why = "a key is a clear integer, bool, string or bytes"
            error("E0417", written.arguments[0].span, f"{parts[0]} cannot be a key", why=why, fix="use string")
            return ERROR
        return dict_of(parts[0], parts[1])

    def _named(self, written: syntax.TypeName) -> Type:
        name = written.name
        if not written.arguments:
            if name in self.bound:
                return self.bound[name]
            if name in SCALARS:
                return SCALARS[name]
            if name in self._objects:
                return Type(name)
            if name in self._enumerations:
                return INT64
            if name in self._aliases:
                return self._alias(name)
        known = [*self.bound, *SCALARS, *self._objects, *self._aliases, *self._enumerations, "list", "dict"]
        close = difflib.get_close_matches(name, known, n=1)
        fix = (
            f"did you mean `{close[0]}`?"
            if close and close[0] != name
            else "use int64, bool, string, list[...], ..."
        )
        self._reporter.error("E0303", written.span, f"there is no type `{name}` like this", fix=fix)
        return ERROR

    def _alias(self, name: str) -> Type:
        declared = self._aliases[name]
        if name in self._busy:
            self._error(
                "E0312", declared, f"`{name}` means itself", "it would have no meaning", "name another type"
            )
            return ERROR
        self._busy.append(name)
        try:
            return self.resolve(declared.meaning)
        finally:
            self._busy.remove(name)
