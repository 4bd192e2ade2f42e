"""Which functions of a program are worth translating, can be, and communicate: facts of the call graph.

A function is worth it when it may run often: it has a loop, or is called from a loop, by itself in a circle, or by
a function that runs often. What runs once is stepped through in less time than it takes to translate.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Sequence
from typing import Final

from quorate.protocol.vm.opcodes import FIRST_SECRET, Opcode
from quorate.protocol.vm.program import Function, Program

MAX_TRANSLATED_INSTRUCTIONS: Final = 4096
"""The longest function that is translated."""

JUMPS: Final = (Opcode.JUMP, Opcode.JUMP_IF, Opcode.JUMP_UNLESS)
"""The operations that may lead backwards."""

HANDLED: Final = frozenset(
    {
        Opcode.CONCATENATE,
        Opcode.EQUAL,
        Opcode.NOT_EQUAL,
        Opcode.LENGTH,
        Opcode.GET,
        Opcode.GET_SECRET,
        Opcode.SET,
        Opcode.SET_SECRET,
        Opcode.POP_SECRET,
        Opcode.SLICE,
        Opcode.PRINT,
        Opcode.PRINT_LINE,
        Opcode.QUERY,
        Opcode.CAPABILITY,
        Opcode.OPERATE,
        Opcode.NATIVE,
        Opcode.NATIVE_SECRET,
        Opcode.CLOSURE,
        Opcode.LIFT,
        Opcode.LIFT_BITS,
        Opcode.MOVE_SECRET,
        Opcode.SECRET_ADD,
        Opcode.SECRET_SUBTRACT,
        Opcode.SECRET_NEGATE,
        Opcode.SECRET_ADD_CLEAR,
        Opcode.SECRET_SCALE,
        Opcode.SECRET_MULTIPLY,
        Opcode.SECRET_LESS,
        Opcode.SECRET_EQUAL,
        Opcode.SECRET_NOT,
        Opcode.SECRET_OR,
        Opcode.SECRET_XOR,
        Opcode.SECRET_SELECT,
        Opcode.SECRET_MINIMUM,
        Opcode.SECRET_MAXIMUM,
        Opcode.SECRET_ABSOLUTE,
        Opcode.SECRET_RANDOM,
        Opcode.SECRET_OPERATE,
        Opcode.SECRET_OPERATE_CLEAR,
        Opcode.MULTIPLY_LISTS,
        Opcode.INPUT,
        Opcode.SEND,
        Opcode.SEND_LIST,
        Opcode.OPEN,
        Opcode.OPEN_LIST,
        Opcode.OPEN_POINT,
    }
)
"""Operations that read and write nothing but their registers, the counters and the engine.

