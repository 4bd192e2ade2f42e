"""Bytecode to better bytecode, function by function; what a program computes, prints and opens stays the same.

| level | what is done |
|---|---|
| 0 | nothing |
| 1 | operations on constants are computed, jumps on constants decided, code that is not reached removed |
| 2 | also: constants and copies that nothing reads are removed |
| 3 | the same again, until nothing changes |

An operation that would fail is left where it is, so that it fails when it is reached. Secret operations are left to
the engine, which batches them as the program runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from quorate.protocol.vm.limits import Fault
from quorate.protocol.vm.natives import NATIVES
from quorate.protocol.vm.numbers import Fixed, Operator, operate
from quorate.protocol.vm.opcodes import OPERANDS, OPERATION_KINDS, TERMINATORS, Opcode, Operand, ValueKind
from quorate.protocol.vm.program import MAX_CONSTANTS, Constant, Function, Instruction, Program

from .function_builder import Constants

LEVELS: Final = range(4)
"""The levels there are."""
MAX_PASSES: Final = 8
"""The most passes of level 3."""

_FOLDED: Final = {
    Opcode.ADD: Operator.ADD,
    Opcode.SUBTRACT: Operator.SUBTRACT,
    Opcode.MULTIPLY: Operator.MULTIPLY,
    Opcode.DIVIDE: Operator.DIVIDE,
    Opcode.REMAINDER: Operator.REMAINDER,
    Opcode.FLOOR_DIVIDE: Operator.FLOOR_DIVIDE,
    Opcode.MODULO: Operator.MODULO,
    Opcode.BIT_AND: Operator.BIT_AND,
    Opcode.BIT_OR: Operator.BIT_OR,
    Opcode.BIT_XOR: Operator.BIT_XOR,
    Opcode.SHIFT_LEFT: Operator.SHIFT_LEFT,
    Opcode.SHIFT_RIGHT: Operator.SHIFT_RIGHT,
    Opcode.LESS: Operator.LESS,
    Opcode.LESS_EQUAL: Operator.LESS_EQUAL,
    Opcode.MINIMUM: Operator.MINIMUM,
    Opcode.MAXIMUM: Operator.MAXIMUM,
}
_BRANCHES: Final = {Opcode.JUMP_IF: True, Opcode.JUMP_UNLESS: False}


def optimise(program: Program, *, level: int) -> Program:
    """`program` at a level from 0 to 3; raises ValueError for another one."""
    if level not in LEVELS:
        raise ValueError(f"there is no optimiser level {level}; use 0 to {LEVELS[-1]}")
    if level == 0:
        return program
    constants = Constants()
    for constant in program.constants:
        constants.index(constant)
    arities = [function.clear_parameters for function in program.functions]
    functions = []
    for function in program.functions:
        code = _Code(function, constants, arities)
        for _ in range(MAX_PASSES if level == 3 else 1):
            before = list(code.code)
            code.fold()
            code.remove(code.unreached())
            if level >= 2:
                code.remove(code.unread())
            if code.code == before:
                break
        functions.append(dataclasses.replace(function, code=tuple(code.code), lines=tuple(code.lines)))
    return Program(program.source, constants.values(), tuple(functions))


class _Code:
    """The code of one function while it is worked on."""

    def __init__(self, function: Function, constants: Constants, arities: Sequence[int]) -> None:
        self.code = list(function.code)
        self.lines = list(function.lines)
        self._registers = function.clear_registers
        self._constants = constants
        self._arities = arities

    def _targets(self) -> set[int]:
        """The instructions that jumps lead to."""
        return {instruction[-1] for instruction in self.code if Operand.JUMP in OPERANDS[Opcode(instruction[0])]}

    def fold(self) -> None:
        """Compute what is known, one basic block at a time."""
        targets = self._targets()
        values = self._constants.values()
        known: dict[int, Constant] = {}
        for index, instruction in enumerate(self.code):
            if index in targets:
                known = {}
            replaced = self._folded(index, instruction, known)
            self.code[index] = replaced
            for register in _written(replaced):
                known.pop(register, None)
            if replaced[0] == Opcode.LOAD:
                if replaced[2] >= len(values):
                    values = self._constants.values()
                known[replaced[1]] = values[replaced[2]]

    def _folded(self, index: int, instruction: Instruction, known: dict[int, Constant]) -> Instruction:
        opcode = Opcode(instruction[0])
        if opcode in _BRANCHES and type(known.get(instruction[1])) is bool:
            taken = known[instruction[1]] is _BRANCHES[opcode]
            return (Opcode.JUMP, instruction[2] if taken else index + 1)
        if opcode is Opcode.OPERATE:
            number, kind = divmod(instruction[4], OPERATION_KINDS)
            return self._computed(instruction, Operator(number), ValueKind(kind), known)
        if opcode in _FOLDED:
            return self._computed(instruction, _FOLDED[opcode], ValueKind.INT64, known)
        return instruction

    def _computed(
        self, instruction: Instruction, operator: Operator, kind: ValueKind, known: dict[int, Constant]
    ) -> Instruction:
        _, target, left, right = instruction[:4]
        if left not in known or right not in known or len(self._constants.values()) >= MAX_CONSTANTS:
            return instruction
        try:
            value = operate(operator, kind, known[left], known[right])
        except Fault:
            return instruction
        assert isinstance(value, int | bool | float | Fixed)
        return (Opcode.LOAD, target, self._constants.index(value))

    def unreached(self) -> set[int]:
        """The instructions that no way leads to, and the jumps to the next one."""
        reached: set[int] = set()
        waiting = [0]
        while waiting:
            index = waiting.pop()
            if index in reached:
                continue
            reached.add(index)
            opcode = Opcode(self.code[index][0])
            if Operand.JUMP in OPERANDS[opcode]:
                waiting.append(self.code[index][-1])
            if opcode not in TERMINATORS:
                waiting.append(index + 1)
        idle = {index for index in reached if self.code[index] == (Opcode.JUMP, index + 1)}
        return (set(range(len(self.code))) - reached) | idle

    def unread(self) -> set[int]:
        """The constants and copies whose register nothing reads."""
        clear: set[int] = set()
        secret: set[int] = set()
        for instruction in self.code:
            clear.update(self._read(instruction))
            kinds = OPERANDS[Opcode(instruction[0])]
            pairs = zip(kinds, instruction[1:], strict=True)
            secret.update(value for kind, value in pairs if kind is Operand.SECRET)
        bases = any(Operand.SECRET_BASE in OPERANDS[Opcode(instruction[0])] for instruction in self.code)
        return {
            index
            for index, (opcode, target, *_) in enumerate((*instruction, 0) for instruction in self.code)
            if (opcode in (Opcode.LOAD, Opcode.MOVE) and target not in clear)
            or (opcode == Opcode.MOVE_SECRET and target not in secret and not bases)
        }

    def _read(self, instruction: Instruction) -> set[int]:
        opcode = Opcode(instruction[0])
        pairs = zip(OPERANDS[opcode], instruction[1:], strict=True)
        read = {value for kind, value in pairs if kind is Operand.CLEAR}
        if opcode is Opcode.CALL:
            base, count = instruction[2], self._arities[instruction[1]]
        elif opcode in (Opcode.NATIVE, Opcode.NATIVE_SECRET):
            base, count = instruction[3], NATIVES[instruction[2]].clear
        elif opcode is Opcode.CALL_CLOSURE:
            base, count = instruction[2], self._registers - instruction[2]
        else:
            return read
        return read | set(range(base, base + count))

    def remove(self, indexes: set[int]) -> None:
        """Take instructions out, and let jumps to them lead to what follows."""
        if not indexes or (len(self.code) - 1 in indexes and self.code[-1][0] not in TERMINATORS):
            return
        places: list[int] = []
        kept = 0
        for index in range(len(self.code)):
            places.append(kept)
            kept += index not in indexes
        if kept == 0 or any(
            places[instruction[-1]] >= kept
            for index, instruction in enumerate(self.code)
            if index not in indexes and Operand.JUMP in OPERANDS[Opcode(instruction[0])]
        ):
            return
        code: list[Instruction] = []
        for index, instruction in enumerate(self.code):
            if index not in indexes:
                jumps = Operand.JUMP in OPERANDS[Opcode(instruction[0])]
                code.append((*instruction[:-1], places[instruction[-1]]) if jumps else instruction)
        if code[-1][0] not in TERMINATORS:
            return
        self.lines = [line for index, line in enumerate(self.lines) if index not in indexes]
        self.code = code


def _written(instruction: Instruction) -> list[int]:
    """The clear registers that an instruction writes."""
    opcode = Opcode(instruction[0])
    kinds = [Operand.CLEAR_TARGET]
    if opcode in (Opcode.CALL, Opcode.CALL_CLOSURE):
        kinds.append(Operand.CLEAR_BASE)
    return [value for kind, value in zip(OPERANDS[opcode], instruction[1:], strict=True) if kind in kinds]
