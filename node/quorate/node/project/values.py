"""Values of clients between people and the field: how a number of each kind becomes an element, and is read back.

A bool is 0 or 1, an integer itself, a fixed-point number its count of 2^-16, a field element its residue. Where a
fixed-point number is wanted, an `int` is that count (98304 for 1.5) and a Fraction is the number itself: on the command
line 98304 and 1.5 say the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from quorate.marketplace.details import MAX_CLIENTS
from quorate.node.errors import UsageError
from quorate.protocol.mpc import InputKind
from quorate.protocol.vm import ValueKind

MAX_DIGITS: Final = 80
"""The longest number that is read."""
MAX_VALUES: Final = 1 << 14
"""The most values of one client."""
FRACTION_BITS: Final = 16
"""The bits behind the point of fix32 and fix64."""

Number = int | Fraction
"""A value that a client gives; a bool is the integer 0 or 1."""
Plain = int | bool | Fraction
"""A value that a client receives."""
_WIDTH: Final = re.compile(r"(u?)int([0-9]+)")
_NUMBER: Final = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9][0-9_]*(?:\.[0-9]+)?)")


def kind_name(kind: ValueKind) -> str:
    """The kind as the language writes the type behind `secret`."""
    return kind.name.lower()


def is_fixed(kind: ValueKind) -> bool:
    """Whether values of `kind` are fixed-point numbers."""
    return kind_name(kind).startswith("fix")


def input_kind(kind: ValueKind) -> InputKind:
    """What the committee checks about an input of `kind`: a bit, an integer of its width, or nothing."""
    name = kind_name(kind)
    if name == "bool":
        return InputKind(1)
    if is_fixed(kind):
        return InputKind(int(name[3:]), signed=True)
    width = _WIDTH.fullmatch(name)
    return InputKind() if width is None else InputKind(int(width[2]), signed=not width[1])


def encode(value: Number, kind: ValueKind) -> int:
    """The field element of `value`; raises ValueError, which does not quote it, when it is no value of `kind`."""
    if is_fixed(kind) and isinstance(value, Fraction):
        units = Fraction(value) * (1 << FRACTION_BITS) + Fraction(1, 2)
        number = units.numerator // units.denominator
    elif isinstance(value, Fraction) and value.denominator != 1:
        raise ValueError(f"a fraction for an input of type {kind_name(kind)}")
    else:
        number = int(value)
    demanded = input_kind(kind)
    if demanded.bits is not None and not 0 <= number + demanded.offset < 1 << demanded.bits:
        raise ValueError(f"a number outside {kind_name(kind)}")
    return number


def decode(number: int, kind: ValueKind) -> Plain:
    """What a client reads in the signed integer `number` of `kind`."""
    if kind is ValueKind.BOOL:
        return bool(number)
    return Fraction(number, 1 << FRACTION_BITS) if is_fixed(kind) else number


def parse_client_inputs(texts: Sequence[str], *, option: str = "--client-input") -> dict[int, tuple[Number, ...]]:
    """`SLOT=VALUE` or `SLOT=VALUE,VALUE`, repeated, as the values of every slot; UsageError, which quotes none."""
    inputs: dict[int, tuple[Number, ...]] = {}
    for text in texts:
        slot, equals, listed = text.partition("=")
        if not equals or not re.fullmatch(r"[0-9]{1,3}", slot) or int(slot) >= MAX_CLIENTS:
            raise UsageError(
                f"{option} was not understood",
                why=f"it must be SLOT=VALUE or SLOT=VALUE,VALUE,...; slots are 0 to {MAX_CLIENTS - 1}",
                todo=f"write for example {option} 0=120",
            )
        given = tuple(_number(part.strip(), option=option, slot=slot) for part in listed.split(","))
        inputs[int(slot)] = inputs.get(int(slot), ()) + given
        if len(inputs[int(slot)]) > MAX_VALUES:
            raise UsageError(f"client {slot} gives too many values", why=f"the most is {MAX_VALUES}")
    return inputs


def _number(text: str, *, option: str, slot: str) -> Number:
    if text in ("true", "false"):
        return int(text == "true")
    if len(text) <= MAX_DIGITS and _NUMBER.fullmatch(text):
        if "x" in text.lower():
            return int(text, 16)
        return Fraction(text.replace("_", "")) if "." in text else int(text)
    raise UsageError(
        f"a value of {option} {slot} is no number",
        why="values are integers, decimals such as 2.5 for fixed-point inputs, true and false",
        todo=f"write for example {option} {slot}=120",
    )


def named_inputs(inputs: Mapping[int, Sequence[Number]]) -> dict[tuple[int, int], Number]:
    """Every value by client and index."""
    return {(client, index): value for client, values in inputs.items() for index, value in enumerate(values)}
