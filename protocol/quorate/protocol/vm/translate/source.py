"""One function of a program as Python source, compiled.

The source consists of names, operators and numbers that this package writes; names and texts of the program reach
it by tables only. Its free variables are cells that all functions of one run share: the counters, the engine's
operations, and the other functions.
"""

from __future__ import annotations

import dataclasses
from types import CodeType
from typing import Any, Final

from quorate.protocol.vm.engine import EngineError, Secret
from quorate.protocol.vm.handlers import HANDLERS
from quorate.protocol.vm.limits import Fault
from quorate.protocol.vm.machine import open_secrets
from quorate.protocol.vm.opcodes import FIRST_OPENING, Opcode
from quorate.protocol.vm.program import MAX_REGISTERS, Program

from .blocks import Graph
from .calls import HANDLED, CallGraph
from .facts import ANYTHING, Facts, Value, of_type
from .lines import GUARD, Line, Mode, clear_name, secret_name
from .steps import plan_steps
from .structure import Placed, Written, structured
from .templates import BlockWriter
from .writer import Unit

SHARED: Final = (
    "deepest",
    "state",
    "engine",
    "add",
    "subtract",
    "multiply",
    "less_than",
    "equal",
    "add_constant",
    "scale",
    "constant",
    "scratch_clear",
    "scratch_secret",
    "zero",
    "take_over",
    "resume",
    "finish",
)
"""The free variables of every function, besides the counters and the functions that it calls."""

COUNTERS: Final = ("steps", "cells", "room", "most_cells")
"""The counters of the run and their limits; a function that calls no other has copies of them in variables."""

_NARROWINGS: Final = 2
"""How often facts are made sharper after they have been found."""


