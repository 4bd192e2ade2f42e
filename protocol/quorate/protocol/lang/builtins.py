"""The functions that come with the language, as a table: signatures and the instruction each becomes.

A name is `function` or `Namespace.function`. A builtin may have several overloads; the first that the
arguments fit is taken, so clear ones come first. T stands for one type throughout an overload.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from typing import Final

from quorate.protocol.vm.opcodes import Opcode, Query, ValueKind

from .types import (
    ANY,
    BOOL,
    BYTES,
    CLOSURE,
    FIX64,
    INT64,
    NONE,
    NUMBER_KINDS,
    SECRET_BOOL,
    SECRET_FIX64,
    SECRET_INT64,
    SECRET_T,
    SHARE,
    STRING,
    UINT8,
    UINT64,
    T,
    Type,
    U,
    dict_of,
    list_of,
)


class Special(enum.Enum):
    """Builtins that are more than one instruction."""

    PRINT = enum.auto()
    SELECT = enum.auto()
    CONSTANT = enum.auto()
    CONVERT = enum.auto()
    RETAG = enum.auto()
    OPEN_AT_GENERATOR = enum.auto()
    CLEAR_RANDOM = enum.auto()
    CLEAR_RANDOM_ELEMENT = enum.auto()
    DIVMOD = enum.auto()
    MAKE_CLOSURE = enum.auto()
    CALL_CLOSURE = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True)
class Overload:
    """One signature. `order` maps the operands to parameters; `immediate` is the last one, or the constant.

    A `lowering` that is a string names a native. `effects` says that a call does more than give a value.
    """

    parameters: tuple[tuple[str, Type], ...]
    result: Type
    lowering: Opcode | Special | str
    order: tuple[int, ...] = ()
    immediate: int | bool | str | None = None
    defaults: tuple[int | str | None, ...] = ()
    effects: bool = False

    @property
    def signature(self) -> str:
        """The parameters and the result as a user writes them."""
        parameters = ", ".join(f"{name}: {type_}" for name, type_ in self.parameters)
        return f"({parameters}) -> {self.result}"


def _overload(
    parameters: dict[str, Type],
    result: Type,
    lowering: Opcode | Special | str,
    *,
    order: Iterable[int] | None = None,
    immediate: int | bool | str | None = None,
    defaults: tuple[int | str | None, ...] = (),
    effects: bool = False,
) -> Overload:
    places = tuple(range(len(parameters))) if order is None else tuple(order)
    return Overload(tuple(parameters.items()), result, lowering, places, immediate, defaults, effects)


def _one(
    parameters: dict[str, Type],
    result: Type,
    lowering: Opcode | Special | str,
    *,
    immediate: int | bool | str | None = None,
    effects: bool = False,
) -> tuple[Overload, ...]:
    return (_overload(parameters, result, lowering, immediate=immediate, effects=effects),)


def _query(result: Type, query: Query) -> tuple[Overload, ...]:
    return _one({}, result, Opcode.QUERY, immediate=query)


def _secret(parameters: dict[str, Type], opcode: Opcode) -> tuple[Overload, ...]:
    return _one(parameters, SHARE, opcode)


_LIST = list_of(T)
_DICT = dict_of(U, T)
_SECRET_LIST = list_of(SECRET_T)
_PAIR = {"a": SHARE, "b": SHARE}
_TAKE = {"client": INT64, "index": INT64}
_REVEAL = (
    _overload({"value": SECRET_T}, T, Opcode.OPEN, effects=True),
    _overload({"values": _SECRET_LIST}, _LIST, Opcode.OPEN_LIST, effects=True),
)
_ELEMENT = {"a": BYTES}
_ELEMENTS = {"a": BYTES, "b": BYTES}
_CURVE = {"data": BYTES, "curve_name": STRING}
_SEND = (
    _overload({"client": INT64, "value": SECRET_T}, BOOL, Opcode.SEND, effects=True),
    _overload({"client": INT64, "values": _SECRET_LIST}, BOOL, Opcode.SEND_LIST, effects=True),
)
_COMMITMENT = (
    _overload({"share": SHARE}, BYTES, Special.OPEN_AT_GENERATOR, effects=True),
    _overload({"share": SHARE, "index": INT64}, BYTES, Special.OPEN_AT_GENERATOR, effects=True),
)
_LIST_MAXIMUM = (1 << 63) - 1


def _extremes(opcode: Opcode, secret: Opcode) -> tuple[Overload, ...]:
    clear = (_overload({"a": type_, "b": type_}, type_, opcode) for type_ in map(Type, NUMBER_KINDS))
    return (*clear, _overload({"a": SECRET_T, "b": SECRET_T}, SECRET_T, secret))


_COLLECTIONS: Final[dict[str, tuple[Overload, ...]]] = {
    "len": tuple(
        _overload({name: type_}, INT64, Opcode.LENGTH)
        for name, type_ in (("items", _LIST), ("text", STRING), ("data", BYTES), ("items", _DICT))
    ),
    "append": _one({"items": _LIST, "value": T}, NONE, Opcode.APPEND, effects=True),
    "push": _one({"items": _LIST, "value": T}, NONE, Opcode.APPEND, effects=True),
    "pop": (
        _overload({"items": _LIST}, T, Opcode.POP, effects=True),
        _overload({"items": _LIST, "index": INT64}, T, "pop_at", effects=True),
    ),
    "extend": _one({"items": _LIST, "values": _LIST}, NONE, "extend", effects=True),
    "copy": (_overload({"items": _LIST}, _LIST, "copy"), _overload({"items": _DICT}, _DICT, "copy")),
    "count": _one({"items": _LIST, "value": T}, INT64, "count"),
    "index": (
        _overload({"items": _LIST, "value": T}, INT64, "index", defaults=(0, _LIST_MAXIMUM)),
        _overload({"items": _LIST, "value": T, "start": INT64}, INT64, "index", defaults=(_LIST_MAXIMUM,)),
        _overload({"items": _LIST, "value": T, "start": INT64, "stop": INT64}, INT64, "index"),
    ),
    "remove": _one({"items": _LIST, "value": T}, NONE, "remove", effects=True),
    "insert": _one({"items": _LIST, "index": INT64, "value": T}, NONE, "insert", effects=True),
    "clear": (
        _overload({"items": _LIST}, NONE, "clear", effects=True),
        _overload({"items": _DICT}, NONE, "clear", effects=True),
    ),
    "reverse": _one({"items": _LIST}, NONE, "reverse", effects=True),
    "sort": _one({"items": _LIST}, NONE, "sort", effects=True),
    "delete": (
        _overload({"items": _LIST, "index": INT64}, NONE, "delete", effects=True),
        _overload({"items": _DICT, "key": U}, NONE, "delete", effects=True),
    ),
    "slice": tuple(
        _overload({"items": type_, "start": INT64, "stop": INT64, **more}, type_, "slice", defaults=defaults)
        for type_ in (_LIST, STRING, BYTES)
        for more, defaults in (({}, (None,)), ({"step": INT64}, ()))
    ),
    "contains": (
        _overload({"items": _LIST, "value": T}, BOOL, "contains"),
        _overload({"items": _DICT, "key": U}, BOOL, "contains"),
        _overload({"text": STRING, "part": STRING}, BOOL, "contains"),
        _overload({"data": BYTES, "part": BYTES}, BOOL, "contains"),
        _overload({"data": BYTES, "byte": UINT8}, BOOL, "contains"),
    ),
    "keys": _one({"items": _DICT}, list_of(U), "keys"),
    "values": _one({"items": _DICT}, _LIST, "values"),
    "range": (
        _overload({"stop": INT64}, list_of(INT64), "range", order=(-2, 0, -1), defaults=(0, 1)),
        _overload({"start": INT64, "stop": INT64}, list_of(INT64), "range", defaults=(1,)),
        _overload({"start": INT64, "stop": INT64, "step": INT64}, list_of(INT64), "range"),
    ),
    "repeat": _one({"items": _LIST, "times": INT64}, _LIST, "repeat"),
}

_TEXTS: Final[dict[str, tuple[Overload, ...]]] = {
    "to_string": _one({"value": T}, STRING, "to_string"),
    "type": _one({"value": T}, STRING, "type_name"),
    "upper": _one({"text": STRING}, STRING, "upper"),
    "lower": _one({"text": STRING}, STRING, "lower"),
    "strip": _one({"text": STRING}, STRING, "strip"),
    "split": _one({"text": STRING, "separator": STRING}, list_of(STRING), "split"),
    "join": _one({"separator": STRING, "parts": list_of(STRING)}, STRING, "join"),
    "starts_with": _one({"text": STRING, "start": STRING}, BOOL, "starts_with"),
    "ends_with": _one({"text": STRING, "end": STRING}, BOOL, "ends_with"),
    "replace": _one({"text": STRING, "old": STRING, "new": STRING}, STRING, "replace"),
    "parse_int": _one({"text": STRING}, INT64, "parse_integer"),
    "Bytes.concat": _one({"left": BYTES, "right": BYTES}, BYTES, "bytes_concat"),
    "Bytes.from_string": _one({"value": STRING}, BYTES, "bytes_from_string"),
    "Bytes.to_string": _one({"value": BYTES}, STRING, "bytes_to_string"),
    "Bytes.from_list": _one({"values": list_of(UINT8)}, BYTES, "bytes_from_list"),
    "Bytes.to_list": _one({"value": BYTES}, list_of(UINT8), "bytes_to_list"),
    "Bytes.to_hex": _one({"value": BYTES}, STRING, "bytes_to_hex"),
}

_CONVERSIONS: Final = {name: _one({"value": T}, Type(name), Special.CONVERT) for name in NUMBER_KINDS}

_CRYPTO: Final[dict[str, tuple[Overload, ...]]] = {
    "Field.from_int": _one({"value": INT64}, BYTES, "field_from_int"),
    "Field.zero": _one({}, BYTES, "field_from_int", immediate=0),
    "Field.one": _one({}, BYTES, "field_from_int", immediate=1),
    "Field.is_zero": _one(_ELEMENT, BOOL, "field_is_zero"),
    "Field.eq": _one(_ELEMENTS, BOOL, "field_eq"),
    "Field.add": _one(_ELEMENTS, BYTES, "field_add"),
    "Field.sub": _one(_ELEMENTS, BYTES, "field_sub"),
    "Field.mul": _one(_ELEMENTS, BYTES, "field_mul"),
    "Field.neg": _one(_ELEMENT, BYTES, "field_neg"),
    "Field.inverse": _one(_ELEMENT, BYTES, "field_inverse"),
    "Field.sqrt": _one(_ELEMENT, BYTES, "field_sqrt"),
    "Crypto.sha256": _one({"message": BYTES}, BYTES, "sha256"),
    "Crypto.sha512": _one({"message": BYTES}, BYTES, "sha512"),
    "Crypto.hash_to_field": _one(_CURVE, BYTES, "hash_to_field"),
    "Crypto.field_inv": _one(_CURVE, BYTES, "curve_field_inverse"),
    "Crypto.point_x_to_field": _one(_CURVE, BYTES, "point_x_to_field"),
    "Crypto.field_to_scalar_bytes": _one(_CURVE, BYTES, "field_to_scalar_bytes"),
    "Crypto.point_to_sec1": _one(_CURVE, BYTES, "point_to_sec1"),
    "Crypto.hash_to_g1": _one({"message": BYTES}, BYTES, "hash_to_g1"),
}

RANDOM: Final = _overload({}, SHARE, "random_field", effects=True)
"""`Share.random()`; where a secret bool is wanted it is RANDOM_BIT."""
RANDOM_BIT: Final = _overload({}, SECRET_BOOL, Opcode.SECRET_RANDOM, immediate=1, effects=True)
"""A random secret bit."""
LOAD: Final = _overload({"key": STRING}, ANY, "load", effects=True)
"""`LocalStorage.load`; where a secret is wanted it is LOAD_SHARE."""
LOAD_SHARE: Final = _overload({"key": STRING}, SHARE, "load_secret", effects=True)
"""What the store holds of a secret."""

OPEN_ALL: Final = _REVEAL[1]
"""Opens a list of secrets of a kind that is known."""
OPEN_ALL_FIXED: Final = _overload(
    {"shares": list_of(SECRET_FIX64)}, list_of(FIX64), Opcode.OPEN_LIST, immediate=ValueKind.FIX64, effects=True
)
"""Opens a list of fix64; of a list of Share, the kind that is wanted where the result stands."""

_SHARES: Final[dict[str, tuple[Overload, ...]]] = {
    "ClientStore.take_share": _one(_TAKE, SHARE, Opcode.INPUT, immediate=ValueKind.INT64, effects=True),
    "ClientStore.take_share_bool": _one(_TAKE, SECRET_BOOL, Opcode.INPUT, immediate=ValueKind.BOOL, effects=True),
    "ClientStore.take_share_fixed": _one(
        _TAKE, SECRET_FIX64, Opcode.INPUT, immediate=ValueKind.FIX64, effects=True
    ),
    "ClientStore.get_number_clients": _query(INT64, Query.CLIENTS),
    "ClientStore.get_number_input_clients": _query(INT64, Query.INPUT_CLIENTS),
    "ClientStore.get_number_output_clients": _query(INT64, Query.OUTPUT_CLIENTS),
    "MpcOutput.send_to_client": _SEND,
    "Share.from_clear": _secret({"value": INT64}, Opcode.LIFT),
    "Share.from_clear_int": _secret({"value": INT64, "bits": INT64}, Opcode.LIFT_BITS),
    "Share.from_clear_uint": _secret({"value": UINT64, "bits": INT64}, Opcode.LIFT_BITS),
    "Share.from_clear_fixed": (
        _overload(
            {"value": FIX64, "total_bits": INT64, "fraction_bits": INT64}, SECRET_FIX64, Opcode.LIFT, order=(0,)
        ),
    ),
    "Share.from_field": _one({"element": BYTES}, SHARE, "share_from_field"),
    "Share.add": _secret(_PAIR, Opcode.SECRET_ADD),
    "Share.sub": _secret(_PAIR, Opcode.SECRET_SUBTRACT),
    "Share.mul": _secret(_PAIR, Opcode.SECRET_MULTIPLY),
    "Share.add_scalar": _secret({"share": SHARE, "scalar": INT64}, Opcode.SECRET_ADD_CLEAR),
    "Share.mul_scalar": _secret({"share": SHARE, "scalar": INT64}, Opcode.SECRET_SCALE),
    "Share.neg": _secret({"share": SHARE}, Opcode.SECRET_NEGATE),
    "Share.mul_field": _one({"share": SHARE, "element": BYTES}, SHARE, "share_mul_field"),
    "Share.add_field": _one({"share": SHARE, "element": BYTES}, SHARE, "share_add_field"),
    "Share.retag": (_overload({"share": SHARE, "bits": INT64}, SHARE, Special.RETAG),),
    "Share.open": _REVEAL[:1],
    "Share.reveal": _REVEAL[:1],
    "Share.open_fixed": _one({"share": SHARE}, FIX64, Opcode.OPEN, immediate=ValueKind.FIX64, effects=True),
    "Share.open_field": _one({"share": SHARE}, BYTES, Opcode.OPEN, immediate=ValueKind.FIELD, effects=True),
    "Share.batch_open": _REVEAL[1:],
    "Share.batch_open_fixed": (OPEN_ALL_FIXED, OPEN_ALL),
    "Share.batch_mul": (_overload({"a": _SECRET_LIST, "b": _SECRET_LIST}, _SECRET_LIST, Opcode.MULTIPLY_LISTS),),
    "Share.random": (RANDOM,),
    "Share.random_field": _one({}, SHARE, "random_field", effects=True),
    "Share.random_bit": (RANDOM_BIT,),
    "Share.random_int": _one({"bits": INT64}, SHARE, Opcode.SECRET_RANDOM, effects=True),
    "Share.send_to_client": (
        _overload({"share": SECRET_T, "client": INT64}, BOOL, Opcode.SEND, order=(1, 0), effects=True),
        _overload({"shares": _SECRET_LIST, "client": INT64}, BOOL, Opcode.SEND_LIST, order=(1, 0), effects=True),
    ),
    "Share.get_type": _one({"share": SECRET_T}, STRING, Special.CONSTANT, immediate="Share"),
    "Share.get_party_id": _one({"share": SECRET_T}, INT64, Special.CONSTANT, immediate=0),
    "Share.open_exp": (
        _overload({"share": SHARE, "curve_name": STRING}, BYTES, Special.OPEN_AT_GENERATOR, effects=True),
    ),
    "Share.open_exp_custom": _one({"share": SHARE, "point": BYTES}, BYTES, Opcode.OPEN_POINT, effects=True),
    "Share.get_commitment": _COMMITMENT,
    "Share.commitment_count": _one({"share": SECRET_T}, INT64, Special.CONSTANT, immediate=0),
    "Share.has_commitments": _one({"share": SECRET_T}, BOOL, Special.CONSTANT, immediate=False),
    "Avss.get_commitment": _COMMITMENT,
    "Avss.commitment_count": _one({"share": SECRET_T}, INT64, Special.CONSTANT, immediate=0),
    "Avss.get_key_name": _one({"share": SECRET_T}, STRING, Special.CONSTANT, immediate=""),
    "Avss.is_avss_share": (
        _overload({"value": SECRET_T}, BOOL, Special.CONSTANT, immediate=False),
        _overload({"value": T}, BOOL, Special.CONSTANT, immediate=False),
    ),
}

_SESSION: Final[dict[str, tuple[Overload, ...]]] = {
    "Mpc.party_id": _one({}, INT64, Special.CONSTANT, immediate=0),
    "Mpc.n_parties": _query(INT64, Query.PARTIES),
    "Mpc.threshold": _query(INT64, Query.THRESHOLD),
    "Mpc.is_ready": _one({}, BOOL, Special.CONSTANT, immediate=True),
    "Mpc.instance_id": _query(UINT64, Query.INSTANCE),
    "Mpc.field": _query(STRING, Query.FIELD),
    "Mpc.curve": _query(STRING, Query.CURVE),
    "Mpc.protocol_name": _query(STRING, Query.PROTOCOL),
    "Mpc.has_capability": _one({"name": STRING}, BOOL, Opcode.CAPABILITY),
    "Mpc.capabilities": _one({}, list_of(STRING), "capabilities"),
    "Mpc.rand": _one({}, BYTES, Special.CLEAR_RANDOM_ELEMENT, effects=True),
    "Mpc.rand_int": _one({"bits": INT64}, UINT64, Special.CLEAR_RANDOM, effects=True),
    "LocalStorage.store": (
        _overload({"key": STRING, "value": SECRET_T}, BOOL, "store_secret", effects=True),
        _overload({"key": STRING, "value": T}, BOOL, "store", effects=True),
    ),
    "LocalStorage.load": (LOAD,),
    "LocalStorage.load_share": (LOAD_SHARE,),
    "LocalStorage.retrieve": (LOAD,),
    "LocalStorage.delete": _one({"key": STRING}, BOOL, "delete_stored", effects=True),
    "LocalStorage.exists": _one({"key": STRING}, BOOL, "exists", effects=True),
    "Rbc.broadcast": _one({"message": STRING}, INT64, "broadcast", effects=True),
    "Rbc.receive": _one({"from_party": INT64, "timeout_ms": INT64}, STRING, "receive", effects=True),
    "Rbc.receive_any": _one({"timeout_ms": INT64}, STRING, "receive_any", effects=True),
    "create_closure": _one({"function_name": STRING}, CLOSURE, Special.MAKE_CLOSURE, effects=True),
    "create_closure_with_upvalue": _one(
        {"function_name": STRING, "upvalue_name": STRING}, CLOSURE, Special.MAKE_CLOSURE, effects=True
    ),
    "call_closure": _one({"closure": CLOSURE}, ANY, Special.CALL_CLOSURE, effects=True),
    "call_closure_with_arg": _one({"closure": CLOSURE, "value": T}, ANY, Special.CALL_CLOSURE, effects=True),
    "get_upvalue": _one({"name": STRING}, ANY, "get_captured", effects=True),
    "set_upvalue": _one({"name": STRING, "value": T}, NONE, "set_captured", effects=True),
}

BUILTINS: Final[dict[str, tuple[Overload, ...]]] = {
    "print": _one({}, NONE, Special.PRINT, effects=True),
    "reveal": _REVEAL,
    "select": (
        _overload({"condition": BOOL, "a": T, "b": T}, T, Special.SELECT),
        _overload({"condition": SECRET_BOOL, "a": SECRET_T, "b": SECRET_T}, SECRET_T, Opcode.SECRET_SELECT),
    ),
    "min": _extremes(Opcode.MINIMUM, Opcode.SECRET_MINIMUM),
    "max": _extremes(Opcode.MAXIMUM, Opcode.SECRET_MAXIMUM),
    "abs": (
        _overload({"value": INT64}, INT64, Opcode.ABSOLUTE),
        _overload({"value": SECRET_T}, SECRET_T, Opcode.SECRET_ABSOLUTE),
    ),
    "divmod": (
        _overload({"a": INT64, "b": INT64}, list_of(INT64), Special.DIVMOD),
        _overload({"a": SECRET_INT64, "b": SECRET_INT64}, list_of(SECRET_INT64), Special.DIVMOD),
    ),
    **_COLLECTIONS,
    **_TEXTS,
    **_CONVERSIONS,
    **_CRYPTO,
    **_SHARES,
    **_SESSION,
}
"""Every builtin with its overloads."""

AS_OPERATORS: Final = {
    "Share.add": "+",
    "Share.sub": "-",
    "Share.mul": "*",
    "Share.add_scalar": "+",
    "Share.mul_scalar": "*",
}
"""Methods that are the operator where an operand is a secret fixed-point number, whose products are rounded."""

REFUSED: Final[dict[str, tuple[str, str]]] = {
    "Share.interpolate_local": (
        "a program runs once for the whole committee, so it has no shares of several parties to put together",
        "use `open`",
    ),
}
"""Members that are refused on purpose: why, and what to use."""

NAMESPACES: Final = frozenset(name.split(".")[0] for name in BUILTINS if "." in name)
"""Names that hold builtins."""
