"""What a function behind NATIVE is: its operands, and how it is run.

The arguments are clear registers in a row and secret registers in a row. A native checks the types of what it
reads, charges for what it allocates, and touches nothing but its arguments, its result and the state given to it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from quorate.protocol.vm.engine import Secret
from quorate.protocol.vm.limits import Fault, WrongType

if TYPE_CHECKING:
    from quorate.protocol.vm.state import State


@dataclasses.dataclass(frozen=True, slots=True)
class Native:
    """A function of the machine: `run(state, clear arguments, secret arguments)`.

    `gives_secret` says in which register file the result lands. A dry run steps over one that is `pure`, when an
    argument is unknown: its result is unknown too.
    """

    name: str
    clear: int
    run: Callable[[State, Sequence[Any], Sequence[Secret]], Any]
    secrets: int = 0
    gives_secret: bool = False
    pure: bool = True


def integer(value: Any) -> int:
    """A clear integer; raises WrongType."""
    if type(value) is not int:
        raise WrongType("the value is not an integer")
    return value


def text(value: Any) -> str:
    """A clear string; raises WrongType."""
    if type(value) is not str:
        raise WrongType("the value is not a string")
    return value


def octets(value: Any) -> bytes:
    """Clear bytes; raises WrongType."""
    if type(value) is not bytes:
        raise WrongType("the value is not bytes")
    return value


def items(value: Any) -> list[Any]:
    """A list; raises WrongType."""
    if type(value) is not list:
        raise WrongType("the value is not a list")
    return value


def size_in_cells(value: str | bytes) -> int:
    """What a text or bytes are charged."""
    return (len(value) >> 3) + 1


def index_in(values: Sequence[Any], index: Any) -> int:
    """A position counted from the start; raises Fault outside `values`."""
    position, size = integer(index), len(values)
    if not -size <= position < size:
        has = f"has indexes 0 to {size - 1}" if size else "is empty"
        raise Fault(f"there is no element {position}; the list {has}")
    return position + size if position < 0 else position
