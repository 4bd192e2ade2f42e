"""What all templates are written with: lines under facts, checks that hand over to the machine, its handlers."""

from __future__ import annotations

import dataclasses
from typing import Final

from quorate.protocol.vm.opcodes import FIRST_OPENING, FIRST_SECRET, Opcode
from quorate.protocol.vm.program import Instruction, Program

from .blocks import Graph
from .facts import ANYTHING, PYTHON_TYPES, TRUTH, Facts, Kind, Value, integer
from .lines import GUARD, Line, Mode, clear_name, secret_name
from .steps import StepPlan

_SMALL: Final = (1 << 30) - 1


@dataclasses.dataclass(frozen=True, slots=True)
class Unit:
    """One function to be translated; `communicates` says of each function of the program whether it may."""

    program: Program
    graph: Graph
    plan: StepPlan
    communicates: tuple[bool, ...]

    @property
    def calls(self) -> bool:
        """Whether the function calls others; then the counters are those of the run, else copies in variables."""
        return any(instruction[0] == Opcode.CALL for instruction in self.graph.function.code)


class Writer:
    """Lines of one block, and the facts that hold behind the last of them."""

    def __init__(self, unit: Unit, number: int, facts: Facts) -> None:
        graph = unit.graph
        self._program = unit.program
        self._communicates = unit.communicates
        self._shares_counters = unit.calls
        self._graph = graph
        self._code = graph.function.code
        self._block = graph.blocks[number]
        self._number = number
        self._plan = unit.plan
        self._index = 0
        self._elided: dict[int, Value] = {}
        self.facts = facts
        self.lines: list[Line] = []
        self.condition = ""
        self.decided: int | None = None
        self.patches: dict[int, dict[int, Value]] = {}

    def _emit(self, text: str, mode: Mode = Mode.BEFORE, depth: int = 0) -> None:
        self.lines.append(Line(text, self._index, mode, depth))

    def _guard(self, condition: str, depth: int = 0) -> None:
        self._emit(f"if {condition}: {GUARD}", depth=depth)

    def _text(self, register: int) -> str:
        return self.facts.value(register).literal or clear_name(register)

    def _known(self, register: int, kind: Kind) -> str:
        """The text of an operand that has to be of `kind`."""
        if self.facts.value(register).kind is not kind:
            if self.facts.value(register).kind is Kind.ANY:
                self._guard(f"type({clear_name(register)}) is not {PYTHON_TYPES[kind]}")
            else:
                self._emit(GUARD)
            self.facts.learn(register, TRUTH if kind is Kind.BOOL else Value(kind))
        return self._text(register)

    def _assign(self, target: int, text: str, value: Value) -> None:
        self._emit(f"{clear_name(target)} = {text}")
        self.facts.put(target, value)

    def _checked(self, text: str, value: Value, *, bounds: tuple[int, int], target: int) -> None:
        """Assign an integer that has to be within `bounds`; a target that is an operand is not touched before."""
        least, most = bounds
        result = integer(max(value.low, least), min(value.high, most))
        safe = target not in self._graph.accesses[self._index].clear
        name = clear_name(target) if safe else "t"
        condition = outside(name, value, bounds)
        if not condition:
            self._assign(target, text, result)
            return
        self._emit(f"{name} = {text}")
        self._guard(condition)
        if not safe:
            self._emit(f"{clear_name(target)} = t")
        self.facts.put(target, result)

    def _needs_no_variable(self, register: int) -> bool:
        """Whether the constant just loaded is used within the block only."""
        for index in range(self._index + 1, self._block.stop):
            if self._graph.accesses[index].clear_target == register:
                return True
        return not self._graph.live_out[self._number] >> register & 1

    def _promised(self, register: int, promise: Value) -> str:
        """The text of an argument or a result that has been promised to the other function."""
        if promise.kind is Kind.ANY:
            return self._text(register)
        text = self._known(register, promise.kind)
        if promise.kind is Kind.INTEGER:
            value = self.facts.value(register)
            condition = outside(text, value, (promise.low, promise.high))
            if condition:
                self._guard(condition)
                self.facts.learn(register, integer(max(value.low, promise.low), min(value.high, promise.high)))
        return text

    def _charge_leaving(self) -> None:
        if self._plan.leaving[self._number]:
            self._emit(f"steps += {self._plan.leaving[self._number]}")
        if not self._shares_counters:
            self._emit("shared_steps = steps")
            self._emit("shared_cells = cells")

    def _settle(self, depth: int = 0) -> None:
        self._emit("if engine.unsettled:", Mode.COUNTED, depth)
        self._emit("yield from engine.settle()", Mode.COUNTED, depth + 1)

    def _handled(self, instruction: Instruction, depth: int = 0) -> None:
        """Let the machine's handler, or its opening, do the instruction on the scratch registers."""
        index, opcode = self._index, instruction[0]
        touched = self._graph.accesses[index]
        for register in touched.clear:
            self._emit(f"scratch_clear[{register}] = {self._text(register)}", Mode.COUNTED, depth)
        for register in touched.secret:
            self._emit(f"scratch_secret[{register}] = {secret_name(register)}", Mode.COUNTED, depth)
        done = self._plan.done[index] + 1
        self._emit(f"state.steps = steps{_signed(done)}", Mode.COUNTED, depth)
        self._emit("state.cells = cells", Mode.COUNTED, depth)
        if opcode >= FIRST_OPENING:
            self._emit(f"yield from open_secrets(state, i{index})", Mode.DONE, depth)
        else:
            self._emit(f"h{opcode}(state, i{index})", Mode.DONE, depth)
            if opcode >= FIRST_SECRET:
                self._emit("if engine.unsettled:", Mode.DONE, depth)
                self._emit("yield from engine.settle()", Mode.DONE, depth + 1)
        self._emit(f"steps = state.steps{_signed(-done)}", Mode.DONE, depth)
        self._emit("cells = state.cells", Mode.DONE, depth)
        if touched.clear_target is not None:
            name = clear_name(touched.clear_target)
            self._emit(f"{name} = scratch_clear[{touched.clear_target}]", Mode.DONE, depth)
            self.facts.put(touched.clear_target, ANYTHING)
        if touched.secret_target is not None:
            name = secret_name(touched.secret_target)
            self._emit(f"{name} = scratch_secret[{touched.secret_target}]", Mode.DONE, depth)
        self._emit(f"if steps > room: {GUARD}", Mode.AFTER, depth)


def outside(name: str, value: Value, bounds: tuple[int, int]) -> str:
    """When a variable that holds `value` is outside `bounds`; empty if that cannot be.

    Python compares small integers much faster than large ones, so a small result is let through first.
    """
    least, most = bounds
    near, far = [], []
    if value.high > most:
        near.append(f"{name} > {min(most, _SMALL)}")
        far.append(f"{name} > {most}")
    if value.low < least:
        near.append(f"{name} < {max(least, -_SMALL)}")
        far.append(f"{name} < {least}")
    if near == far:
        return " or ".join(far)
    return f"({' or '.join(near)}) and ({' or '.join(far)})"


def _signed(number: int) -> str:
    return f" {'-' if number < 0 else '+'} {abs(number)}" if number else ""
