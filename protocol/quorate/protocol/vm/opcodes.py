"""The instruction set: one table that names every operation and what its operands are.

A function has two register files. A clear register holds an integer, a bool, a fixed-point number, a float, a
string, bytes, a closure, a list or a dictionary; a secret register holds the handle of an engine, so that no
instruction can read a secret by mistake: only OPEN, OPEN_LIST and OPEN_POINT cross from one file to the other. Lists
and dictionaries live in clear registers and hold values or handles; an object is the list of its fields.

What would make the set large is in tables of its own: OPERATE has an operator and a kind of number, SECRET_OPERATE
an operator on secrets and a kind, NATIVE one of the functions of `natives`.

The verifier, the loader, the disassembler and the machine all read OPERANDS; a new instruction is one entry
here and one handler in the machine.
"""

from __future__ import annotations

import enum
from typing import Final


class Operand(enum.Enum):
    """What one operand of an instruction is."""

    CLEAR_TARGET = enum.auto()
    CLEAR = enum.auto()
    SECRET_TARGET = enum.auto()
    SECRET = enum.auto()
    CONSTANT = enum.auto()
    JUMP = enum.auto()
    FUNCTION = enum.auto()
    CLEAR_BASE = enum.auto()
    SECRET_BASE = enum.auto()
    KIND = enum.auto()
    QUERY = enum.auto()
    OPERATION = enum.auto()
    SECRET_OPERATION = enum.auto()
    NATIVE = enum.auto()


class ValueKind(enum.IntEnum):
    """A kind of number; behind a secret: what an opened or sent element stands for.

    A FIELD value is the element itself, as bytes when it is clear; a FLOAT is never secret.
    """

    INT64 = 0
    BOOL = 1
    FIELD = 2
    INT8 = 3
    INT16 = 4
    INT32 = 5
    UINT8 = 6
    UINT16 = 7
    UINT32 = 8
    UINT64 = 9
    FIX32 = 10
    FIX64 = 11
    FLOAT = 12


class Query(enum.IntEnum):
    """A public fact about the session that a program may ask for."""

    CLIENTS = 0
    INPUT_CLIENTS = 1
    OUTPUT_CLIENTS = 2
    PARTIES = 3
    THRESHOLD = 4
    FIELD = 5
    PROTOCOL = 6
    INSTANCE = 7
    CURVE = 8


class Opcode(enum.IntEnum):
    """The operations; the numbers are part of the bytecode format and never change meaning."""

    LOAD = 0
    MOVE = 1
    ADD = 2
    SUBTRACT = 3
    MULTIPLY = 4
    DIVIDE = 5
    REMAINDER = 6
    FLOOR_DIVIDE = 7
    MODULO = 8
    NEGATE = 9
    BIT_AND = 10
    BIT_OR = 11
    BIT_XOR = 12
    BIT_NOT = 13
    SHIFT_LEFT = 14
    SHIFT_RIGHT = 15
    EQUAL = 16
    NOT_EQUAL = 17
    LESS = 18
    LESS_EQUAL = 19
    NOT = 20
    MINIMUM = 21
    MAXIMUM = 22
    ABSOLUTE = 23
    CONCATENATE = 24
    JUMP = 25
    JUMP_IF = 26
    JUMP_UNLESS = 27
    CALL = 28
    RETURN = 29
    RETURN_SECRET = 30
    RETURN_NONE = 31
    LIST = 32
    LENGTH = 33
    APPEND = 34
    APPEND_SECRET = 35
    GET = 36
    GET_SECRET = 37
    SET = 38
    SET_SECRET = 39
    POP = 40
    POP_SECRET = 41
    SLICE = 42
    PRINT = 43
    PRINT_LINE = 44
    ASSERT = 45
    QUERY = 46
    CAPABILITY = 47
    OPERATE = 48
    NATIVE = 49
    CLOSURE = 50
    CALL_CLOSURE = 51
    LIFT = 64
    LIFT_BITS = 65
    MOVE_SECRET = 66
    SECRET_ADD = 67
    SECRET_SUBTRACT = 68
    SECRET_NEGATE = 69
    SECRET_ADD_CLEAR = 70
    SECRET_SCALE = 71
    SECRET_MULTIPLY = 72
    SECRET_LESS = 73
    SECRET_EQUAL = 74
    SECRET_NOT = 75
    SECRET_OR = 76
    SECRET_XOR = 77
    SECRET_SELECT = 78
    SECRET_MINIMUM = 79
    SECRET_MAXIMUM = 80
    SECRET_ABSOLUTE = 81
    SECRET_RANDOM = 82
    MULTIPLY_LISTS = 83
    INPUT = 84
    SEND = 85
    SEND_LIST = 86
    NATIVE_SECRET = 87
    SECRET_OPERATE = 88
    SECRET_OPERATE_CLEAR = 89
    OPEN = 96
    OPEN_LIST = 97
    OPEN_POINT = 98


_D, _C = Operand.CLEAR_TARGET, Operand.CLEAR
_T, _S = Operand.SECRET_TARGET, Operand.SECRET
_BINARY = (_D, _C, _C)
_SECRET_BINARY = (_T, _S, _S)

