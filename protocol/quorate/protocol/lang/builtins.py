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

from .types import BOOL, INT64, NONE, SECRET_BOOL, SECRET_INT64, SECRET_T, STRING, T, Type, list_of


class Special(enum.Enum):
    """Builtins that are more than one instruction."""

    PRINT = enum.auto()
    SELECT = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True)
class Overload:
    """One signature. `order` maps the instruction's operands to parameters; `immediate` is its last one."""

    parameters: tuple[tuple[str, Type], ...]
    result: Type
    lowering: Opcode | Special
    order: tuple[int, ...] = ()
    immediate: int | None = None

    @property
    def signature(self) -> str:
        """The parameters and the result as a user writes them."""
        parameters = ", ".join(f"{name}: {type_}" for name, type_ in self.parameters)
        return f"({parameters}) -> {self.result}"


def _overload(
    parameters: dict[str, Type],
    result: Type,
    lowering: Opcode | Special,
    *,
    order: Iterable[int] | None = None,
    immediate: int | None = None,
) -> Overload:
    places = tuple(range(len(parameters))) if order is None else tuple(order)
    return Overload(tuple(parameters.items()), result, lowering, places, immediate)


def _query(result: Type, query: Query) -> tuple[Overload, ...]:
    return (_overload({}, result, Opcode.QUERY, immediate=query),)


def _secret(parameters: dict[str, Type], opcode: Opcode) -> tuple[Overload, ...]:
    return (_overload(parameters, SECRET_INT64, opcode),)


_LIST = list_of(T)
_SECRET_LIST = list_of(SECRET_T)
_PAIR = {"a": SECRET_INT64, "b": SECRET_INT64}
_TAKE = {"client": INT64, "index": INT64}
_REVEAL = (
    _overload({"value": SECRET_T}, T, Opcode.OPEN),
    _overload({"values": _SECRET_LIST}, _LIST, Opcode.OPEN_LIST),
)
_EXTREMES = {"a": INT64, "b": INT64}

BUILTINS: Final[dict[str, tuple[Overload, ...]]] = {
    "print": (_overload({}, NONE, Special.PRINT),),
    "len": (
        _overload({"items": _LIST}, INT64, Opcode.LENGTH),
        _overload({"text": STRING}, INT64, Opcode.LENGTH),
    ),
    "append": (_overload({"items": _LIST, "value": T}, NONE, Opcode.APPEND),),
    "pop": (_overload({"items": _LIST}, T, Opcode.POP),),
    "reveal": _REVEAL,
    "select": (
        _overload({"condition": BOOL, "a": T, "b": T}, T, Special.SELECT),
        _overload({"condition": SECRET_BOOL, "a": SECRET_T, "b": SECRET_T}, SECRET_T, Opcode.SECRET_SELECT),
    ),
    "min": (_overload(_EXTREMES, INT64, Opcode.MINIMUM), *_secret(_PAIR, Opcode.SECRET_MINIMUM)),
    "max": (_overload(_EXTREMES, INT64, Opcode.MAXIMUM), *_secret(_PAIR, Opcode.SECRET_MAXIMUM)),
    "abs": (
        _overload({"value": INT64}, INT64, Opcode.ABSOLUTE),
        *_secret({"value": SECRET_INT64}, Opcode.SECRET_ABSOLUTE),
    ),
    "ClientStore.take_share": (_overload(_TAKE, SECRET_INT64, Opcode.INPUT, immediate=ValueKind.INT64),),
    "ClientStore.take_share_bool": (_overload(_TAKE, SECRET_BOOL, Opcode.INPUT, immediate=ValueKind.BOOL),),
    "ClientStore.get_number_clients": _query(INT64, Query.CLIENTS),
    "ClientStore.get_number_input_clients": _query(INT64, Query.INPUT_CLIENTS),
    "ClientStore.get_number_output_clients": _query(INT64, Query.OUTPUT_CLIENTS),
    "MpcOutput.send_to_client": (
        _overload({"client": INT64, "value": SECRET_T}, NONE, Opcode.SEND),
        _overload({"client": INT64, "values": _SECRET_LIST}, NONE, Opcode.SEND_LIST),
    ),
    "Share.from_clear": _secret({"value": INT64}, Opcode.LIFT),
    "Share.from_clear_int": _secret({"value": INT64, "bits": INT64}, Opcode.LIFT_BITS),
    "Share.add": _secret(_PAIR, Opcode.SECRET_ADD),
    "Share.sub": _secret(_PAIR, Opcode.SECRET_SUBTRACT),
    "Share.mul": _secret(_PAIR, Opcode.SECRET_MULTIPLY),
    "Share.add_scalar": _secret({"share": SECRET_INT64, "scalar": INT64}, Opcode.SECRET_ADD_CLEAR),
    "Share.mul_scalar": _secret({"share": SECRET_INT64, "scalar": INT64}, Opcode.SECRET_SCALE),
    "Share.neg": _secret({"share": SECRET_INT64}, Opcode.SECRET_NEGATE),
    "Share.open": _REVEAL[:1],
    "Share.reveal": _REVEAL[:1],
    "Share.batch_open": _REVEAL[1:],
    "Share.batch_mul": (_overload({"a": _SECRET_LIST, "b": _SECRET_LIST}, _SECRET_LIST, Opcode.MULTIPLY_LISTS),),
    "Share.random": _secret({}, Opcode.SECRET_RANDOM),
    "Share.random_int": _secret({"bits": INT64}, Opcode.SECRET_RANDOM),
    "Share.send_to_client": (
        _overload({"share": SECRET_T, "client": INT64}, NONE, Opcode.SEND, order=(1, 0)),
        _overload({"shares": _SECRET_LIST, "client": INT64}, NONE, Opcode.SEND_LIST, order=(1, 0)),
    ),
    "Mpc.n_parties": _query(INT64, Query.PARTIES),
    "Mpc.threshold": _query(INT64, Query.THRESHOLD),
    "Mpc.field": _query(STRING, Query.FIELD),
    "Mpc.protocol_name": _query(STRING, Query.PROTOCOL),
    "Mpc.has_capability": (_overload({"name": STRING}, BOOL, Opcode.CAPABILITY),),
}
"""Every builtin with its overloads."""

RANDOM_BITS: Final = 63
"""The size of `Share.random()`, which fits int64."""

REFUSED: Final[dict[str, tuple[str, str]]] = {
    "Mpc.party_id": (
        "every party must take the same steps, so a program cannot know which party runs it",
        "use a client number, or Mpc.n_parties()",
    ),
    "Mpc.rand": ("a clear random number would differ between the parties", "use Share.random() and reveal it"),
    "Mpc.rand_int": ("a clear random number would differ between the parties", "use Share.random_int(bits)"),
    "Share.get_party_id": (
        "every party must take the same steps, so a program cannot know which party runs it",
        "use a client number",
    ),
}
"""Members that are refused on purpose: why, and what to use."""

NAMESPACES: Final = frozenset(name.split(".")[0] for name in BUILTINS if "." in name)
"""Names that hold builtins."""
