"""A compiled program: constants, functions, and the line each instruction came from.

A `Program` is checked when it is made: every register, jump, constant, function and kind that an instruction
names exists, and no function runs off its end. What is left for the machine to check at run time is the type of
a value in a clear register.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Final

from quorate.protocol.errors import ProgramError

from .natives import NATIVES
from .numbers import CLEAR_FIXED_RANGES, FIXED_RANGES, INTEGER_RANGES, Fixed, Operator
from .opcodes import OPERANDS, OPERATION_KINDS, TERMINATORS, Opcode, Operand, Query, ValueKind
from .secret_operators import SecretOperator, works_on

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
UINT64_MOST: Final = (1 << 64) - 1

Instruction = tuple[int, ...]
"""An opcode and its operands."""
Constant = int | bool | str | float | Fixed | None


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
    """A function: `code` and, instruction by instruction, the source line in `lines`.

    `source` names the file that the lines are of, when it is not that of the program.
    """

    name: str
    parameters: tuple[Parameter, ...]
    result: str
    clear_registers: int
    secret_registers: int
    code: tuple[Instruction, ...]
    lines: tuple[int, ...]
    source: str = ""

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


_LEAST_FIXED, _MOST_FIXED = CLEAR_FIXED_RANGES[ValueKind.FIX64]


def _check_constant(constant: Constant) -> None:
    if isinstance(constant, str):
        _check_text(constant, MAX_TEXT_BYTES, "a string constant")
    elif type(constant) is int and not INT64_LEAST <= constant <= UINT64_MOST:
        raise InvalidProgram("an integer constant is outside int64 and uint64")
    elif isinstance(constant, Fixed) and not _LEAST_FIXED <= constant.units <= _MOST_FIXED:
        raise InvalidProgram("a fixed-point constant is outside fix64")
    elif isinstance(constant, float) and not math.isfinite(constant):
        raise InvalidProgram("a float constant is not a finite number")


def _check_function(program: Program, function: Function) -> None:
    name = function.name
    for text in (
        name,
        function.result,
        function.source,
        *(part for p in function.parameters for part in (p.name, p.type)),
    ):
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
        Operand.OPERATION: len(Operator) * OPERATION_KINDS,
        Operand.SECRET_OPERATION: len(SecretOperator) * OPERATION_KINDS,
        Operand.NATIVE: len(NATIVES),
    }
    if any(not 0 <= value < bounds[kind] for kind, value in zip(kinds, instruction[1:], strict=True)):
        return False
    check = _MORE_CHECKS.get(opcode)
    return check is None or check(program, function, instruction)


def _call_fits(program: Program, function: Function, instruction: Instruction) -> bool:
    """Whether the arguments and the result of a call lie inside the caller's registers."""
    _, target, clear_base, secret_base = instruction
    callee = program.functions[target]
    return (
        clear_base + max(1, callee.clear_parameters) <= function.clear_registers
        and secret_base + max(1, callee.secret_parameters) <= function.secret_registers
    )


def _native_fits(program: Program, function: Function, instruction: Instruction) -> bool:
    """Whether the arguments of a native lie inside the registers, and its result is where it gives it."""
    opcode, _, number, clear_base, secret_base = instruction
    native = NATIVES[number]
    return (
        native.gives_secret == (opcode == Opcode.NATIVE_SECRET)
        and clear_base + native.clear <= function.clear_registers
        and secret_base + native.secrets <= function.secret_registers
    )


def _operation_fits(program: Program, function: Function, instruction: Instruction) -> bool:
    kind = instruction[-1] % OPERATION_KINDS
    return kind in INTEGER_RANGES or kind in FIXED_RANGES or kind == ValueKind.FLOAT


def _secret_operation_fits(program: Program, function: Function, instruction: Instruction) -> bool:
    operator, kind = divmod(instruction[-1], OPERATION_KINDS)
    return kind < len(ValueKind) and works_on(SecretOperator(operator), ValueKind(kind))


def _kind_fits(program: Program, function: Function, instruction: Instruction) -> bool:
    return instruction[-1] != ValueKind.FLOAT


_MORE_CHECKS: Final = {
    Opcode.CALL: _call_fits,
    Opcode.NATIVE: _native_fits,
    Opcode.NATIVE_SECRET: _native_fits,
    Opcode.OPERATE: _operation_fits,
    Opcode.SECRET_OPERATE: _secret_operation_fits,
    Opcode.SECRET_OPERATE_CLEAR: _secret_operation_fits,
    Opcode.OPEN: _kind_fits,
    Opcode.OPEN_LIST: _kind_fits,
    Opcode.INPUT: _kind_fits,
    Opcode.SEND: _kind_fits,
    Opcode.SEND_LIST: _kind_fits,
}
"""What some instructions must keep besides the bounds of their operands."""
