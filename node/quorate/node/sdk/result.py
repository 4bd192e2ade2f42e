"""What a run gave, as values with names and types."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from quorate.node.errors import UsageError
from quorate.node.project.values import Plain


@dataclasses.dataclass(frozen=True, slots=True)
class TypedValue:
    """One value that a client received: its name, as alice[0], its type in the language, and itself."""

    name: str
    type: str
    value: Plain = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Costs:
    """What the run took at one party: `phases` in seconds by name."""

    rounds: int
    multiplications: int
    bytes_sent: int
    phases: Mapping[str, float]


@dataclasses.dataclass(frozen=True, slots=True)
class ProgramResult:
    """The public value of the entry function, the values of every client by name, and the printed lines.

    A public value is None, bool, int, str, bytes, float, Fraction, or a list or dict of these; secrets in it are
    None. `costs` is None in the clear, and on a network, where every member reports its own.
    """

    value: Any
    outputs: Mapping[str, tuple[TypedValue, ...]]
    printed: tuple[str, ...] = ()
    costs: Costs | None = None

    def output(self, client: str | int) -> tuple[Plain, ...]:
        """The values that `client` received, in order; raises UsageError when it received none."""
        received = self.outputs.get(str(client))
        if received is None:
            raise UsageError(
                f"client {client} received nothing",
                why=f"outputs went to {', '.join(self.outputs) or 'nobody'}",
                todo="send it something in the program, or name another client",
            )
        return tuple(one.value for one in received)
