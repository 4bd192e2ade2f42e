"""What a program asks of a session, read off its bytecode: its entry points, its inputs, its secret operations.

A manifest is derived and never stored, so that it cannot disagree with the code.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

from .opcodes import FIRST_SECRET, OPERANDS, Opcode, Operand, ValueKind
from .program import Function, Instruction, Program


@dataclasses.dataclass(frozen=True, slots=True)
class InputUse:
    """A place that reads an input; `client` and `index` are None where they are computed."""

    client: int | None
    index: int | None
    kind: ValueKind


@dataclasses.dataclass(frozen=True, slots=True)
class ProgramManifest:
    """`entry_points` are the functions whose parameters are all public, with their signatures.

    `secret_operations` counts the places of each secret operation in the code, not how often they run.
    """

    entry_points: tuple[str, ...]
    inputs: tuple[InputUse, ...]
    secret_operations: tuple[tuple[str, int], ...]
    opens: bool
    sends: bool


def manifest(program: Program) -> ProgramManifest:
    """The manifest of `program`."""
    counts: Counter[str] = Counter()
    inputs: dict[InputUse, None] = {}
    for function in program.functions:
        for position, instruction in enumerate(function.code):
            opcode = Opcode(instruction[0])
            if opcode >= FIRST_SECRET:
                counts[opcode.name.lower()] += 1
            if opcode is Opcode.INPUT:
                use = InputUse(
                    _known(program, function, position, instruction[2]),
                    _known(program, function, position, instruction[3]),
                    ValueKind(instruction[4]),
                )
                inputs[use] = None
    return ProgramManifest(
        entry_points=tuple(_signature(function) for function in program.functions if _is_entry(function)),
        inputs=tuple(inputs),
        secret_operations=tuple(sorted(counts.items())),
        opens=bool(counts["open"] or counts["open_list"] or counts["open_point"]),
        sends=bool(counts["send"] or counts["send_list"]),
    )


def _is_entry(function: Function) -> bool:
    return not any("secret" in parameter.type for parameter in function.parameters)


def _signature(function: Function) -> str:
    parameters = ", ".join(f"{parameter.name}: {parameter.type}" for parameter in function.parameters)
    return f"{function.name}({parameters}) -> {function.result}"


def _known(program: Program, function: Function, position: int, register: int) -> int | None:
    """The integer in a clear register at `position`, if a constant was loaded into it on every way there."""
    targets = {
        value
        for instruction in function.code
        for kind, value in zip(OPERANDS[Opcode(instruction[0])], instruction[1:], strict=True)
        if kind is Operand.JUMP
    }
    for index in range(position - 1, -1, -1):
        if index + 1 in targets:
            return None
        instruction = function.code[index]
        if _writes(instruction, register):
            constant = program.constants[instruction[2]] if instruction[0] == Opcode.LOAD else None
            return constant if type(constant) is int else None
    return None


def _writes(instruction: Instruction, register: int) -> bool:
    kinds = OPERANDS[Opcode(instruction[0])]
    return any(
        value == register and kind in (Operand.CLEAR_TARGET, Operand.CLEAR_BASE)
        for kind, value in zip(kinds, instruction[1:], strict=True)
    )
