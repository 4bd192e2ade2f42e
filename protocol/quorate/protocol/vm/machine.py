"""The machine: runs one function of a program on an engine and returns what it computed.

The machine is a generator that yields the engine's communication rounds and nothing else. It keeps its own stack
of frames, so a program's calls never become Python calls. Everything it does is a function of the program, its
arguments and the values it opens: all parties take the same steps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NoReturn

from quorate.protocol.mpc import Protocol

from .engine import UNKNOWN, EngineError, Output, SecretEngine, Unknown
from .handlers import HANDLERS
from .limits import Fault, Limits, ProgramFailure, WrongType
from .natives import NATIVES
from .natives.crypto import decoded_point
from .natives.elements import encode_element
from .numbers import FIXED_RANGES, INTEGER_RANGES, NAMES, Fixed
from .opcodes import FIRST_OPENING, FIRST_SECRET, OPERANDS, UNKNOWABLE, Opcode, Operand, ValueKind
from .program import Instruction, Program
from .state import State
from .values import check_arguments, plain, secrets_of


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What a run produced: the entry function's value, the outputs by client, the printed lines, the steps taken.

    Secrets in `value` are replaced by None: only an output or an opening leaves the engine. `complete` is False
    when a dry run stopped where the program's course depends on an opened value.
    """

    value: Any
    outputs: tuple[Output, ...]
    printed: tuple[str, ...] = ()
    steps: int = 0
    complete: bool = True


def run(
    program: Program,
    engine: SecretEngine,
    *,
    entry: str = "main",
    arguments: Sequence[Any] = (),
    limits: Limits | None = None,
) -> Protocol[Result]:
    """Run function `entry` of `program`; `arguments` are int, bool, str, or (nested) lists of them.

    Raises ProgramFailure with the source line when the program fails, ProgramError when it cannot start.
    """
    function = program.function(entry)
    values = check_arguments(function, arguments)
    state = State(program, engine, limits or Limits())
    state.enter(function, values, [])
    while not state.finished:
        yield from _advance(state)
    outputs = yield from engine.finish()
    return Result(plain(state.value), outputs, state.printer.lines(), state.steps, state.complete)


def _advance(state: State) -> Protocol[None]:
    """Take steps until the program ends or something has to be communicated, which is then done."""
    most_steps, engine = state.limits.steps, state.engine
    instruction: Instruction = ()
    try:
        while not state.finished:
            instruction = state.function.code[state.position]
            state.position += 1
            state.steps += 1
            if state.steps > most_steps:
                raise Fault(f"it took more than {most_steps} steps; loop less, or raise the limit")
            opcode = instruction[0]
            if opcode < FIRST_OPENING:
                HANDLERS[opcode](state, instruction)
                if opcode < FIRST_SECRET or not engine.unsettled:
                    continue
                yield from engine.settle()
            else:
                yield from open_secrets(state, instruction)
    except WrongType as error:
        step_over(state, instruction, str(error))
    except (Fault, EngineError) as error:
        fail(state, str(error))


def open_secrets(state: State, instruction: Instruction) -> Protocol[None]:
    """Do an instruction that opens secrets."""
    opcode, target, source, kind = instruction
    if opcode == Opcode.OPEN_POINT:
        base = decoded_point(state.clear[kind], state.engine.environment.modulus)
        state.clear[target] = yield from state.engine.open_point(state.secret[source], base)
        return
    handles = [state.secret[source]] if opcode == Opcode.OPEN else secrets_of(state.clear[source])
    opened = yield from state.engine.open(handles)
    values = [_opened(value, kind, state.engine.environment.modulus) for value in opened]
    if opcode == Opcode.OPEN:
        state.clear[target] = values[0]
    else:
        state.allocate(len(values))
        state.clear[target] = values


def _opened(value: Any, kind: int, modulus: int) -> Any:
    """An opened element as a value of the language; raises Fault when it is outside its type."""
    if value is UNKNOWN:
        return UNKNOWN
    if kind == ValueKind.BOOL:
        if value not in (0, 1):
            raise Fault("a revealed secret bool is neither 0 nor 1; was it an input that is not a bit?")
        return value == 1
    if kind == ValueKind.FIELD:
        return encode_element(value, modulus)
    fixed = kind in FIXED_RANGES
    least, most = FIXED_RANGES[ValueKind(kind)] if fixed else INTEGER_RANGES[ValueKind(kind)]
    if not least <= value <= most:
        name = NAMES[ValueKind(kind)]
        raise Fault(f"a revealed secret is outside {name}; the secret arithmetic before it overflowed")
    return Fixed.opened(value) if fixed else value


def step_over(state: State, instruction: Instruction, reason: str) -> None:
    """In a dry run a value that only a real run opens makes the result unknown too; otherwise fail.

    The dry run ends early where the program's course depends on such a value.
    """
    opcode = Opcode(instruction[0])
    unknown = [register for register in _sources(instruction) if isinstance(state.clear[register], Unknown)]
    if not unknown:
        fail(state, reason)
    elif opcode is Opcode.NATIVE and not NATIVES[instruction[2]].pure:
        state.finished, state.complete = True, False
    elif opcode in UNKNOWABLE:
        if opcode is not Opcode.ASSERT:
            state.clear[instruction[1]] = UNKNOWN
    elif opcode in (Opcode.LIFT, Opcode.SECRET_ADD_CLEAR, Opcode.SECRET_SCALE, Opcode.SECRET_OPERATE_CLEAR):
        saved = list(state.clear)
        for register in unknown:
            state.clear[register] = 1
        HANDLERS[opcode](state, instruction)
        state.clear[:] = saved
    else:
        state.finished, state.complete = True, False


def _sources(instruction: Instruction) -> list[int]:
    """The clear registers that an instruction reads."""
    opcode = Opcode(instruction[0])
    if opcode in (Opcode.NATIVE, Opcode.NATIVE_SECRET):
        _, _, number, base, _ = instruction
        return list(range(base, base + NATIVES[number].clear))
    pairs = zip(OPERANDS[opcode], instruction[1:], strict=True)
    return [register for kind, register in pairs if kind is Operand.CLEAR]


def fail(state: State, reason: str) -> NoReturn:
    """Raise ProgramFailure at the instruction just begun."""
    line = state.function.lines[state.position - 1]
    source = state.function.source or state.program.source
    raise ProgramFailure(reason, source=source, line=line, function=state.function.name) from None
