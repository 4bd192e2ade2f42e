"""Which type an operator gives for two operands, and None where it does not work on them."""

from __future__ import annotations

from typing import Final

from .types import (
    ANY,
    BOOL,
    BYTES,
    FIXED_KINDS,
    INT64,
    INTEGER_KINDS,
    NUMBER_KINDS,
    SECRET_BOOL,
    SHARE,
    STRING,
    Type,
)

COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
LOGIC: Final = frozenset({"and", "or", "xor"})
INTEGER_ONLY: Final = frozenset({"//", "%", "mod", "shl", "shr", "**"})


def result_of(operator: str, left: Type, right: Type, *, literal: bool = False) -> Type | None:
    """The type of `left operator right`; `literal` says that the right side is a number as written."""
    if ANY in (left, right):
        left, right = _known(operator, left, right)
    secret = left.secret or right.secret
    if operator in COMPARISONS:
        if not _comparable(operator, left, right):
            return None
        return BOOL.hidden if secret else BOOL
    if operator in LOGIC:
        return _logic(left, right, secret=secret)
    if operator == "+" and left == right and (left in (STRING, BYTES) or left.item is not None):
        return left
    if operator == "*" and left == right == SECRET_BOOL:
        return SECRET_BOOL
    return _arithmetic(operator, left, right, secret=secret)


def _known(operator: str, left: Type, right: Type) -> tuple[Type, Type]:
    """A value of unknown type is taken to be what the other side is; two of them, what the operator is mostly for."""
    if left == right == ANY:
        default = BOOL if operator in LOGIC else INT64
        return default, default
    return (right.clear, right) if left == ANY else (left, left.clear)


def _comparable(operator: str, left: Type, right: Type) -> bool:
    if operator in ("==", "!=") and left.clear == right.clear:
        return left.name in NUMBER_KINDS or left in (STRING, BYTES, SHARE) or left.name in ("bool", "list")
    return common_number(left, right) is not None


def _logic(left: Type, right: Type, *, secret: bool) -> Type | None:
    names = {left.name, right.name}
    if names == {"bool"} or (names == {"bool", "Share"}):
        return BOOL.hidden if secret else BOOL
    name = common_number(left, right)
    if name not in INTEGER_KINDS or "bool" in names:
        return None
    return Type(name, secret=secret)


def _arithmetic(operator: str, left: Type, right: Type, *, secret: bool) -> Type | None:
    if operator in ("shl", "shr"):
        name: str | None = "int64" if left == SHARE else left.name
        if name not in INTEGER_KINDS or (right.name not in INTEGER_KINDS and right != SHARE):
            return None
    else:
        name = common_number(left, right)
    if name is None or (operator in INTEGER_ONLY and name not in INTEGER_KINDS):
        return None
    if operator == "**" and secret:
        return None
    return Type(name, secret=secret)


def common_number(left: Type, right: Type) -> str | None:
    """The type of number in which two numbers meet: a Share and a secret bool are what the other side is.

    A clear int64 may meet a number with a fraction, which it becomes; other types meet only themselves.
    """
    names = [_number_name(type_) for type_ in (left, right)]
    if None in names:
        return None
    open_names = [name for name in names if name != ""]
    if not open_names:
        return "int64"
    if len(set(open_names)) == 1:
        return open_names[0]
    fractions = [name for name in open_names if name in FIXED_KINDS or name == "float"]
    others = [type_ for type_, name in zip((left, right), names, strict=True) if name not in fractions]
    if len(fractions) == 1 and others[0].clear == INT64:
        return fractions[0]
    return None


def _number_name(type_: Type) -> str | None:
    """The name of a number's type; empty for a secret that may be any number, None for what is no number."""
    if type_ in (SHARE, SECRET_BOOL):
        return ""
    return type_.name if type_.name in NUMBER_KINDS else None
