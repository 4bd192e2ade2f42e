"""What a run may use at most, and the errors of a run."""

from __future__ import annotations

import dataclasses
from typing import Final

from quorate.protocol.errors import ProgramError

MAX_STEPS: Final = 50_000_000
"""The most instructions of one run; copying lists and opening frames is charged as well."""
MAX_CELLS: Final = 8_000_000
"""The most list elements and 8-byte pieces of text that one run may ever allocate."""
MAX_CALL_DEPTH: Final = 256
"""The most functions that are active at once."""
MAX_PRINTED_CHARACTERS: Final = 1 << 16
"""The most characters that one run may print."""
MAX_NESTING: Final = 8
"""How deep lists are shown, and returned by the entry function."""


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one run; every party of a session must use the same."""

    steps: int = MAX_STEPS
    cells: int = MAX_CELLS
    call_depth: int = MAX_CALL_DEPTH
    printed_characters: int = MAX_PRINTED_CHARACTERS


class ProgramFailure(ProgramError):
    """The program failed in the middle: `reason`, in `function` at `line` of `source`."""

    def __init__(self, reason: str, *, source: str, line: int, function: str) -> None:
        super().__init__(f"{source}:{line}: in {function}: {reason}")
        self.reason = reason
        self.source = source
        self.line = line
        self.function = function


class Fault(Exception):
    """A failure inside an instruction, before its place in the source is known; the machine turns it around."""


class WrongType(Fault):
    """A value in a clear register is not what the instruction works on."""
