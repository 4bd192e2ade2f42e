"""What people type: `name=value` for clients and arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from quorate.marketplace.details import MAX_CLIENTS
from quorate.node.errors import UsageError

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
MAX_DIGITS: Final = 40
"""The longest number that is read."""


def parse_assignment(text: str, *, option: str) -> tuple[str, tuple[int, ...]]:
    """`name=1` or `name=1,2,3` as a name and its integers (true and false are 1 and 0); UsageError.

    The error never quotes the value, since it may be a secret.
    """
    name, equals, listed = text.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise UsageError(
            f"{option} was not understood",
            why="it must be NAME=VALUE or NAME=VALUE,VALUE,...; a name has letters, digits and . _ -",
            todo=f"write for example {option} alice=120",
        )
    return name, tuple(_integer(part.strip(), option=option, name=name) for part in listed.split(","))


def parse_inputs(texts: Sequence[str], *, option: str = "--input") -> dict[str, tuple[int, ...]]:
    """The values of every client by name, in the order given; a client named again gives more values."""
    inputs: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, values = parse_assignment(text, option=option)
        inputs[name] = inputs.get(name, ()) + values
    if len(inputs) > MAX_CLIENTS:
        raise UsageError(f"{len(inputs)} clients", why=f"the most is {MAX_CLIENTS}", todo="leave some out")
    return inputs


def _integer(text: str, *, option: str, name: str) -> int:
    if text in ("true", "false"):
        return int(text == "true")
    if len(text) <= MAX_DIGITS and re.fullmatch(r"[+-]?(0[xX][0-9a-fA-F]+|[0-9][0-9_]*)", text):
        return int(text, 0) if "x" in text.lower() else int(text)
    raise UsageError(
        f"the value of {option} {name} is no integer",
        why="values are integers, or true and false; fractions must be scaled by you",
        todo=f"write for example {option} {name}=120",
    )
