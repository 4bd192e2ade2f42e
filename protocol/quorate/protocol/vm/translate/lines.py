"""Lines of translated code, and what the machine does when one of them raises an exception."""

from __future__ import annotations

import dataclasses
import enum
from typing import Final


class Mode(enum.Enum):
    """How far an instruction has come when one of its lines raises an exception.

    BEFORE: nothing has happened, the machine does the whole instruction. COUNTED: the instruction has failed for
    good, its step is not yet counted in the state. DONE: likewise, and the state's counters are right. AFTER: the
    instruction is complete, the machine goes on with the next one.
    """

    BEFORE = enum.auto()
    AFTER = enum.auto()
    COUNTED = enum.auto()
    DONE = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of Python, the instruction that it belongs to, and its depth within that instruction."""

    text: str
    index: int = 0
    mode: Mode = Mode.BEFORE
    depth: int = 0


GUARD: Final = "raise Untranslatable"
"""What translated code does where the machine has to take over."""


def clear_name(register: int) -> str:
    """The variable of a clear register."""
    return f"c{register}"


def secret_name(register: int) -> str:
    """The variable of a secret register."""
    return f"s{register}"
