"""What a program asks of a session, read off its bytecode: its entry points, its inputs, its secret operations.

A manifest is derived and never stored, so that it cannot disagree with the code.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

from .opcodes import FIRST_SECRET, OPERANDS, Opcode, Operand, ValueKind
from .program import Function, Program


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
        for instruction in function.code:
            opcode = Opcode(instruction[0])
            if opcode >= FIRST_SECRET:
                counts[opcode.name.lower()] += 1
            if opcode is Opcode.INPUT:
                use = InputUse(
                    _known(program, function, instruction[2]),
                    _known(program, function, instruction[3]),
                    ValueKind(instruction[4]),
                )
                inputs[use] = None
    return ProgramManifest(
        entry_points=tuple(_signature(function) for function in program.functions if _is_entry(function)),
        inputs=tuple(inputs),
        secret_operations=tuple(sorted(counts.items())),
        opens=bool(counts["open"] or counts["open_list"]),
        sends=bool(counts["send"] or counts["send_list"]),
    )


def _is_entry(function: Function) -> bool:
    return not any("secret" in parameter.type for parameter in function.parameters)


def _signature(function: Function) -> str:
    parameters = ", ".join(f"{parameter.name}: {parameter.type}" for parameter in function.parameters)
    return f"{function.name}({parameters}) -> {function.result}"


def _known(program: Program, function: Function, register: int) -> int | None:
    """The integer that a clear register always holds, if its one definition in the function loads a constant."""
    if register < function.clear_parameters:
        return None
    definitions = [instruction for instruction in function.code if _writes(instruction, register, program)]
    if len(definitions) != 1 or definitions[0][0] != Opcode.LOAD:
        return None
    constant = program.constants[definitions[0][2]]
    return constant if type(constant) is int else None


def _writes(instruction: tuple[int, ...], register: int, program: Program) -> bool:
    kinds = OPERANDS[Opcode(instruction[0])]
    return any(
        value == register and kind in (Operand.CLEAR_TARGET, Operand.CLEAR_BASE)
        for kind, value in zip(kinds, instruction[1:], strict=True)
    )
