"""Control messages as msgpack with a schema: frozen dataclasses in, canonical bytes out, and back with bounds.

A message class is a frozen, slotted dataclass. Its fields are `int`, `bool`, `str`, `bytes`, another message
class, `tuple[T, ...]`, or `T | None`; `Annotated[T, Limit(...)]` narrows one. The wire form is a msgpack array
`[tag, field, field, ...]` in field order, so that one value has one encoding: `decode(encode(m)) == m`, and
bytes that do not re-encode to themselves are refused.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import msgpack

from .errors import MalformedMessage

MAX_MESSAGE_BYTES: Final = 1 << 20
"""The largest control message, in bytes; bulk data never travels as one."""
MAX_STRING_BYTES: Final = 64 << 10
"""The largest string or byte field that has no limit of its own."""
MAX_ITEMS: Final = 4096
"""The longest tuple that has no limit of its own."""
MAX_INTEGER: Final = (1 << 256) - 1
"""The largest integer: one EVM word."""

Message = TypeVar("Message")


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """Bounds of one field: `size` is exact bytes, `most` a maximum (bytes, items or value), `least` a minimum."""

    size: int | None = None
    most: int | None = None
    least: int | None = None


def encode(message: object) -> bytes:
    """The canonical bytes of `message`; raises MalformedMessage when a field breaks its own schema."""
    value = _pack(type(message), message, Limit(), "message")
    data = msgpack.packb(value, use_bin_type=True)
    assert isinstance(data, bytes)  # packb with no file gives bytes, which its types do not say
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedMessage(f"{len(data)} bytes; the most is {MAX_MESSAGE_BYTES}")
    return data


def decode(kind: type[Message], data: bytes, *, most_bytes: int = MAX_MESSAGE_BYTES) -> Message:
    """A `kind` from untrusted `data`; raises MalformedMessage for anything but its one canonical encoding."""
    value = _unpackb(data, most_bytes)
    message: Message = _unpack(kind, value, Limit(), kind.__name__)
    if encode(message) != data:
        raise MalformedMessage(f"{kind.__name__} is not in its canonical encoding")
    return message


def decode_one_of(kinds: Sequence[type[Message]], data: bytes, *, most_bytes: int = MAX_MESSAGE_BYTES) -> Message:
    """A message of one of `kinds`, told apart by its tag; raises MalformedMessage as `decode` does."""
    value = _unpackb(data, most_bytes)
    tag = value[0] if isinstance(value, list) and value else None
    for kind in kinds:
        if kind.__name__ == tag:
            return decode(kind, data, most_bytes=most_bytes)
    raise MalformedMessage(f"not one of {', '.join(kind.__name__ for kind in kinds)}")


def _unpackb(data: bytes, most_bytes: int) -> Any:
    if len(data) > most_bytes:
        raise MalformedMessage(f"{len(data)} bytes; the most is {most_bytes}")
    try:
        value: Any = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            max_str_len=most_bytes,
            max_bin_len=most_bytes,
            max_array_len=max(MAX_ITEMS, 64),
            max_map_len=0,
            max_ext_len=0,
        )
    except Exception as error:  # msgpack raises a dozen unrelated types for bad bytes
        raise MalformedMessage(f"not msgpack ({type(error).__name__})") from None
    return value


_SCHEMAS: dict[str, tuple[tuple[str, Any], ...]] = {}


def _schema(kind: Any) -> tuple[tuple[str, Any], ...]:
    key = f"{kind.__module__}.{kind.__qualname__}"
    if key not in _SCHEMAS:
        if not dataclasses.is_dataclass(kind):
            raise TypeError(f"{kind!r} is not a message class")
        hints = get_type_hints(kind, include_extras=True)
        _SCHEMAS[key] = tuple((field.name, hints[field.name]) for field in dataclasses.fields(kind))
    return _SCHEMAS[key]


def _strip(hint: Any, limit: Limit) -> tuple[Any, Limit]:
    if get_origin(hint) is Annotated:
        base, *extras = get_args(hint)
        return base, next((extra for extra in extras if isinstance(extra, Limit)), limit)
    return hint, limit


def _optional(hint: Any) -> Any | None:
    if get_origin(hint) in (Union, types.UnionType):
        inner = [argument for argument in get_args(hint) if argument is not type(None)]
        if len(inner) == 1:
            return inner[0]
    return None


def _pack(hint: Any, value: Any, limit: Limit, where: str) -> Any:
    hint, limit = _strip(hint, limit)
    inner = _optional(hint)
    if inner is not None:
        return None if value is None else _pack(inner, value, limit, where)
    if get_origin(hint) is tuple:
        item, _ = get_args(hint)
        _check_length(len(value), limit, MAX_ITEMS, where)
        return [_pack(item, entry, Limit(), f"{where}[{index}]") for index, entry in enumerate(value)]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if type(value) is not hint:
            raise MalformedMessage(f"{where} is not a {hint.__name__}")
        fields = [_pack(kind, getattr(value, name), Limit(), f"{where}.{name}") for name, kind in _schema(hint)]
        return [hint.__name__, *fields]
    return _scalar(hint, value, limit, where, packing=True)


def _unpack(hint: Any, value: Any, limit: Limit, where: str) -> Any:
    hint, limit = _strip(hint, limit)
    inner = _optional(hint)
    if inner is not None:
        return None if value is None else _unpack(inner, value, limit, where)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise MalformedMessage(f"{where} is not an array")
        item, _ = get_args(hint)
        _check_length(len(value), limit, MAX_ITEMS, where)
        return tuple(_unpack(item, entry, Limit(), f"{where}[{index}]") for index, entry in enumerate(value))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _unpack_message(hint, value, where)
    return _scalar(hint, value, limit, where, packing=False)


def _unpack_message(kind: Any, value: Any, where: str) -> Any:
    schema = _schema(kind)
    if not isinstance(value, list) or not value or value[0] != kind.__name__:
        raise MalformedMessage(f"{where} is not a {kind.__name__}")
    if len(value) != len(schema) + 1:
        raise MalformedMessage(f"{where} has {len(value) - 1} fields, not {len(schema)}")
    pairs = zip(schema, value[1:], strict=True)
    fields = {name: _unpack(hint, entry, Limit(), f"{where}.{name}") for (name, hint), entry in pairs}
    try:
        return kind(**fields)
    except ValueError as error:  # a message class may check itself in __post_init__
        raise MalformedMessage(f"{where}: {error}") from None


def _check_length(length: int, limit: Limit, default: int, where: str) -> None:
    most = default if limit.most is None else limit.most
    if limit.size is not None and length != limit.size:
        raise MalformedMessage(f"{where} has length {length}, not {limit.size}")
    if length > most:
        raise MalformedMessage(f"{where} has length {length}; the most is {most}")
    if limit.least is not None and length < limit.least:
        raise MalformedMessage(f"{where} has length {length}; the least is {limit.least}")


def _scalar(hint: Any, value: Any, limit: Limit, where: str, *, packing: bool) -> Any:
    if hasattr(hint, "__supertype__"):  # a NewType
        return _scalar(hint.__supertype__, value, limit, where, packing=packing)
    if hint is int:
        return _integer(value, limit, where, packing=packing)
    if type(value) is not hint or hint not in (bool, str, bytes):
        raise MalformedMessage(f"{where} is not a {getattr(hint, '__name__', hint)}")
    if hint is not bool:
        length = len(value.encode()) if hint is str else len(value)
        _check_length(length, limit, MAX_STRING_BYTES, where)
    return value


def _integer(value: Any, limit: Limit, where: str, *, packing: bool) -> Any:
    """Integers of 64 bits or fewer are msgpack integers; longer ones are 9 to 32 big-endian bytes."""
    if not packing and type(value) is bytes:
        if not 9 <= len(value) <= 32 or value[0] == 0:
            raise MalformedMessage(f"{where} is not a minimal integer")
        value = int.from_bytes(value, "big")
    if type(value) is not int:
        raise MalformedMessage(f"{where} is not an int")
    least = 0 if limit.least is None else limit.least
    most = MAX_INTEGER if limit.most is None else limit.most
    if not least <= value <= most:
        raise MalformedMessage(f"{where} is outside {least}..{most}")
    if packing and value >= 1 << 64:
        return value.to_bytes((value.bit_length() + 7) // 8, "big")
    return value