The machine's own handlers can do them for translated code. A function with an operation that is neither here nor
has a template of its own is stepped through.
"""

_TEMPLATED: Final = frozenset(
    {
        Opcode.LOAD,
        Opcode.MOVE,
        Opcode.ADD,
        Opcode.SUBTRACT,
        Opcode.MULTIPLY,
        Opcode.DIVIDE,
        Opcode.REMAINDER,
        Opcode.FLOOR_DIVIDE,
        Opcode.MODULO,
        Opcode.NEGATE,
        Opcode.BIT_AND,
        Opcode.BIT_OR,
        Opcode.BIT_XOR,
        Opcode.BIT_NOT,
        Opcode.SHIFT_LEFT,
        Opcode.SHIFT_RIGHT,
        Opcode.LESS,
        Opcode.LESS_EQUAL,
        Opcode.NOT,
        Opcode.MINIMUM,
        Opcode.MAXIMUM,
        Opcode.ABSOLUTE,
        Opcode.JUMP,
        Opcode.JUMP_IF,
        Opcode.JUMP_UNLESS,
        Opcode.CALL,
        Opcode.RETURN,
        Opcode.RETURN_SECRET,
        Opcode.RETURN_NONE,
        Opcode.LIST,
        Opcode.APPEND,
        Opcode.APPEND_SECRET,
        Opcode.POP,
        Opcode.ASSERT,
    }
)


@dataclasses.dataclass(frozen=True, slots=True)
class CallGraph:
    """What is known of each function, by its number: whether it may communicate, whether it is translated."""

    communicates: tuple[bool, ...]
    translated: tuple[bool, ...]


def call_graph(program: Program) -> CallGraph:
    """Look through a whole program, in time linear in its size."""
    functions = program.functions
    callees = [_callees(function) for function in functions]
    closures = {
        instruction[2]
        for function in functions
        for instruction in function.code
        if instruction[0] == Opcode.CLOSURE
    }
    for function, called in zip(functions, callees, strict=True):
        if any(instruction[0] == Opcode.CALL_CLOSURE for instruction in function.code):
            called |= closures
    communicates = _marked(
        [number for number, function in enumerate(functions) if _communicates(function)], _callers(callees)
    )
    often = _often(functions, callees, closures)
    translated = tuple(
        often[number] and number not in closures and _translatable(function)
        for number, function in enumerate(functions)
    )
    return CallGraph(tuple(communicates), translated)


def _callees(function: Function) -> set[int]:
    return {instruction[1] for instruction in function.code if instruction[0] == Opcode.CALL}


def _communicates(function: Function) -> bool:
    return any(instruction[0] >= FIRST_SECRET for instruction in function.code)


def _translatable(function: Function) -> bool:
    return len(function.code) <= MAX_TRANSLATED_INSTRUCTIONS and all(
        instruction[0] in HANDLED or instruction[0] in _TEMPLATED for instruction in function.code
    )


def _marked(waiting: list[int], edges: Sequence[Collection[int]]) -> list[bool]:
    """Which functions are reached along `edges` from those that wait, these included."""
    marks = [False] * len(edges)
    while waiting:
        number = waiting.pop()
        if not marks[number]:
            marks[number] = True
            waiting.extend(edges[number])
    return marks


def _often(functions: Sequence[Function], callees: list[set[int]], closures: set[int]) -> list[bool]:
    """Which functions may run more than once, or for long."""
    loops = [_repeated(function) for function in functions]
    waiting = [*closures, *_circular(callees)]
    for function, repeated in zip(functions, loops, strict=True):
        waiting.extend(
            instruction[1]
            for instruction, again in zip(function.code, repeated, strict=True)
            if again and instruction[0] == Opcode.CALL
        )
    called_often = _marked(waiting, callees)
    return [often or any(repeated) for often, repeated in zip(called_often, loops, strict=True)]


def _repeated(function: Function) -> list[bool]:
    """Which instructions lie between a backward jump and its target."""
    opens = [0] * (len(function.code) + 1)
    for index, instruction in enumerate(function.code):
        if instruction[0] in JUMPS and instruction[-1] <= index:
            opens[instruction[-1]] += 1
            opens[index + 1] -= 1
    return [inside > 0 for inside in itertools.accumulate(opens[:-1])]


def _circular(callees: list[set[int]]) -> set[int]:
    """The functions that may be active twice at once, and those between two circles of calls."""
    return _left(callees) & _left(_callers(callees))


def _callers(callees: list[set[int]]) -> list[set[int]]:
    callers: list[set[int]] = [set() for _ in callees]
    for number, called in enumerate(callees):
        for callee in called:
            callers[callee].add(number)
    return callers


def _left(edges: list[set[int]]) -> set[int]:
    """What is left of a graph when nodes without an edge to another that is left are removed again and again."""
    count = [len(targets) for targets in edges]
    backwards = _callers(edges)
    left = set(range(len(edges)))
    waiting = [number for number in left if not count[number]]
    while waiting:
        number = waiting.pop()
        left.discard(number)
        for source in backwards[number]:
            count[source] -= 1
            if not count[source]:
                waiting.append(source)
    return left
