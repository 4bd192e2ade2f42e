"""Bytecode as text, for people: one line an instruction, with its source line and what its operands name."""

from __future__ import annotations

from collections.abc import Iterator

from .natives import NATIVES
from .numbers import Operator
from .opcodes import OPERANDS, OPERATION_KINDS, Opcode, Operand, Query, ValueKind
from .program import Function, Instruction, Program
from .secret_operators import SecretOperator


def disassemble(program: Program) -> str:
    """The whole program; `c3` is a clear register, `s3` a secret one, `@12` the target of a jump."""
    lines = [f"; {program.source}: {len(program.functions)} functions, {len(program.constants)} constants"]
    for function in program.functions:
        lines.append("")
        lines.extend(_function(program, function))
    return "\n".join(lines) + "\n"


def _function(program: Program, function: Function) -> Iterator[str]:
    parameters = ", ".join(f"{parameter.name}: {parameter.type}" for parameter in function.parameters)
    yield f"def {function.name}({parameters}) -> {function.result}"
    yield f"  ; {function.clear_registers} clear and {function.secret_registers} secret registers"
    previous = None
    for index, (instruction, line) in enumerate(zip(function.code, function.lines, strict=True)):
        where = f"line {line}" if line != previous else ""
        previous = line
        yield f"  {index:5}  {describe(program, instruction):50} {where}".rstrip()


def describe(program: Program, instruction: Instruction) -> str:
    """One instruction as text."""
    opcode = Opcode(instruction[0])
    pairs = zip(OPERANDS[opcode], instruction[1:], strict=True)
    operands = ", ".join(_operand(program, kind, value) for kind, value in pairs)
    return f"{opcode.name.lower():18} {operands}".rstrip()


def _operand(program: Program, kind: Operand, value: int) -> str:
    if kind in (Operand.CLEAR, Operand.CLEAR_TARGET, Operand.CLEAR_BASE):
        return f"c{value}"
    if kind in (Operand.SECRET, Operand.SECRET_TARGET, Operand.SECRET_BASE):
        return f"s{value}"
    if kind is Operand.CONSTANT:
        return repr(program.constants[value])
    if kind is Operand.JUMP:
        return f"@{value}"
    if kind is Operand.FUNCTION:
        return program.functions[value].name
    if kind is Operand.NATIVE:
        return NATIVES[value].name
    if kind in (Operand.OPERATION, Operand.SECRET_OPERATION):
        operator, number = divmod(value, OPERATION_KINDS)
        name = (Operator if kind is Operand.OPERATION else SecretOperator)(operator).name.lower()
        return f"{name} {ValueKind(number).name.lower()}"
    return (ValueKind if kind is Operand.KIND else Query)(value).name.lower()
