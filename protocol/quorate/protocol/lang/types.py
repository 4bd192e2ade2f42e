"""Types, with secrecy as part of them, and which value may stand where which type is wanted.

A clear number or bool may stand where a secret one of its type is wanted: it becomes a public constant (a lift). A
secret bool may stand where a secret integer is wanted: it is the number 0 or 1 already. A `Share` is a secret whose
kind nobody has said: it may stand for any secret number, and any secret number for it; that a Share which stands for
a secret bool is 0 or 1 is for the program to see to. Nothing else converts by itself, and nothing makes a secret
clear but opening it. Lists are shared, so their item types must be equal.

ANY is a clear value whose type is only known when the program runs (out of the store, out of a closure); it may stand
where any clear type is wanted, and the machine checks it where it is used.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from quorate.protocol.vm.opcodes import ValueKind


@dataclasses.dataclass(frozen=True, slots=True)
class Type:
    """A type: a number, bool, string, ..., an object type, a list of `item`s, or a dict from `key`s to `item`s.

    A `variable` stands for one type throughout a signature.
    """

    name: str
    secret: bool = False
    item: Type | None = None
    key: Type | None = None
    variable: bool = False

    def __str__(self) -> str:
        if self.name == "Share" and self.secret:
            return "Share"
        if self.key is not None:
            return f"dict[{self.key}, {self.item}]"
        text = f"list[{self.item}]" if self.item is not None else self.name
        return f"secret {text}" if self.secret else text

    @property
    def clear(self) -> Type:
        """The same type without secrecy."""
        return dataclasses.replace(self, secret=False)

    @property
    def hidden(self) -> Type:
        """The same type with secrecy."""
        return dataclasses.replace(self, secret=True)

    @property
    def binary(self) -> str:
        """The type as the bytecode names it, where `secret` in front means a secret register."""
        return "secret int64" if self.name == "Share" else str(self)


INTEGER_KINDS: Final = {kind.name.lower(): kind for kind in ValueKind if "INT" in kind.name}
"""The integer types by their names."""
FIXED_KINDS: Final = {"fix32": ValueKind.FIX32, "fix64": ValueKind.FIX64}
"""The fixed-point types by their names."""
NUMBER_KINDS: Final = {**INTEGER_KINDS, **FIXED_KINDS, "float": ValueKind.FLOAT}
"""The types that arithmetic works on, by their names."""

INT64: Final = Type("int64")
UINT8: Final = Type("uint8")
UINT64: Final = Type("uint64")
FIX64: Final = Type("fix64")
FLOAT: Final = Type("float")
BOOL: Final = Type("bool")
STRING: Final = Type("string")
BYTES: Final = Type("bytes")
NONE: Final = Type("None")
CLOSURE: Final = Type("Closure")
ANY: Final = Type("Object")
SECRET_INT64: Final = Type("int64", secret=True)
SECRET_BOOL: Final = Type("bool", secret=True)
SECRET_FIX64: Final = Type("fix64", secret=True)
SHARE: Final = Type("Share", secret=True)
ERROR: Final = Type("error")
"""The type of what has been reported already; it fits everywhere, so that one mistake is one error."""
UNKNOWN: Final = Type("unknown")
"""The item type of an empty list literal."""
T: Final = Type("T", variable=True)
U: Final = Type("U", variable=True)
SECRET_T: Final = Type("T", secret=True, variable=True)

SCALARS: Final = {
    **{name: Type(name) for name in INTEGER_KINDS},
    **{name: Type(name) for name in FIXED_KINDS},
    "int": INT64,
    "fixed32": Type("fix32"),
    "fixed64": FIX64,
    "fixed": FIX64,
    "float": FLOAT,
    "float64": FLOAT,
    "f64": FLOAT,
    "bool": BOOL,
    "string": STRING,
    "bytes": BYTES,
    "ByteArray": BYTES,
    "None": NONE,
    "void": NONE,
    "Share": SHARE,
    "AvssShare": SHARE,
    "Closure": CLOSURE,
    "Object": ANY,
    "RbcResult": STRING,
}
"""Types that have a name of their own."""

KEYS: Final = frozenset({*INTEGER_KINDS, "bool", "string", "bytes"})
"""The types that a dictionary's keys may have."""


def list_of(item: Type) -> Type:
    """list[item]."""
    return Type("list", item=item)


def dict_of(key: Type, item: Type) -> Type:
    """dict[key, item]."""
    return Type("dict", item=item, key=key)


