"""The program file: one encoding a program, and a loader that refuses everything else."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.errors import ProgramError
from quorate.protocol.vm import (
    MAX_PROGRAM_BYTES,
    Function,
    InvalidProgram,
    Limits,
    Opcode,
    Parameter,
    Program,
    disassemble,
    dump,
    load,
    manifest,
)
from quorate.protocol.vm.natives import NUMBERS
from quorate.protocol.vm.opcodes import OPERANDS

HEADER = struct.Struct("<6sHI32s")
RETURN = (Opcode.RETURN_NONE,)


def sealed(payload: bytes, version: int = 2) -> bytes:
    return HEADER.pack(b"QSTFLB", version, len(payload), hashlib.sha256(payload).digest()) + payload


@pytest.mark.parametrize("name", ["auction", "median", "ballot"])
def test_round_trip(lab: Any, name: str) -> None:
    program = lab.program(name)
    data = dump(program)
    assert load(data) == program
    assert dump(load(data)) == data


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:20], "too few for a header"),
        (lambda data: b"X" + data[1:], "the mark of a program file"),
        (lambda data: data[:6] + b"\x01\x00" + data[8:], "format is version 1"),
        (lambda data: data + b"\x00", "size or checksum"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "size or checksum"),
        (lambda data: sealed(data[44:] + b"\x00"), "bytes follow"),
        (lambda data: sealed(data[44:-1]), "ends in the middle"),
        (lambda data: sealed(b"\xff" * 16), "takes more than 12 bytes"),
        (lambda data: sealed(b"\x01\xff"), "not UTF-8"),
        (lambda data: sealed(b"\x00\x01\x09"), "unknown tag"),
        (lambda data: sealed(b"\x81\x00" + data[45:]), "canonical|count|middle|UTF|tag"),
        (lambda data: b"Q" * (MAX_PROGRAM_BYTES + 1), "the most is"),
    ],
)
def test_damage_is_refused(lab: Any, damage: Any, reason: str) -> None:
    with pytest.raises(InvalidProgram, match=reason):
        load(damage(dump(lab.program("auction"))))


def test_longer_encodings_of_the_same_number_are_refused() -> None:
    program = Program("", (), (Function("f", (), "None", 1, 1, (RETURN,), (1,)),))
    payload = dump(program)[44:]
    assert payload[:2] == b"\x00\x00"
    with pytest.raises(InvalidProgram, match="canonical"):
        load(sealed(b"\x80\x00" + payload[1:]))


@pytest.mark.parametrize(
    "code",
    [
        ((Opcode.MOVE, 0, 1), RETURN),
        ((Opcode.MOVE, 0), RETURN),
        ((99,), RETURN),
        ((), RETURN),
        ((Opcode.LOAD, 0, 1), RETURN),
        ((Opcode.JUMP, 2), RETURN),
        ((Opcode.CALL, 1, 0, 0), RETURN),
        ((Opcode.CALL, 2, 0, 0), RETURN),
        ((Opcode.SECRET_ADD, 0, 0, 1), RETURN),
        ((Opcode.INPUT, 0, 0, 0, 12), RETURN),
        ((Opcode.QUERY, 0, 9), RETURN),
        ((Opcode.OPERATE, 0, 0, 0, 17 * 16), RETURN),
        ((Opcode.OPERATE, 0, 0, 0, 1), RETURN),
        ((Opcode.NATIVE, 0, 999, 0, 0), RETURN),
        ((Opcode.NATIVE, 0, NUMBERS["extend"], 0, 0), RETURN),
        ((Opcode.NATIVE_SECRET, 0, NUMBERS["upper"], 0, 0), RETURN),
        ((Opcode.NATIVE, 0, NUMBERS["random_field"], 0, 0), RETURN),
        ((Opcode.SECRET_OPERATE, 0, 0, 0, 9 * 16), RETURN),
        ((Opcode.SECRET_OPERATE_CLEAR, 0, 0, 0, 13 * 16), RETURN),
        ((Opcode.CLOSURE, 0, 2), RETURN),
        ((Opcode.RETURN_SECRET, 0),),
        ((Opcode.MOVE, 0, 0),),
        (),
    ],
)
def test_code_that_names_what_is_not_there_is_refused(code: tuple[tuple[int, ...], ...]) -> None:
    callee = Function("two", (Parameter("a", "int64"), Parameter("b", "int64")), "int64", 2, 1, (RETURN,), (1,))
    caller = Function("main", (), "None", 1, 1, code, (1,) * len(code))
    with pytest.raises(InvalidProgram):
        Program("x", (None,), (caller, callee))


@pytest.mark.parametrize(
    "function",
    [
        Function("f", (), "None", 0, 1, (RETURN,), (1,)),
        Function("f", (), "None", 1, 5000, (RETURN,), (1,)),
        Function("f", (Parameter("a", "int64"),) * 65, "None", 99, 1, (RETURN,), (1,)),
        Function("f", (Parameter("a", "int64"),) * 2, "None", 1, 1, (RETURN,), (1,)),
        Function("f" * 300, (), "None", 1, 1, (RETURN,), (1,)),
        Function("f", (), "None", 1, 1, (RETURN,), ()),
        Function("f", (), "None", 1, 1, (RETURN,), (-1,)),
        Function("f", (), "secret int64", 1, 1, (RETURN,), (1,)),
    ],
)
def test_functions_out_of_bounds_are_refused(function: Function) -> None:
    with pytest.raises(InvalidProgram):
        Program("x", (), (function,))


def test_programs_out_of_bounds_are_refused() -> None:
    function = Function("f", (), "None", 1, 1, (RETURN,), (1,))
    for program in (("x", (), ()), ("x", (1 << 64,), (function,)), ("x", (), (function, function))):
        with pytest.raises(InvalidProgram):
            Program(*program)


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_mutated_bytes_never_crash(lab: Any, data: st.DataObject) -> None:
    """Whatever survives the loader can be listed and run; it ends with a result or a ProgramError."""
    payload = bytearray(dump(lab.program(data.draw(st.sampled_from(["auction", "ballot", "median"]))))[44:])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(payload) - 1))
        payload[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        program = load(sealed(bytes(payload)))
    except InvalidProgram:
        return
    _use(lab, program)


@given(st.binary(max_size=100))
@settings(max_examples=200, deadline=None)
def test_random_payloads_never_crash(payload: bytes) -> None:
    with pytest.raises(InvalidProgram):
        load(sealed(payload))


OPCODES = st.sampled_from(sorted(Opcode))


@given(st.lists(OPCODES.flatmap(lambda op: st.tuples(st.just(op), *[st.integers(0, 3)] * len(OPERANDS[op])))))
@settings(max_examples=200, deadline=None)
def test_random_instructions_never_crash(lab: Any, code: list[tuple[int, ...]]) -> None:
    code = [*code, RETURN]
    function = Function("main", (), "None", 4, 4, tuple(code), (1,) * len(code))
    try:
        program = Program("x", (1, True, "a", None), (function,))
    except InvalidProgram:
        return
    assert load(dump(program)) == program
    _use(lab, program)


def _use(lab: Any, program: Program) -> None:
    assert disassemble(program)
    manifest(program)
    inputs = {(client, 0): client for client in range(4)}
    for function in program.functions:
        try:
            limits = Limits(steps=3000, cells=3000, call_depth=20, printed_characters=1000)
            lab.clear(program, inputs, entry=function.name, limits=limits)
        except ProgramError:
            continue
