"""One run of a program in translated code, and the machine's part in it.

Every function of the program is a Python function here: translated, or one that lets the machine step through a
frame. Both have the depth of the call and the arguments as parameters; those that may communicate are generators.
A function is translated when it is first called. Where translated code has to stop, the machine takes the frame
over in the middle, with its registers and exact counters, and keeps it until it returns; what that frame calls is
translated code again. Python's stack holds MAX_NESTED_CALLS program calls at most: deeper ones are the machine's,
which needs no stack.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from types import CellType, FunctionType
from typing import Any, Final

from quorate.protocol.mpc import Protocol
from quorate.protocol.vm.engine import EngineError, SecretEngine
from quorate.protocol.vm.handlers import HANDLERS
from quorate.protocol.vm.limits import Fault, Limits, WrongType
from quorate.protocol.vm.machine import fail, open_secrets, step_over
from quorate.protocol.vm.opcodes import FIRST_OPENING, FIRST_SECRET, Opcode
from quorate.protocol.vm.program import Instruction, Program
from quorate.protocol.vm.state import State

from .calls import call_graph
from .facts import keeps, of_type
from .lines import Mode
from .source import COUNTERS, Translation, Unpromised, translate

MAX_NESTED_CALLS: Final = 120
"""The most program calls that are Python calls at once."""
MAX_CACHED_PROGRAMS: Final = 32
"""The most programs whose translation is kept."""
MAX_TRANSLATED_TOTAL: Final = 1 << 15
"""The most instructions of one program that are translated; what comes later is stepped through."""

_TRANSFERS: Final = frozenset({Opcode.CALL, Opcode.RETURN, Opcode.RETURN_SECRET, Opcode.RETURN_NONE})
"""The operations that make or end a frame; those of closures are the machine's own."""


class _Same:
    """A program as a key: equal to itself only, since equal programs may differ in the types of constants."""

    __slots__ = ("program",)

    def __init__(self, program: Program) -> None:
        self.program = program

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.program is other.program

    def __hash__(self) -> int:
        return id(self.program)


class TranslatedProgram:
    """What all runs of a program share; two threads at once may translate a function twice, to the same end."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.calls = call_graph(program)
        self._translations: dict[int, Translation] = {}
        self._left = MAX_TRANSLATED_TOTAL

    def translation(self, number: int) -> Translation | None:
        """The translation of a function, made when it is first asked for; None for one that is stepped through."""
        if not self.calls.translated[number]:
            return None
        size = len(self.program.functions[number].code)
        if number not in self._translations and size <= self._left:
            self._left -= size
            self._translations[number] = translate(self.program, number, self.calls)
        return self._translations.get(number)


@functools.lru_cache(maxsize=MAX_CACHED_PROGRAMS)
def _cached(key: _Same) -> TranslatedProgram:
    return TranslatedProgram(key.program)


def translated_program(program: Program) -> TranslatedProgram:
    """The translation of a program, from the last few used or new."""
    return _cached(_Same(program))


class Stopped(Exception):
    """A dry run ends here, since the program's course depends on an opened value."""


@dataclasses.dataclass(slots=True)
class Frame:
    """A frame that the machine steps through: where it is, its registers, and how many calls are below it."""

    number: int
    position: int
    clear: list[Any] = dataclasses.field(repr=False)
    secret: list[Any] = dataclasses.field(repr=False)
    depth: int


class NestedState(State):
    """A machine's state whose frames can be laid aside while a frame further up runs."""

    def lay_aside(self, frame: Frame) -> tuple[Any, ...]:
        """Make `frame` the active one; returns what `take_up` needs."""
        kept = (self.function, self.position, self.clear, self.secret, self.closure, self._frames)
        function = self.program.functions[frame.number]
        self.function, self.position = function, frame.position
        self.clear, self.secret, self.closure = frame.clear, frame.secret, None
        placeholder = (function, 0, frame.clear, frame.secret, None, 0, 0)
        self._frames = [placeholder] * frame.depth
        return kept

    def take_up(self, kept: tuple[Any, ...]) -> None:
        """Go back to what was laid aside."""
        self.function, self.position, self.clear, self.secret, self.closure, self._frames = kept

    @property
    def depth(self) -> int:
        """How many calls are below the active frame."""
        return len(self._frames)