def integral(type_: Type) -> bool:
    """Whether it is an integer type, secret or not."""
    return type_.name in INTEGER_KINDS


def numeric(type_: Type) -> bool:
    """Whether arithmetic works on it: numbers, and secret bool as 0 or 1."""
    return type_.name in NUMBER_KINDS or type_ in (SECRET_BOOL, SHARE, ANY)


def may_be_secret(type_: Type) -> bool:
    """Whether there are secrets of this (clear) type."""
    return type_.name in INTEGER_KINDS or type_.name in FIXED_KINDS or type_.name in ("bool", "Share")


def fits(actual: Type, wanted: Type) -> bool:
    """Whether a value of type `actual` may stand where `wanted` is expected."""
    if ERROR in (actual, wanted) or actual == wanted:
        return True
    if ANY in (actual, wanted):
        return not (actual.secret or wanted.secret or NONE in (actual, wanted))
    if actual.item is not None or wanted.item is not None:
        return _same(actual, wanted)
    if not wanted.secret:
        return False
    if SHARE in (actual, wanted):
        return actual.secret or actual in (INT64, BOOL)
    return actual.name == wanted.name or (actual == SECRET_BOOL and integral(wanted))


def _same(actual: Type | None, wanted: Type | None) -> bool:
    """Whether two types inside a list are equal: `unknown` and `error` are anything, a Share any secret."""
    if actual is None or wanted is None:
        return actual is wanted
    if actual in (UNKNOWN, ERROR) or wanted in (UNKNOWN, ERROR) or actual == wanted:
        return True
    if SHARE in (actual, wanted):
        return actual.secret and wanted.secret
    shapes = actual.name == wanted.name in ("list", "dict")
    return shapes and _same(actual.key, wanted.key) and _same(actual.item, wanted.item)


def lifts(actual: Type, wanted: Type) -> bool:
    """Whether standing for `wanted` means to make a clear value a public constant."""
    return wanted.secret and not actual.secret and actual != ERROR


def unresolved(type_: Type) -> bool:
    """Whether an item type inside is still unknown."""
    return type_ == UNKNOWN or any(part is not None and unresolved(part) for part in (type_.item, type_.key))


def match(pattern: Type, actual: Type, bound: dict[str, Type]) -> bool:
    """Whether `actual` fits `pattern`, whose variables stand for one type throughout; binds them on first use."""
    if actual == ERROR:
        return True
    if pattern.variable:
        return _match_variable(pattern, actual, bound)
    if pattern.item is not None:
        if actual.item is None or (pattern.key is None) != (actual.key is None):
            return actual == ANY
        keys = pattern.key is None or actual.key is None or _match_item(pattern.key, actual.key, bound)
        return keys and _match_item(pattern.item, actual.item, bound)
    return fits(actual, pattern)


def _match_variable(pattern: Type, actual: Type, bound: dict[str, Type]) -> bool:
    if pattern.name in bound:
        wanted = bound[pattern.name].hidden if pattern.secret else bound[pattern.name]
        if not fits(actual, wanted) and fits(wanted, actual) and pattern.secret:
            bound[pattern.name] = actual.clear
            return True
        return fits(actual, wanted)
    if actual == NONE or (pattern.secret and not may_be_secret(actual.clear)):
        return False
    bound[pattern.name] = actual.clear if pattern.secret else actual
    return True


def _match_item(pattern: Type, actual: Type, bound: dict[str, Type]) -> bool:
    if actual == UNKNOWN:
        return True
    if pattern.secret and not actual.secret:
        return False
    if pattern.variable and pattern.name in bound:
        return _same(actual, substitute(pattern, bound))
    if pattern.variable or pattern.item is not None:
        return match(pattern, actual, bound)
    return _same(actual, pattern)


def substitute(pattern: Type, bound: dict[str, Type]) -> Type:
    """`pattern` with its variables replaced by what they are bound to; a Share that is opened is an int64."""
    if pattern.variable:
        base = bound.get(pattern.name, UNKNOWN)
        if pattern.secret:
            return base.hidden
        return INT64 if base.name == "Share" and not base.secret else base
    if pattern.key is not None and pattern.item is not None:
        return dict_of(substitute(pattern.key, bound), substitute(pattern.item, bound))
    if pattern.item is not None:
        return list_of(substitute(pattern.item, bound))
    return pattern


def has_variable(type_: Type) -> bool:
    """Whether a variable occurs in a type."""
    return type_.variable or any(part is not None and has_variable(part) for part in (type_.item, type_.key))