class Unpromised(Exception):
    """A function has returned something that is not of its declared type."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Untranslatable(Exception):
    """The machine has to take over before the instruction at hand."""


_NAMES: Final = {
    "__builtins__": {
        "type": type,
        "int": int,
        "bool": bool,
        "list": list,
        "float": float,
        "len": len,
        "isinstance": isinstance,
        "locals": locals,
    },
    "Secret": Secret,
    "Untranslatable": Untranslatable,
    "caught": (Untranslatable, Unpromised, Fault, EngineError, IndexError, ZeroDivisionError),
    "open_secrets": open_secrets,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Translation:
    """A function as Python code; `lines` says to what each line belongs, from line 1 on.

    `done` and `reserve` are those of the step plan, `patches` the registers that have no variable at a place.
    """

    code: CodeType
    names: dict[str, Any]
    lines: tuple[Line | None, ...]
    done: list[int]
    reserve: int
    patches: dict[int, dict[int, Value]]


def translate(program: Program, number: int, calls: CallGraph) -> Translation:
    """Translate one function of a checked program."""
    function = program.functions[number]
    graph = Graph(program, function)
    unit = Unit(program, graph, plan_steps(graph), calls.communicates)
    known = _known(unit)
    patches: dict[int, dict[int, Value]] = {}
    written = []
    for block, facts in enumerate(known):
        writer = BlockWriter(unit, block, facts.copy())
        writer.write()
        patches.update(writer.patches)
        written.append(Written(writer.lines, writer.condition))
    placed = structured(graph, unit.plan, written)
    lines = _assembled(unit, number, placed, communicates=calls.communicates[number])
    text = "\n".join("  " * depth + line.text for depth, line in lines)
    code = _inner(_inner(compile(text, "<translated>", "exec"), "outside"), "function")
    origins = (None, *(line if depth > 2 else None for depth, line in lines))
    return Translation(code, _names(program, graph), origins, unit.plan.done, unit.plan.reserve, patches)


def _inner(code: CodeType, name: str) -> CodeType:
    return next(each for each in code.co_consts if isinstance(each, CodeType) and each.co_name == name)


def _names(program: Program, graph: Graph) -> dict[str, Any]:
    """The globals of a function: what it needs of the machine, and the constants and instructions that it names."""
    names: dict[str, Any] = dict(_NAMES)
    for index, instruction in enumerate(graph.function.code):
        if instruction[0] in HANDLED:
            names[f"i{index}"] = instruction
            if instruction[0] < FIRST_OPENING:
                names[f"h{instruction[0]}"] = HANDLERS[instruction[0]]
        elif instruction[0] == Opcode.LOAD:
            names[f"k{instruction[2]}"] = program.constants[instruction[2]]
    return names


def _parameters(graph: Graph) -> dict[int, Value]:
    """What the declared types of the clear parameters say, by register."""
    clear = [parameter for parameter in graph.function.parameters if not parameter.secret]
    return {register: of_type(parameter.type) for register, parameter in enumerate(clear)}


def _at_entry(graph: Graph) -> Facts:
    return Facts({register: value for register, value in _parameters(graph).items() if value is not ANYTHING})


def _known(unit: Unit) -> list[Facts]:
    """What is known where each block begins: the least fixed point, but for widening."""
    graph = unit.graph
    count = len(graph.blocks)
    known: list[Facts | None] = [None] * count
    known[0] = _at_entry(graph)
    changed = {header: _changed(graph, header) for header in graph.headers}
    waiting = {0}
    visits = [0] * count
    while waiting:
        number = min(waiting)
        waiting.remove(number)
        for successor, facts in _behind(unit, number, known[number]):
            before = known[successor]
            visits[successor] += before is not None
            if before is None:
                after = facts
            else:
                after = before.merged(facts, widen=changed.get(successor, ()) if visits[successor] > 1 else ())
            if before is None or after.values != before.values:
                known[successor] = after
                waiting.add(successor)
    reached = [facts or Facts() for facts in known]
    for _ in range(_NARROWINGS):
        reached = _narrowed(unit, reached)
    return reached


def _changed(graph: Graph, header: int) -> set[int]:
    """The clear registers that a loop writes; all, when it is no natural loop."""
    body = graph.loops.get(header, range(len(graph.blocks)))
    ranges = (range(graph.blocks[number].start, graph.blocks[number].stop) for number in body)
    targets = {graph.accesses[index].clear_target for each in ranges for index in each}
    return {target for target in targets if target is not None}


def _behind(unit: Unit, number: int, facts: Facts | None) -> list[tuple[int, Facts]]:
    """The successors of a block, each with what is known on the way there."""
    assert facts is not None
    writer = BlockWriter(unit, number, facts.copy())
    writer.write()
    successors = unit.graph.blocks[number].successors
    if len(successors) < 2 or writer.decided is None:
        return [(successor, writer.facts) for successor in successors]
    outcomes = []
    jumps_when = unit.graph.opcode(number) is Opcode.JUMP_IF
    for successor, taken in zip(successors, (False, True), strict=True):
        outcome = writer.facts.copy()
        outcome.comparisons = writer.facts.comparisons
        outcome.suppose(writer.decided, true=taken == jumps_when)
        outcomes.append((successor, outcome.copy()))
    return outcomes


def _narrowed(unit: Unit, known: list[Facts]) -> list[Facts]:
    """One more step from a fixed point reached by widening: it is below that, and still covers everything."""
    found: list[Facts | None] = [None] * len(known)
    found[0] = _at_entry(unit.graph)
    for number, facts in enumerate(known):
        for successor, outcome in _behind(unit, number, facts):
            before = found[successor]
            found[successor] = outcome if before is None else before.merged(outcome)
    return [facts or Facts() for facts in found]


def _assembled(unit: Unit, number: int, placed: list[Placed], *, communicates: bool) -> list[Placed]:
    """The whole source: the function inside another one, whose variables are its free variables."""
    graph = unit.graph
    function = graph.function
    callees = sorted({instruction[1] for instruction in function.code if instruction[0] == Opcode.CALL})
    counted = COUNTERS if callees else [f"shared_{name}" for name in COUNTERS]
    free = " = ".join([*SHARED, *counted, *(f"f{callee}" for callee in callees)])
    names = [
        "d",
        *(clear_name(register) for register in range(function.clear_parameters)),
        *(secret_name(register) for register in range(function.secret_parameters)),
    ]
    counters = "steps, cells" if callees else "shared_steps, shared_cells"
    head = [
        "def outside():",
        f"  {free} = None",
        f"  def function({', '.join(names)}):",
        f"    nonlocal {counters}",
    ]
    lines = [(0, Line(text)) for text in [*head, "    try:"]]
    lines.extend((3, line) for line in _entry(unit, has_calls=bool(callees)))
    lines.extend((depth + 3, line) for depth, line in placed)
    ending = "return (yield from resume(taken))" if communicates else "return finish(taken)"
    tail = [
        "    except caught as error:",
        f"      taken = take_over({number}, error, d, locals())",
        f"    {ending}",
    ]
    lines.extend((0, Line(text)) for text in tail)
    return lines


def _entry(unit: Unit, *, has_calls: bool) -> list[Line]:
    """What is done before the first block: registers, steps, and whether there is room for calls."""
    graph, plan = unit.graph, unit.plan
    function = graph.function
    live = graph.live_in(0)
    lines = []
    for register in range(function.clear_parameters, function.clear_registers):
        if live >> register & 1:
            lines.append(Line(f"{clear_name(register)} = None"))
    for register in range(function.secret_parameters, function.secret_registers):
        if live >> MAX_REGISTERS + register & 1:
            lines.append(Line(f"{secret_name(register)} = zero"))
    if plan.entry:
        lines.append(Line(f"steps += {plan.entry}"))
    if not has_calls:
        copies = "steps, cells, room, most_cells = shared_steps, shared_cells, shared_room, shared_most_cells"
        lines.insert(0, Line(copies))
    else:
        lines.append(Line(f"if d > deepest: {GUARD}", 0, Mode.BEFORE))
    return lines
