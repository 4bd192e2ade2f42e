"""Strings and bytes: making, joining, searching and converting them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from quorate.protocol.vm.closure import Closure
from quorate.protocol.vm.display import show
from quorate.protocol.vm.engine import Secret
from quorate.protocol.vm.limits import Fault, WrongType
from quorate.protocol.vm.numbers import Fixed, convert
from quorate.protocol.vm.opcodes import ValueKind

from .native import Native, index_in, integer, items, octets, size_in_cells, text

if TYPE_CHECKING:
    from quorate.protocol.vm.state import State

_TYPE_NAMES: Final = {
    int: "int",
    bool: "bool",
    str: "string",
    bytes: "bytes",
    float: "float",
    Fixed: "fixed",
    list: "list",
    dict: "dict",
    type(None): "None",
    Closure: "Closure",
}


def _kept(state: State, value: Any) -> Any:
    state.allocate(size_in_cells(value))
    return value


def _to_string(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> str:
    shown: str = _kept(state, show(clear[0]))
    return shown


def _type_name(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> str:
    return _TYPE_NAMES[type(clear[0])]


def _from_string(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    data: bytes = _kept(state, text(clear[0]).encode())
    return data


def _from_bytes(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> str:
    try:
        decoded: str = _kept(state, octets(clear[0]).decode())
    except UnicodeDecodeError:
        raise Fault("the bytes are not UTF-8") from None
    return decoded


def _concat(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    joined: bytes = _kept(state, octets(clear[0]) + octets(clear[1]))
    return joined


def _byte_at(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> int:
    data = octets(clear[0])
    return data[index_in(data, clear[1])]


def _character_at(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> str:
    value = text(clear[0])
    return value[index_in(value, clear[1])]


def _bytes_of(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    values = items(clear[0])
    if not all(type(value) is int and 0 <= value <= 255 for value in values):
        raise WrongType("the values are not bytes")
    made: bytes = _kept(state, bytes(values))
    return made


def _list_of_bytes(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> list[int]:
    data = octets(clear[0])
    state.allocate(len(data) + 1)
    return list(data)


def _hexadecimal(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> str:
    shown: str = _kept(state, octets(clear[0]).hex())
    return shown


def _upper(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> str:
    shown: str = _kept(state, text(clear[0]).upper())
    return shown


def _lower(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> str:
    shown: str = _kept(state, text(clear[0]).lower())
    return shown


def _strip(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> str:
    shown: str = _kept(state, text(clear[0]).strip())
    return shown


def _split(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> list[str]:
    value, separator = text(clear[0]), text(clear[1])
    if not separator:
        raise Fault("a text cannot be split at an empty string")
    parts = value.split(separator)
    state.allocate(sum(map(size_in_cells, parts)) + 1)
    return parts


def _join(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> str:
    separator, parts = text(clear[0]), items(clear[1])
    if not all(type(part) is str for part in parts):
        raise WrongType("the values are not strings")
    state.allocate((sum(map(len, parts)) + len(separator) * len(parts)) >> 3)
    joined: str = _kept(state, separator.join(parts))
    return joined


def _starts_with(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bool:
    return text(clear[0]).startswith(text(clear[1]))


def _ends_with(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bool:
    return text(clear[0]).endswith(text(clear[1]))


def _replace(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> str:
    value, old, new = map(text, clear)
    state.allocate(((value.count(old) if old else 0) * len(new) + len(value)) >> 3)
    if not old:
        raise Fault("an empty string cannot be replaced")
    replaced: str = _kept(state, value.replace(old, new))
    return replaced


def _parse_integer(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> int:
    value = text(clear[0]).strip()
    digits = value[1:] if value[:1] in ("-", "+") else value
    if not digits.isascii() or not digits.isdigit() or len(digits) > 20:
        raise Fault("the text is not an integer")
    return int(convert(ValueKind.INT64, int(value)))


def _convert(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Any:
    kind = integer(clear[1])
    if kind not in range(len(ValueKind)) or kind == ValueKind.FIELD:
        raise WrongType("there is no such kind of number")
    return convert(ValueKind(kind), clear[0])


TEXTS: Final = (
    Native("to_string", 1, _to_string),
    Native("type_name", 1, _type_name),
    Native("bytes_from_string", 1, _from_string),
    Native("bytes_to_string", 1, _from_bytes),
    Native("bytes_concat", 2, _concat),
    Native("byte_at", 2, _byte_at),
    Native("character_at", 2, _character_at),
    Native("bytes_from_list", 1, _bytes_of),
    Native("bytes_to_list", 1, _list_of_bytes),
    Native("bytes_to_hex", 1, _hexadecimal),
    Native("upper", 1, _upper),
    Native("lower", 1, _lower),
    Native("strip", 1, _strip),
    Native("split", 2, _split),
    Native("join", 2, _join),
    Native("starts_with", 2, _starts_with),
    Native("ends_with", 2, _ends_with),
    Native("replace", 3, _replace),
    Native("parse_integer", 1, _parse_integer),
    Native("convert", 2, _convert),
)
"""Every native of this module."""