OPERANDS: Final[dict[Opcode, tuple[Operand, ...]]] = {
    Opcode.LOAD: (_D, Operand.CONSTANT),
    Opcode.MOVE: (_D, _C),
    Opcode.ADD: _BINARY,
    Opcode.SUBTRACT: _BINARY,
    Opcode.MULTIPLY: _BINARY,
    Opcode.DIVIDE: _BINARY,
    Opcode.REMAINDER: _BINARY,
    Opcode.FLOOR_DIVIDE: _BINARY,
    Opcode.MODULO: _BINARY,
    Opcode.NEGATE: (_D, _C),
    Opcode.BIT_AND: _BINARY,
    Opcode.BIT_OR: _BINARY,
    Opcode.BIT_XOR: _BINARY,
    Opcode.BIT_NOT: (_D, _C),
    Opcode.SHIFT_LEFT: _BINARY,
    Opcode.SHIFT_RIGHT: _BINARY,
    Opcode.EQUAL: _BINARY,
    Opcode.NOT_EQUAL: _BINARY,
    Opcode.LESS: _BINARY,
    Opcode.LESS_EQUAL: _BINARY,
    Opcode.NOT: (_D, _C),
    Opcode.MINIMUM: _BINARY,
    Opcode.MAXIMUM: _BINARY,
    Opcode.ABSOLUTE: (_D, _C),
    Opcode.CONCATENATE: _BINARY,
    Opcode.JUMP: (Operand.JUMP,),
    Opcode.JUMP_IF: (_C, Operand.JUMP),
    Opcode.JUMP_UNLESS: (_C, Operand.JUMP),
    Opcode.CALL: (Operand.FUNCTION, Operand.CLEAR_BASE, Operand.SECRET_BASE),
    Opcode.RETURN: (_C,),
    Opcode.RETURN_SECRET: (_S,),
    Opcode.RETURN_NONE: (),
    Opcode.LIST: (_D,),
    Opcode.LENGTH: (_D, _C),
    Opcode.APPEND: (_C, _C),
    Opcode.APPEND_SECRET: (_C, _S),
    Opcode.GET: _BINARY,
    Opcode.GET_SECRET: (_T, _C, _C),
    Opcode.SET: (_C, _C, _C),
    Opcode.SET_SECRET: (_C, _C, _S),
    Opcode.POP: (_D, _C),
    Opcode.POP_SECRET: (_T, _C),
    Opcode.SLICE: (_D, _C, _C, _C),
    Opcode.PRINT: (_C,),
    Opcode.PRINT_LINE: (),
    Opcode.ASSERT: (_C, _C),
    Opcode.QUERY: (_D, Operand.QUERY),
    Opcode.CAPABILITY: (_D, _C),
    Opcode.OPERATE: (_D, _C, _C, Operand.OPERATION),
    Opcode.NATIVE: (_D, Operand.NATIVE, Operand.CLEAR_BASE, Operand.SECRET_BASE),
    Opcode.CLOSURE: (_D, Operand.FUNCTION),
    Opcode.CALL_CLOSURE: (_C, Operand.CLEAR_BASE),
    Opcode.LIFT: (_T, _C),
    Opcode.LIFT_BITS: (_T, _C, _C),
    Opcode.MOVE_SECRET: (_T, _S),
    Opcode.SECRET_ADD: _SECRET_BINARY,
    Opcode.SECRET_SUBTRACT: _SECRET_BINARY,
    Opcode.SECRET_NEGATE: (_T, _S),
    Opcode.SECRET_ADD_CLEAR: (_T, _S, _C),
    Opcode.SECRET_SCALE: (_T, _S, _C),
    Opcode.SECRET_MULTIPLY: _SECRET_BINARY,
    Opcode.SECRET_LESS: _SECRET_BINARY,
    Opcode.SECRET_EQUAL: _SECRET_BINARY,
    Opcode.SECRET_NOT: (_T, _S),
    Opcode.SECRET_OR: _SECRET_BINARY,
    Opcode.SECRET_XOR: _SECRET_BINARY,
    Opcode.SECRET_SELECT: (_T, _S, _S, _S),
    Opcode.SECRET_MINIMUM: _SECRET_BINARY,
    Opcode.SECRET_MAXIMUM: _SECRET_BINARY,
    Opcode.SECRET_ABSOLUTE: (_T, _S),
    Opcode.SECRET_RANDOM: (_T, _C),
    Opcode.MULTIPLY_LISTS: _BINARY,
    Opcode.INPUT: (_T, _C, _C, Operand.KIND),
    Opcode.SEND: (_C, _S, Operand.KIND),
    Opcode.SEND_LIST: (_C, _C, Operand.KIND),
    Opcode.NATIVE_SECRET: (_T, Operand.NATIVE, Operand.CLEAR_BASE, Operand.SECRET_BASE),
    Opcode.SECRET_OPERATE: (_T, _S, _S, Operand.SECRET_OPERATION),
    Opcode.SECRET_OPERATE_CLEAR: (_T, _S, _C, Operand.SECRET_OPERATION),
    Opcode.OPEN: (_D, _S, Operand.KIND),
    Opcode.OPEN_LIST: (_D, _C, Operand.KIND),
    Opcode.OPEN_POINT: (_D, _S, _C),
}
"""The operands of every operation, in order."""

TERMINATORS: Final = frozenset({Opcode.JUMP, Opcode.RETURN, Opcode.RETURN_SECRET, Opcode.RETURN_NONE})
"""The operations after which the next instruction is not reached."""

OPCODES: Final = 128
"""Opcodes are below this number."""

OPERATION_KINDS: Final = 16
"""An OPERATION operand is an operator times this, plus a ValueKind; a SECRET_OPERATION likewise."""

FIRST_SECRET: Final = Opcode.LIFT
"""Operations from here on touch secrets and may fill the engine's queue."""
FIRST_OPENING: Final = Opcode.OPEN
"""Operations from here on communicate."""

UNKNOWABLE: Final = frozenset(opcode for opcode, kinds in OPERANDS.items() if kinds[:1] == (_D,)) | {Opcode.ASSERT}
"""Operations that a dry run may step over when a value that only a real run opens reaches them."""
