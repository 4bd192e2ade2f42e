"""The code of one function while it grows: instructions, labels, registers, constants.

Registers are a stack in each file: a variable takes the next one when it is declared, an expression's temporaries
lie above and are given back when it is done.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from quorate.protocol.vm.opcodes import OPERANDS, TERMINATORS, Opcode, Operand
from quorate.protocol.vm.program import (
    MAX_CONSTANTS,
    MAX_INSTRUCTIONS_PER_FUNCTION,
    MAX_REGISTERS,
    MAX_TEXT_BYTES,
    Constant,
    Instruction,
)

from .source import Source, Span
from .types import Type

_TARGETS: Final = (Operand.CLEAR_TARGET, Operand.SECRET_TARGET)


class OutOfRoom(Exception):
    """The function needs more registers, constants or instructions than there are; `what` says which."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclasses.dataclass(frozen=True, slots=True)
class Register:
    """A register of one of the two files."""

    index: int
    secret: bool


class Constants:
    """The constants of a program, each once."""

    def __init__(self) -> None:
        self._indexes: dict[tuple[type, object], int] = {}
        self._values: list[Constant] = []

    def index(self, value: Constant) -> int:
        """The index of `value`."""
        if isinstance(value, str) and len(value.encode()) > MAX_TEXT_BYTES:
            raise OutOfRoom(f"a string of more than {MAX_TEXT_BYTES} bytes")
        key = (type(value), value.hex() if isinstance(value, float) else value)
        index = self._indexes.setdefault(key, len(self._values))
        if index == len(self._values):
            self._values.append(value)
        if index >= MAX_CONSTANTS:
            raise OutOfRoom(f"more than {MAX_CONSTANTS} constants")
        return index

    def values(self) -> tuple[Constant, ...]:
        """All constants, by index."""
        return tuple(self._values)


class Label:
    """A place in the code that jumps may name before it is known."""

    def __init__(self) -> None:
        self.position: int | None = None
        self.jumps: list[int] = []


class FunctionBuilder:
    """Builds the code of one function."""

    def __init__(self, source: Source, constants: Constants) -> None:
        self._source = source
        self._constants = constants
        self._code: list[list[int]] = []
        self._lines: list[int] = []
        self._line = 0
        self._used = [0, 0]
        self._most = [1, 1]
        self._barrier = 0

    def at(self, span: Span) -> None:
        """The instructions to come belong to the line of `span`."""
        self._line = self._source.position(span.start)[0]

    def take(self, *, secret: bool, count: int = 1) -> Register:
        """The next free register; with `count`, the first of several in a row."""
        index = self._used[secret]
        self._used[secret] += count
        if self._used[secret] > MAX_REGISTERS:
            raise OutOfRoom(f"more than {MAX_REGISTERS} registers")
        self._most[secret] = max(self._most[secret], self._used[secret])
        return Register(index, secret)

    def take_for(self, type_: Type) -> Register:
        """The next free register of the file that holds values of `type_`."""
        return self.take(secret=type_.secret)

    def mark(self) -> tuple[int, int]:
        """How many registers are in use."""
        return self._used[0], self._used[1]

    def release(self, mark: tuple[int, int]) -> None:
        """Give back every register taken since `mark`."""
        self._used = [*mark]

    def emit(self, opcode: Opcode, *operands: Register | int) -> None:
        """Append an instruction."""
        if len(self._code) >= MAX_INSTRUCTIONS_PER_FUNCTION:
            raise OutOfRoom(f"more than {MAX_INSTRUCTIONS_PER_FUNCTION} instructions")
        values = [operand.index if isinstance(operand, Register) else operand for operand in operands]
        assert len(values) == len(OPERANDS[opcode])
        self._code.append([opcode, *values])
        self._lines.append(self._line)

    def load(self, target: Register, value: Constant) -> None:
        """Put a constant into a clear register."""
        self.emit(Opcode.LOAD, target, self._constants.index(value))

    def constant(self, value: Constant) -> Register:
        """A new register with a constant."""
        target = self.take(secret=False)
        self.load(target, value)
        return target

    def move(self, target: Register, source: Register, *, temporary_from: int) -> None:
        """Copy a register; a temporary (from that index on) just computed is computed in place instead."""
        assert target.secret == source.secret
        if target == source:
            return
        if self._code and len(self._code) > self._barrier and source.index >= temporary_from:
            last = self._code[-1]
            kinds = OPERANDS[Opcode(last[0])]
            wanted = _TARGETS[source.secret]
            if kinds and kinds[0] is wanted and last[1] == source.index:
                last[1] = target.index
                return
        self.emit(Opcode.MOVE_SECRET if target.secret else Opcode.MOVE, target, source)

    def copy(self, target: Register, source: Register) -> None:
        """Copy a register to another one."""
        if target != source:
            self.emit(Opcode.MOVE_SECRET if target.secret else Opcode.MOVE, target, source)

    def jump(self, label: Label, *, when: Register | None = None, unless: Register | None = None) -> None:
        """Jump to `label`: always, or when a register is true, or unless it is."""
        label.jumps.append(len(self._code))
        if when is not None:
            self.emit(Opcode.JUMP_IF, when, 0)
        elif unless is not None:
            self.emit(Opcode.JUMP_UNLESS, unless, 0)
        else:
            self.emit(Opcode.JUMP, 0)

    def place(self, label: Label) -> None:
        """Let `label` be here."""
        label.position = self._barrier = len(self._code)

    def ends_openly(self) -> bool:
        """Whether control may reach the place behind the last instruction."""
        return not self._code or self._barrier == len(self._code) or self._code[-1][0] not in TERMINATORS

    def finish(self, labels: list[Label]) -> tuple[tuple[Instruction, ...], tuple[int, ...], tuple[int, int]]:
        """The code with its jumps filled in, its lines, and how many registers of each file it needs."""
        for label in labels:
            assert label.position is not None
            for jump in label.jumps:
                self._code[jump][-1] = label.position
        return tuple(map(tuple, self._code)), tuple(self._lines), (self._most[0], self._most[1])
