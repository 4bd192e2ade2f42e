"""A compiled program: constants, functions, and the line each instruction came from.

A `Program` is checked when it is made: every register, jump, constant, function and kind that an instruction
names exists, and no function runs off its end. What is left for the machine to check at run time is the type of
a value in a clear register.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from quorate.protocol.errors import ProgramError

from .opcodes import OPERANDS, TERMINATORS, Opcode, Operand, Query, ValueKind

MAX_FUNCTIONS: Final = 1024
"""The most functions of one program."""
MAX_CONSTANTS: Final = 1 << 16
"""The most constants of one program."""
MAX_INSTRUCTIONS_PER_FUNCTION: Final = 1 << 18
"""The longest function, in instructions."""
MAX_REGISTERS: Final = 4096
"""The most registers of one file of one function."""
MAX_PARAMETERS: Final = 64
"""The most parameters of one function."""
MAX_NAME_BYTES: Final = 256
"""The longest name of a function, parameter, type or source file, in bytes of UTF-8."""
MAX_TEXT_BYTES: Final = 1 << 16
"""The longest string constant, in bytes of UTF-8."""
MAX_LINE: Final = (1 << 32) - 1
"""The largest line number that a source map holds."""

INT64_LEAST: Final = -(1 << 63)
INT64_MOST: Final = (1 << 63) - 1

Instruction = tuple[int, ...]
"""An opcode and its operands."""
Constant = int | bool | str | None


class InvalidProgram(ProgramError):
    """The bytecode is malformed; `reason` says where and how."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"invalid program: {reason}; compile it again from its source")
        self.reason = reason


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name, and its type as the language writes it."""

    name: str
    type: str

    @property
    def secret(self) -> bool:
        """Whether the argument travels in a secret register."""
        return self.type.startswith("secret ")


@dataclasses.dataclass(frozen=True, slots=True)
class Function:
    """A function: `code` and, instruction by instruction, the source line in `lines`."""

    name: str
    parameters: tuple[Parameter, ...]
    result: str
    clear_registers: int
    secret_registers: int
    code: tuple[Instruction, ...]
    lines: tuple[int, ...]

    @property
    def clear_parameters(self) -> int:
        """How many arguments travel in clear registers, from the first one on."""
        return sum(not parameter.secret for parameter in self.parameters)

    @property
    def secret_parameters(self) -> int:
        """How many arguments travel in secret registers, from the first one on."""
        return sum(parameter.secret for parameter in self.parameters)


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """A whole program; raises InvalidProgram when it is not well formed."""

    source: str
    constants: tuple[Constant, ...]
    functions: tuple[Function, ...]

    def __post_init__(self) -> None:
        _check_program(self)

    def function(self, name: str) -> Function:
        """The function called `name`; raises ProgramError when there is none."""
        for function in self.functions:
            if function.name == name:
                return function
        names = ", ".join(function.name for function in self.functions[:8])
        raise ProgramError(f"the program has no function {name!r}; it has {names}")


def _check_program(program: Program) -> None:
    _check_text(program.source, MAX_NAME_BYTES, "the source name")
    if not 1 <= len(program.functions) <= MAX_FUNCTIONS:
        raise InvalidProgram(f"{len(program.functions)} functions; from 1 to {MAX_FUNCTIONS} are allowed")
    if len(program.constants) > MAX_CONSTANTS:
        raise InvalidProgram(f"{len(program.constants)} constants; the most is {MAX_CONSTANTS}")
    for constant in program.constants:
        _check_constant(constant)
    if len({function.name for function in program.functions}) != len(program.functions):
        raise InvalidProgram("two functions share a name")
    for function in program.functions:
        _check_function(program, function)


def _check_text(text: str, most: int, what: str) -> None:
    if len(text.encode("utf-8", "surrogatepass")) > most:
        raise InvalidProgram(f"{what} is longer than {most} bytes")


def _check_constant(constant: Constant) -> None:
    if isinstance(constant, str):
        _check_text(constant, MAX_TEXT_BYTES, "a string constant")
    elif type(constant) is int and not INT64_LEAST <= constant <= INT64_MOST:
        raise InvalidProgram("an integer constant is outside int64")


def _check_function(program: Program, function: Function) -> None:
    name = function.name
    for text in (name, function.result, *(part for p in function.parameters for part in (p.name, p.type))):
        _check_text(text, MAX_NAME_BYTES, f"a name or type of function {name[:32]!r}")
    if len(function.parameters) > MAX_PARAMETERS:
        raise InvalidProgram(f"function {name} has more than {MAX_PARAMETERS} parameters")
    files = (
        (function.clear_registers, function.clear_parameters),
        (function.secret_registers, function.secret_parameters),
    )
    if any(not max(1, parameters) <= registers <= MAX_REGISTERS for registers, parameters in files):
        raise InvalidProgram(f"function {name} has too few or too many registers; the most is {MAX_REGISTERS}")
    if not 1 <= len(function.code) <= MAX_INSTRUCTIONS_PER_FUNCTION:
        raise InvalidProgram(
            f"function {name} has no code or more than {MAX_INSTRUCTIONS_PER_FUNCTION} instructions"
        )
    if len(function.lines) != len(function.code) or any(not 0 <= line <= MAX_LINE for line in function.lines):
        raise InvalidProgram(f"the source map of function {name} does not fit its code")
    for index, instruction in enumerate(function.code):
        if not _fits(program, function, instruction):
            raise InvalidProgram(f"instruction {index} of function {name} is malformed")
    if function.code[-1][0] not in TERMINATORS:
        raise InvalidProgram(f"function {name} runs off its end")


def _fits(program: Program, function: Function, instruction: Instruction) -> bool:
    """Whether every operand of `instruction` names something that exists."""
    try:
        opcode = Opcode(instruction[0])
    except (ValueError, IndexError):
        return False
    kinds = OPERANDS[opcode]
    if len(instruction) != len(kinds) + 1:
        return False
    if opcode is Opcode.RETURN or opcode is Opcode.RETURN_NONE:
        if function.result.startswith("secret "):
            return False
    elif opcode is Opcode.RETURN_SECRET and not function.result.startswith("secret "):
        return False
    bounds = {
        Operand.CLEAR: function.clear_registers,
        Operand.CLEAR_TARGET: function.clear_registers,
        Operand.CLEAR_BASE: function.clear_registers,
        Operand.SECRET: function.secret_registers,
        Operand.SECRET_TARGET: function.secret_registers,
        Operand.SECRET_BASE: function.secret_registers,
        Operand.CONSTANT: len(program.constants),
        Operand.JUMP: len(function.code),
        Operand.FUNCTION: len(program.functions),
        Operand.KIND: len(ValueKind),
        Operand.QUERY: len(Query),
    }
    if any(not 0 <= value < bounds[kind] for kind, value in zip(kinds, instruction[1:], strict=True)):
        return False
    return opcode is not Opcode.CALL or _call_fits(program, function, instruction)


def _call_fits(program: Program, function: Function, instruction: Instruction) -> bool:
    """Whether the arguments and the result of a call lie inside the caller's registers."""
    _, target, clear_base, secret_base = instruction
    callee = program.functions[target]
    return (
        clear_base + max(1, callee.clear_parameters) <= function.clear_registers
        and secret_base + max(1, callee.secret_parameters) <= function.secret_registers
    )
