"""The binary form of a program (.stflb), and a loader that trusts nothing.

    magic "QSTFLB" | version u16 | payload size u32 | SHA-256 of the payload, 32 bytes | payload

All integers of the header are little-endian. The payload is, in order: source name, constants, functions. A count
or an operand is a LEB128 varint, a text is its size in bytes and UTF-8, a constant is a tag byte and its value, a
function is its name, parameters, result type, source file, register counts, its instructions (opcode byte, operands)
and its source map (zigzag differences of line numbers). The encoding of a program is unique: bytes that do not encode
to themselves are refused, so the hash of the bytes names the program.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final

from .numbers import Fixed
from .opcodes import OPERANDS, Opcode
from .program import (
    MAX_CONSTANTS,
    MAX_FUNCTIONS,
    MAX_INSTRUCTIONS_PER_FUNCTION,
    MAX_NAME_BYTES,
    MAX_PARAMETERS,
    MAX_TEXT_BYTES,
    Constant,
    Function,
    Instruction,
    InvalidProgram,
    Parameter,
    Program,
)

MAGIC: Final = b"QSTFLB"
VERSION: Final = 2
MAX_PROGRAM_BYTES: Final = 4 << 20
"""The largest program file, in bytes."""
MAX_VARINT_BYTES: Final = 12
"""The longest number, which is a fixed-point constant of 80 bits and a sign."""

_HEADER: Final = struct.Struct("<6sHI32s")
_FLOAT_VALUE: Final = struct.Struct("<d")
_NONE, _FALSE, _TRUE, _INTEGER, _TEXT, _FIXED, _FLOAT = range(7)


def dump(program: Program) -> bytes:
    """The bytes of `program`; raises InvalidProgram when they would exceed MAX_PROGRAM_BYTES."""
    payload = bytearray()
    _put_text(payload, program.source)
    _put_varint(payload, len(program.constants))
    for constant in program.constants:
        _put_constant(payload, constant)
    _put_varint(payload, len(program.functions))
    for function in program.functions:
        _put_function(payload, function)
    data = _HEADER.pack(MAGIC, VERSION, len(payload), hashlib.sha256(payload).digest()) + payload
    if len(data) > MAX_PROGRAM_BYTES:
        raise InvalidProgram(f"{len(data)} bytes; the most is {MAX_PROGRAM_BYTES}")
    return data


def load(data: bytes) -> Program:
    """The program in untrusted `data`; raises InvalidProgram for anything but the encoding of a valid program."""
    if len(data) > MAX_PROGRAM_BYTES:
        raise InvalidProgram(f"{len(data)} bytes; the most is {MAX_PROGRAM_BYTES}")
    if len(data) < _HEADER.size:
        raise InvalidProgram(f"{len(data)} bytes are too few for a header")
    magic, version, size, checksum = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise InvalidProgram("it does not begin with the mark of a program file")
    if version != VERSION:
        raise InvalidProgram(f"its format is version {version}; this release reads version {VERSION}")
    payload = data[_HEADER.size :]
    if len(payload) != size or hashlib.sha256(payload).digest() != checksum:
        raise InvalidProgram("its size or checksum is wrong")
    program = _Reader(payload).program()
    if dump(program) != data:
        raise InvalidProgram("it is not in its canonical encoding")
    return program


def _put_varint(payload: bytearray, value: int) -> None:
    while value >= 0x80:
        payload.append(value & 0x7F | 0x80)
        value >>= 7
    payload.append(value)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _put_text(payload: bytearray, text: str) -> None:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise InvalidProgram("a text holds half of a surrogate pair") from None
    _put_varint(payload, len(data))
    payload += data


def _put_constant(payload: bytearray, constant: Constant) -> None:
    if constant is None:
        payload.append(_NONE)
    elif isinstance(constant, bool):
        payload.append(_TRUE if constant else _FALSE)
    elif isinstance(constant, int):
        payload.append(_INTEGER)
        _put_varint(payload, _zigzag(constant))
    elif isinstance(constant, Fixed):
        payload.append(_FIXED)
        _put_varint(payload, _zigzag(constant.units))
    elif isinstance(constant, float):
        payload.append(_FLOAT)
        payload += _FLOAT_VALUE.pack(constant)
    else:
        payload.append(_TEXT)
        _put_text(payload, constant)


def _put_function(payload: bytearray, function: Function) -> None:
    _put_text(payload, function.name)
    _put_varint(payload, len(function.parameters))
    for parameter in function.parameters:
        _put_text(payload, parameter.name)
        _put_text(payload, parameter.type)
    _put_text(payload, function.result)
    _put_text(payload, function.source)
    _put_varint(payload, function.clear_registers)
    _put_varint(payload, function.secret_registers)
    _put_varint(payload, len(function.code))
    for instruction in function.code:
        for value in instruction:
            _put_varint(payload, value)
    previous = 0
    for line in function.lines:
        _put_varint(payload, _zigzag(line - previous))
        previous = line


class _Reader:
    """Reads a payload front to back; every count is checked against its maximum before anything is built."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._position = 0

    def program(self) -> Program:
        source = self._text(MAX_NAME_BYTES)
        constants = tuple(self._constant() for _ in range(self._count(MAX_CONSTANTS)))
        functions = tuple(self._function() for _ in range(self._count(MAX_FUNCTIONS)))
        if self._position != len(self._payload):
            raise InvalidProgram("bytes follow its last function")
        return Program(source, constants, functions)

    def _byte(self) -> int:
        if self._position >= len(self._payload):
            raise InvalidProgram("it ends in the middle")
        self._position += 1
        return self._payload[self._position - 1]

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 7 * MAX_VARINT_BYTES, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise InvalidProgram(f"a number takes more than {MAX_VARINT_BYTES} bytes")

    def _signed(self) -> int:
        value = self._varint()
        return -((value + 1) >> 1) if value & 1 else value >> 1

    def _count(self, most: int) -> int:
        count = self._varint()
        if count > most or count > len(self._payload):
            raise InvalidProgram(f"a count is {count}; the most is {most}")
        return count

    def _text(self, most: int) -> str:
        size = self._count(most)
        data = self._payload[self._position : self._position + size]
        self._position += size
        if len(data) != size:
            raise InvalidProgram("it ends in the middle of a text")
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise InvalidProgram("a text is not UTF-8") from None

    def _constant(self) -> Constant:
        tag = self._byte()
        if tag == _INTEGER:
            return self._signed()
        if tag == _TEXT:
            return self._text(MAX_TEXT_BYTES)
        if tag == _FIXED:
            return Fixed(self._signed())
        if tag == _FLOAT:
            return float(_FLOAT_VALUE.unpack(bytes(self._byte() for _ in range(_FLOAT_VALUE.size)))[0])
        if tag not in (_NONE, _FALSE, _TRUE):
            raise InvalidProgram(f"a constant has the unknown tag {tag}")
        return None if tag == _NONE else tag == _TRUE

    def _function(self) -> Function:
        name = self._text(MAX_NAME_BYTES)
        parameters = tuple(
            Parameter(self._text(MAX_NAME_BYTES), self._text(MAX_NAME_BYTES))
            for _ in range(self._count(MAX_PARAMETERS))
        )
        result = self._text(MAX_NAME_BYTES)
        source = self._text(MAX_NAME_BYTES)
        clear_registers, secret_registers = self._varint(), self._varint()
        size = self._count(MAX_INSTRUCTIONS_PER_FUNCTION)
        code = tuple(self._instruction() for _ in range(size))
        lines: list[int] = []
        for _ in range(size):
            lines.append((lines[-1] if lines else 0) + self._signed())
        return Function(name, parameters, result, clear_registers, secret_registers, code, tuple(lines), source)

    def _instruction(self) -> Instruction:
        opcode = self._byte()
        try:
            kinds = OPERANDS[Opcode(opcode)]
        except ValueError:
            raise InvalidProgram(f"there is no instruction {opcode}") from None
        return (opcode, *(self._varint() for _ in kinds))
