"""Values in clear registers: arguments from outside, what leaves the machine, and how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from quorate.protocol.errors import ProgramError

from .engine import Secret
from .limits import MAX_CELLS, MAX_NESTING, Fault, WrongType
from .program import INT64_LEAST, INT64_MOST, Function

MAX_SHOWN_CHARACTERS: Final = 1 << 14
"""The longest text that one value is shown as."""


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
    expected = {"int64": int, "bool": bool, "string": str}.get(kind)
    if expected is None or type(value) is not expected:
        raise ProgramError(f"{where} is not a {kind}")
    if type(value) is int and not INT64_LEAST <= value <= INT64_MOST:
        raise ProgramError(f"{where} is outside int64")
    return value


def plain(value: Any) -> Any:
    """A copy of a clear value for the outside: lists are new, secrets become None.

    Raises ProgramError if it is nested too deep or too long.
    """
    budget = [MAX_CELLS]
    return _plain(value, MAX_NESTING, budget)


def _plain(value: Any, depth: int, budget: list[int]) -> Any:
    if isinstance(value, Secret):
        return None
    if not isinstance(value, list):
        return value
    budget[0] -= len(value)
    if depth == 0 or budget[0] < 0:
        raise ProgramError(f"the returned list is nested deeper than {MAX_NESTING} or longer than {MAX_CELLS}")
    return [_plain(item, depth - 1, budget) for item in value]


def secrets_of(value: Any) -> list[Secret]:
    """The handles in a list; raises WrongType for anything else."""
    if not isinstance(value, list) or not all(isinstance(item, Secret) for item in value):
        raise WrongType("the value is not a list of secrets")
    return value


def show(value: Any) -> str:
    """A clear value as `print` writes it; raises Fault when it is too long or too deep."""
    parts: list[str] = []
    _show(value, MAX_NESTING, parts)
    text = "".join(parts)
    if len(text) > MAX_SHOWN_CHARACTERS:
        raise Fault(f"a value is longer than {MAX_SHOWN_CHARACTERS} characters; print a part of it")
    return text


def _show(value: Any, depth: int, parts: list[str]) -> None:
    if len(parts) > MAX_SHOWN_CHARACTERS or depth == 0:
        raise Fault(f"a list is longer than {MAX_SHOWN_CHARACTERS} or too deep to print; print a part of it")
    if not isinstance(value, list):
        parts.append(str(value))
        return
    parts.append("[")
    for index, item in enumerate(value):
        if index:
            parts.append(", ")
        _show(item, depth - 1, parts)
    parts.append("]")
