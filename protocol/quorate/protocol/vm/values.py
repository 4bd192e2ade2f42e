"""Values in clear registers: arguments from outside, what leaves the machine, and how they are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from quorate.protocol.errors import ProgramError

from .closure import Closure
from .engine import Secret
from .limits import MAX_CELLS, MAX_NESTING, WrongType
from .numbers import CLEAR_FIXED_RANGES, FIXED_RANGES, INTEGER_RANGES, NAMES, Fixed, nearest_units
from .opcodes import ValueKind
from .program import Function

_NUMBERS: Final = {NAMES[kind]: kind for kind in (*INTEGER_RANGES, *FIXED_RANGES)}
"""The kinds of numbers with a range, by their names."""


def check_arguments(function: Function, arguments: Sequence[Any]) -> list[Any]:
    """Fresh copies of an entry function's arguments; raises ProgramError when they do not fit its parameters."""
    if len(arguments) != len(function.parameters):
        raise ProgramError(
            f"{function.name} takes {len(function.parameters)} arguments, {len(arguments)} were given; "
            "pass one for each parameter"
        )
    values = []
    for parameter, argument in zip(function.parameters, arguments, strict=True):
        if "secret" in parameter.type:
            raise ProgramError(
                f"parameter {parameter.name} of {function.name} is secret; an entry function takes public "
                "arguments and reads secrets with ClientStore.take_share"
            )
        values.append(_argument(argument, parameter.type, f"argument {parameter.name}"))
    return values


def _argument(value: Any, kind: str, where: str) -> Any:
    if kind.startswith("list[") and kind.endswith("]"):
        if not isinstance(value, list | tuple):
            raise ProgramError(f"{where} is not a {kind}")
        if len(value) > MAX_CELLS:
            raise ProgramError(f"{where} is longer than {MAX_CELLS}")
        return [_argument(item, kind[5:-1], where) for item in value]
    number = _NUMBERS.get(kind)
    expected = {"bool": bool, "string": str, "bytes": bytes, "float": float}.get(
        kind, int if number is not None else None
    )
    if number is not None and number in FIXED_RANGES and type(value) in (int, float, Fraction):
        units = nearest_units(value)
        least, most = CLEAR_FIXED_RANGES[number]
        value, inside = Fixed(units), least <= units <= most
    elif expected is None or type(value) is not expected:
        raise ProgramError(f"{where} is not a {kind}")
    else:
        inside = number is None or _inside(value, number)
    if not inside or (type(value) is float and not math.isfinite(value)):
        raise ProgramError(f"{where} is outside {kind}")
    return value


def _inside(value: Any, kind: ValueKind) -> bool:
    least, most = INTEGER_RANGES[kind]
    return bool(least <= value <= most)


def plain(value: Any) -> Any:
    """A copy of a clear value for the outside: lists are new, fixed-point numbers Fractions, secrets None.

    Raises ProgramError if it is nested too deep or too long.
    """
    budget = [MAX_CELLS]
    return _plain(value, MAX_NESTING, budget)


def _plain(value: Any, depth: int, budget: list[int]) -> Any:
    if isinstance(value, Secret):
        return None
    if isinstance(value, Fixed):
        return value.fraction
    if isinstance(value, Closure):
        return None
    if isinstance(value, dict):
        _spend(budget, 2 * len(value), depth)
        return {key: _plain(item, depth - 1, budget) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    _spend(budget, len(value), depth)
    return [_plain(item, depth - 1, budget) for item in value]


def _spend(budget: list[int], size: int, depth: int) -> None:
    budget[0] -= size
    if depth == 0 or budget[0] < 0:
        raise ProgramError(f"the returned value is nested deeper than {MAX_NESTING} or longer than {MAX_CELLS}")


def secrets_of(value: Any) -> list[Secret]:
    """The handles in a list; raises WrongType for anything else."""
    if not isinstance(value, list) or not all(isinstance(item, Secret) for item in value):
        raise WrongType("the value is not a list of secrets")
    return value
