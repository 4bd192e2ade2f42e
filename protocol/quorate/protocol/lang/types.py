"""Types, with secrecy as part of them, and which value may stand where which type is wanted.

A clear int64 or bool may stand where a secret one is wanted: it becomes a public constant (a lift). A secret bool
may stand where a secret int64 is wanted: it is the number 0 or 1 already. Nothing else converts by itself, and
nothing makes a secret clear but `reveal`. Lists are shared, so their item types must be equal.
"""

from __future__ import annotations

import dataclasses
from typing import Final


@dataclasses.dataclass(frozen=True, slots=True)
class Type:
    """A type: int64, bool, string, None, a list of `item`s, or (inside) T, error, unknown."""

    name: str
    secret: bool = False
    item: Type | None = None

    def __str__(self) -> str:
        text = f"list[{self.item}]" if self.item is not None else self.name
        return f"secret {text}" if self.secret else text

    @property
    def clear(self) -> Type:
        """The same type without secrecy."""
        return dataclasses.replace(self, secret=False)


INT64: Final = Type("int64")
BOOL: Final = Type("bool")
STRING: Final = Type("string")
NONE: Final = Type("None")
SECRET_INT64: Final = Type("int64", secret=True)
SECRET_BOOL: Final = Type("bool", secret=True)
ERROR: Final = Type("error")
"""The type of what has been reported already; it fits everywhere, so that one mistake is one error."""
UNKNOWN: Final = Type("unknown")
"""The item type of an empty list literal."""
T: Final = Type("T")
SECRET_T: Final = Type("T", secret=True)

SCALARS: Final = {"int64": INT64, "bool": BOOL, "string": STRING, "None": NONE, "Share": SECRET_INT64}
"""Types that have a name of their own; `Share` is another name of `secret int64`."""


def list_of(item: Type) -> Type:
    """list[item]."""
    return Type("list", item=item)


def numeric(type_: Type) -> bool:
    """Whether arithmetic works on it: int64, secret int64, and secret bool as 0 or 1."""
    return type_.name == "int64" or type_ == SECRET_BOOL


def fits(actual: Type, wanted: Type) -> bool:
    """Whether a value of type `actual` may stand where `wanted` is expected."""
    if ERROR in (actual, wanted) or actual == wanted:
        return True
    if actual.name == wanted.name == "list":
        return same_items(actual.item, wanted.item)
    if wanted.secret:
        return actual.name == wanted.name or (actual == SECRET_BOOL and wanted == SECRET_INT64)
    return False


def same_items(actual: Type | None, wanted: Type | None) -> bool:
    """Whether two item types are equal, reading `unknown` and `error` as anything."""
    if actual is None or wanted is None:
        return actual is wanted
    if actual in (UNKNOWN, ERROR) or wanted in (UNKNOWN, ERROR) or actual == wanted:
        return True
    return actual.name == wanted.name == "list" and same_items(actual.item, wanted.item)


def lifts(actual: Type, wanted: Type) -> bool:
    """Whether standing for `wanted` means to make a clear value a public constant."""
    return wanted.secret and not actual.secret and actual != ERROR


def unresolved(type_: Type) -> bool:
    """Whether an item type inside is still unknown."""
    return type_ == UNKNOWN or (type_.item is not None and unresolved(type_.item))


def match(pattern: Type, actual: Type, bound: dict[str, Type]) -> bool:
    """Whether `actual` fits `pattern`, in which T stands for one type throughout; binds T on its first use."""
    if actual == ERROR:
        return True
    if pattern.name == "T":
        if "T" in bound:
            wanted = Type(bound["T"].name, secret=True) if pattern.secret else bound["T"]
            return fits(actual, wanted)
        if actual == NONE or (pattern.secret and actual.name not in ("int64", "bool")):
            return False
        bound["T"] = actual.clear if pattern.secret else actual
        return True
    if pattern.name == "list" and pattern.item is not None:
        return actual.item is not None and _match_item(pattern.item, actual.item, bound)
    return fits(actual, pattern)


def _match_item(pattern: Type, actual: Type, bound: dict[str, Type]) -> bool:
    if actual == UNKNOWN:
        return True
    if pattern.secret and not actual.secret:
        return False
    if pattern.name == "T" and "T" in bound:
        return actual == substitute(pattern, bound)
    if pattern.name in ("T", "list"):
        return match(pattern, actual, bound)
    return same_items(actual, pattern)


def substitute(pattern: Type, bound: dict[str, Type]) -> Type:
    """`pattern` with T replaced by what it is bound to."""
    if pattern.name == "T":
        base = bound.get("T", UNKNOWN)
        return dataclasses.replace(base, secret=True) if pattern.secret else base
    if pattern.item is not None:
        return list_of(substitute(pattern.item, bound))
    return pattern