class Execution:
    """The functions of a program bound to one run."""

    def __init__(self, program: Program, engine: SecretEngine, limits: Limits) -> None:
        self.state = NestedState(program, engine, limits)
        self._program = program
        self._shared = translated_program(program)
        self._translations: dict[int, Translation] = {}
        self._results = [of_type(function.result) for function in program.functions]
        self._promises = [
            [of_type(parameter.type) for parameter in function.parameters if not parameter.secret]
            for function in program.functions
        ]
        self._deepest = min(limits.call_depth - 2, MAX_NESTED_CALLS)
        self._steps, self._cells = CellType(0), CellType(0)
        self._bound = [CellType(self._stub(number)) for number in range(len(program.functions))]
        state = self.state
        state.clear = [None] * max(function.clear_registers for function in program.functions)
        state.secret = [engine.constant(0)] * max(function.secret_registers for function in program.functions)
        self._scratch = state.clear, state.secret
        values = {
            "most_cells": limits.cells,
            "deepest": self._deepest,
            "state": state,
            "engine": engine,
            "scratch_clear": state.clear,
            "scratch_secret": state.secret,
            "zero": state.secret[0],
            "take_over": self._take_over,
            "resume": self.resume,
            "finish": self._finish,
        }
        for operation in (
            "add",
            "subtract",
            "multiply",
            "less_than",
            "equal",
            "add_constant",
            "scale",
            "constant",
        ):
            values[operation] = getattr(engine, operation)
        self._cell = {name: CellType(value) for name, value in values.items()}
        self._cell |= {"steps": self._steps, "cells": self._cells}

    def call(self, number: int, arguments: Sequence[Any]) -> Protocol[Any]:
        """Run a function with clear arguments to its end; raises ProgramFailure or Stopped."""
        return (yield from self._invoke(number, 0, arguments))

    def _invoke(self, number: int, depth: int, arguments: Sequence[Any]) -> Protocol[Any]:
        """Call a function on behalf of the machine, which promises nothing about arguments and results."""
        promises = self._promises[number]
        if all(map(keeps, promises, arguments)):
            callee = self._bound[number].cell_contents
        else:
            callee = functools.partial(self._stepped, number)
        try:
            value = callee(depth, *arguments)
            if self._shared.calls.communicates[number]:
                value = yield from value
        except Unpromised as found:
            return found.value
        return value

    @property
    def steps(self) -> int:
        """The steps taken, when nothing runs."""
        return int(self._steps.cell_contents)

    def _stub(self, number: int) -> Callable[..., Any]:
        """Stands for a function until it is called."""

        def first(*arguments: Any) -> Any:
            function = self._bind(number)
            self._bound[number].cell_contents = function
            return function(*arguments)

        return first

    def _bind(self, number: int) -> Callable[..., Any]:
        translation = self._shared.translation(number)
        if translation is None:
            return functools.partial(self._stepped, number)
        self._translations[number] = translation
        cells = {**self._cell, "room": CellType(self.state.limits.steps - translation.reserve)}
        cells |= {f"f{other}": cell for other, cell in enumerate(self._bound)}
        cells |= {f"shared_{name}": cells[name] for name in COUNTERS}
        closure = tuple(cells[name] for name in translation.code.co_freevars)
        return FunctionType(translation.code, translation.names, f"f{number}", None, closure)

    def _stepped(self, number: int, depth: int, *arguments: Any) -> Any:
        """Begin a frame that the machine steps through."""
        function = self._program.functions[number]
        split = function.clear_parameters
        clear = list(arguments[:split]) + [None] * (function.clear_registers - split)
        secret = list(arguments[split:])
        secret += [self._cell["zero"].cell_contents] * (function.secret_registers - len(secret))
        self._steps.cell_contents += (function.clear_registers + function.secret_registers) >> 4
        self._hand_over()
        frame = Frame(number, 0, clear, secret, depth)
        return self.resume(frame) if self._shared.calls.communicates[number] else self._finish(frame)

    def _hand_over(self) -> None:
        """The counters of translated code become the machine's."""
        self.state.steps, self.state.cells = self._steps.cell_contents, self._cells.cell_contents

    def _take_back(self) -> None:
        self._steps.cell_contents, self._cells.cell_contents = self.state.steps, self.state.cells

    def _take_over(self, number: int, error: Exception, depth: int, variables: dict[str, Any]) -> Frame:
        """Turn a stopped translated function into a frame of the machine; raises ProgramFailure when it has failed."""
        translation = self._translations[number]
        assert error.__traceback__ is not None
        line = translation.lines[error.__traceback__.tb_lineno]
        if line is not None and isinstance(error, Unpromised):
            return self._received(number, depth, variables, line.index, error.value)
        if line is None or (line.mode in (Mode.COUNTED, Mode.DONE) and not isinstance(error, Fault | EngineError)):
            raise error
        frame = self._frame(number, depth, variables, translation.patches.get(line.index, {}))
        state = self.state
        if line.mode is not Mode.DONE:
            steps = variables["steps"] + translation.done[line.index]
            state.steps = steps + (line.mode is not Mode.BEFORE)
            state.cells = variables["cells"]
        if line.mode is Mode.BEFORE:
            frame.position = line.index
            return frame
        frame.position = line.index + 1
        if line.mode is not Mode.AFTER:
            self._failed(frame, error)
        return frame

    def _received(self, number: int, depth: int, variables: dict[str, Any], index: int, value: Any) -> Frame:
        """Go on behind a call whose result is not what translated code is for."""
        frame = self._frame(number, depth, variables, self._translations[number].patches.get(index, {}))
        frame.clear[self._program.functions[number].code[index][2]] = value
        frame.position = index + 1
        self._hand_over()
        return frame

    def _failed(self, frame: Frame, error: Exception) -> None:
        """What the machine does about an instruction that has failed: fail, or in a dry run step over it."""
        state = self.state
        kept = state.lay_aside(frame)
        if not isinstance(error, WrongType):
            fail(state, str(error))
        step_over(state, state.function.code[frame.position - 1], str(error))
        if state.finished:
            raise Stopped from None
        state.take_up(kept)

    def _frame(self, number: int, depth: int, variables: dict[str, Any], patches: dict[int, Any]) -> Frame:
        function = self._program.functions[number]
        clear = [variables.get(f"c{register}") for register in range(function.clear_registers)]
        zero = self._cell["zero"].cell_contents
        secret = [variables.get(f"s{register}", zero) for register in range(function.secret_registers)]
        for register, value in patches.items():
            clear[register] = value.constant
        return Frame(number, 0, clear, secret, depth)

    def _finish(self, frame: Frame) -> Any:
        """`resume` for a function that does not communicate."""
        try:
            next(self.resume(frame))
        except StopIteration as stop:
            return stop.value
        raise AssertionError("a function that does not communicate has communicated")

    def resume(self, frame: Frame) -> Protocol[Any]:
        """Step through a frame until it returns; the value that it returns."""
        state = self.state
        kept = state.lay_aside(frame)
        instruction: Instruction = ()
        while not state.finished:
            try:
                instruction = yield from self._step_through(frame.depth)
                break
            except WrongType as error:
                step_over(state, state.function.code[state.position - 1], str(error))
            except (Fault, EngineError) as error:
                fail(state, str(error))
        if state.finished:
            raise Stopped
        value = _returned(state, instruction)
        state.take_up(kept)
        self._take_back()
        if not keeps(self._results[frame.number], value):
            raise Unpromised(value)
        return value

    def _step_through(self, base: int) -> Protocol[Instruction]:
        """Step until the frame at depth `base` returns, by the instruction that is given back.

        Calls lead to translated code while there is room for it.
        """
        state, engine, most_steps = self.state, self.state.engine, self.state.limits.steps
        while True:
            instruction = state.function.code[state.position]
            state.position += 1
            state.steps += 1
            if state.steps > most_steps:
                raise Fault(f"it took more than {most_steps} steps; loop less, or raise the limit")
            opcode = instruction[0]
            if opcode < FIRST_OPENING:
                if opcode in _TRANSFERS:
                    if opcode == Opcode.CALL:
                        if state.depth <= self._deepest:
                            yield from self._call(instruction)
                            continue
                    elif state.depth == base:
                        return instruction
                HANDLERS[opcode](state, instruction)
                if opcode >= FIRST_SECRET and engine.unsettled:
                    yield from engine.settle()
            else:
                yield from open_secrets(state, instruction)

    def _call(self, instruction: Instruction) -> Protocol[None]:
        state = self.state
        _, number, clear_base, secret_base = instruction
        function = self._program.functions[number]
        arguments = state.clear[clear_base : clear_base + function.clear_parameters]
        arguments += state.secret[secret_base : secret_base + function.secret_parameters]
        kept = state.clear, state.secret, state.closure
        state.clear, state.secret, state.closure = *self._scratch, None
        self._take_back()
        value = yield from self._invoke(number, state.depth + 1, arguments)
        self._hand_over()
        state.clear, state.secret, state.closure = kept
        if function.result.startswith("secret "):
            state.secret[secret_base] = value
        else:
            state.clear[clear_base] = value


def _returned(state: State, instruction: Instruction) -> Any:
    if instruction[0] == Opcode.RETURN_NONE:
        return None
    registers = state.clear if instruction[0] == Opcode.RETURN else state.secret
    return registers[instruction[1]]
