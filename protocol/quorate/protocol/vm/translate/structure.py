"""From blocks and edges to `while`, `if`, `break` and `continue`.

A node of the dominator tree is written where the jump to it stands, or, when several jumps lead to it or it lies
behind a loop that is left, after the piece of code that all of them are in (Ramsey, "Beyond Relooper", 2022, whose
WebAssembly blocks are here loops that run once, or nothing at all where control falls through anyway). Python
leaves one loop at a time: a jump out of several sets a variable that is looked at behind each of them. Graphs that
are not reducible, or nest too deeply for Python, become one loop that chooses a block by its number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from .blocks import Graph
from .lines import Line
from .steps import StepPlan

MAX_DEPTH: Final = 60
"""The deepest indentation that is written."""
MAX_LOOPS: Final = 12
"""The most loops within one another that are written."""
MAX_COPIED: Final = 4
"""The longest block that is copied to the jumps that lead to it, in instructions."""

Placed = tuple[int, Line]
"""A line and its indentation."""


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """A block as the templates wrote it; `condition` is when a conditional jump is taken."""

    lines: Sequence[Line]
    condition: str


@dataclasses.dataclass(slots=True)
class _Loop:
    """A `while` around the place that is written: what `continue` and `break` lead to, and who leaves by a variable."""

    header: int | None
    after: int | None
    exits: list[int] = dataclasses.field(default_factory=list)


class _NeedsBlock(Exception):
    """A jump to `target` needs a loop that runs once."""

    def __init__(self, target: int) -> None:
        super().__init__(target)
        self.target = target


class _TooDeep(Exception):
    """The code would nest too deeply."""


def structured(graph: Graph, plan: StepPlan, written: Sequence[Written]) -> list[Placed]:
    """The code of a function, from its entry block on."""
    if graph.reducible:
        blocks: set[int] = set()
        while True:
            try:
                return _Structure(graph, plan, written, blocks=blocks).write()
            except _NeedsBlock as needed:
                assert needed.target not in blocks
                blocks.add(needed.target)
            except (_TooDeep, RecursionError):
                break
    return _Dispatcher(graph, plan, written).write()


class _Writer:
    """Lines with indentation, and what every form of code does at the end of a block."""

    def __init__(self, graph: Graph, plan: StepPlan, written: Sequence[Written]) -> None:
        self._graph = graph
        self._plan = plan
        self._written = written
        self._lines: list[Placed] = []
        self._depth = 0

    def _emit(self, text: str) -> None:
        self._lines.append((self._depth, Line(text)))

    def _body(self, number: int) -> None:
        self._lines.extend((self._depth + line.depth, line) for line in self._written[number].lines)

    def _charge(self, source: int, target: int) -> None:
        steps = self._plan.edges.get((source, target), 0)
        if steps:
            self._emit(f"steps += {steps}")


class _Structure(_Writer):
    def __init__(self, graph: Graph, plan: StepPlan, written: Sequence[Written], *, blocks: set[int]) -> None:
        super().__init__(graph, plan, written)
        self._blocks = blocks
        self._around: list[_Loop] = []
        self._behind_loop: dict[int, list[int]] = {}
        self._behind: dict[int, list[int]] = {}
        self._place()

    def write(self) -> list[Placed]:
        self._sequence(0, None)
        if any(line.text.startswith("g = ") for _, line in self._lines):
            self._lines.insert(0, (0, Line("g = 0")))
        return self._lines

    def _place(self) -> None:
        """Find behind which node each node is written that is not written at a jump to it."""
        graph = self._graph
        for number in range(1, len(graph.blocks)):
            dominator = graph.dominator[number]
            left = [h for h in graph.loops_around(dominator) if number not in graph.loops[h]]
            if left and not self._copied(number):
                self._behind_loop.setdefault(left[0], []).append(number)
            elif not left and len(graph.forward_predecessors(number)) > 1:
                self._behind.setdefault(dominator, []).append(number)
        self._placed = {n for rows in (self._behind_loop, self._behind) for row in rows.values() for n in row}

    def _copied(self, number: int) -> bool:
        """Whether a block ends the function and is short enough to be written at each jump to it."""
        block = self._graph.blocks[number]
        return not block.successors and block.stop - block.start <= MAX_COPIED

    def _sequence(self, number: int | None, fall: int | None) -> None:
        """Write a node and all that follows it here; `fall` is where control goes when it falls off the end."""
        while number is not None:
            number = self._within(number, self._behind_loop.get(number, []), fall, whole=True)

    def _within(self, number: int, behind: Sequence[int], fall: int | None, *, whole: bool) -> int | None:
        """Write a node (the `whole` loop that it heads, or its own code), then the nodes behind it but the last."""
        if not behind:
            if not whole:
                return self._node(number, fall)
            if number in self._graph.headers:
                self._loop(number, fall)
                return None
            return self._within(number, self._behind.get(number, []), fall, whole=False)
        *others, last = behind
        if last in self._blocks:
            self._enter(_Loop(None, last))
            self._finish(self._within(number, others, None, whole=whole), None)
            exits = self._leave()
            self._dispatch(exits)
        else:
            self._finish(self._within(number, others, last, whole=whole), last)
        return last

    def _finish(self, number: int | None, fall: int | None) -> None:
        if number is not None:
            self._sequence(number, fall)

    def _loop(self, header: int, fall: int | None) -> None:
        self._enter(_Loop(header, fall))
        self._finish(self._within(header, self._behind.get(header, []), header, whole=False), header)
        self._dispatch(self._leave())

    def _enter(self, loop: _Loop) -> None:
        self._emit("while True:")
        self._depth += 1
        self._around.append(loop)
        if self._depth > MAX_DEPTH or len(self._around) > MAX_LOOPS:
            raise _TooDeep

    def _leave(self) -> list[int]:
        self._depth -= 1
        return self._around.pop().exits

    def _dispatch(self, exits: Sequence[int]) -> None:
        """Behind a loop: go on to where jumps out of several loops lead."""
        for target in exits:
            self._emit(f"if g == {target + 1}:")
            self._depth += 1
            self._jump_far(target)
            self._depth -= 1

    def _node(self, number: int, fall: int | None) -> int | None:
        """Write one block; returns what to write next, in the same place."""
        block = self._graph.blocks[number]
        self._body(number)
        if not block.successors:
            return None
        if len(block.successors) == 1:
            target = block.successors[0]
            self._charge(number, target)
            return self._jump(target, fall)
        return self._branch(number, fall)

    def _branch(self, number: int, fall: int | None) -> int | None:
        straight, taken = self._graph.blocks[number].successors
        condition = self._written[number].condition
        first, first_ends = self._suite(number, taken, fall)
        second, second_ends = self._suite(number, straight, fall)
        if not first or (second_ends and not first_ends):
            first, second, first_ends = second, first, second_ends
            condition = condition.removeprefix("not ") if condition.startswith("not ") else f"not {condition}"
        if not first:
            return None
        self._emit(f"if {condition}:")
        self._lines.extend(first)
        if second and first_ends:
            self._lines.extend((depth - 1, line) for depth, line in second)
        elif second:
            self._emit("else:")
            self._lines.extend(second)
        return None

    def _suite(self, source: int, target: int, fall: int | None) -> tuple[list[Placed], bool]:
        """The code of one arm, one level deeper, and whether control never falls off its end."""
        if self._depth >= MAX_DEPTH:
            raise _TooDeep
        kept, self._lines = self._lines, []
        self._depth += 1
        self._charge(source, target)
        self._finish(self._jump(target, fall), fall)
        self._depth -= 1
        kept, self._lines = self._lines, kept
        depth, last = kept[-1] if kept else (0, Line(""))
        ends = depth == self._depth + 1 and last.text.split(" ")[0] in ("return", "break", "continue", "raise")
        return kept, ends

    def _jump(self, target: int, fall: int | None) -> int | None:
        """Go to a node; returns it when it is written here."""
        if target == fall:
            return None
        header = target in self._graph.headers and any(loop.header == target for loop in self._around)
        if not header and target not in self._placed:
            return target
        if not self._jump_near(target):
            block = self._graph.blocks[target]
            short = block.stop - block.start <= MAX_COPIED and target not in self._graph.headers
            if short and not block.successors:
                self._body(target)
            elif short and len(block.successors) == 1 and self._is_near(block.successors[0], fall):
                self._body(target)
                self._charge(target, block.successors[0])
                if block.successors[0] != fall:
                    self._jump_near(block.successors[0])
            else:
                self._jump_far(target)
        return None

    def _is_near(self, target: int, fall: int | None) -> bool:
        loop = self._around[-1] if self._around else _Loop(None, None)
        return target in (fall, loop.header, loop.after)

    def _jump_near(self, target: int) -> bool:
        """Go to a node by one `continue` or `break`, if that is possible."""
        loop = self._around[-1] if self._around else _Loop(None, None)
        if target == loop.header:
            self._emit("continue")
        elif target == loop.after:
            self._emit("break")
        else:
            return False
        return True

    def _jump_far(self, target: int) -> None:
        """Go to a node that lies behind, or heads, a loop around this place."""
        if self._jump_near_reset(target):
            return
        if not any(target in (loop.header, loop.after) for loop in self._around):
            raise _NeedsBlock(target)
        self._emit(f"g = {target + 1}")
        self._emit("break")
        if target not in self._around[-1].exits:
            self._around[-1].exits.append(target)

    def _jump_near_reset(self, target: int) -> bool:
        loop = self._around[-1] if self._around else _Loop(None, None)
        if target in (loop.header, loop.after):
            self._emit("g = 0")
            return self._jump_near(target)
        return False


class _Dispatcher(_Writer):
    def write(self) -> list[Placed]:
        self._emit("b = 0")
        self._emit("while True:")
        self._depth += 1
        self._choose(0, len(self._graph.blocks))
        return self._lines

    def _choose(self, first: int, stop: int) -> None:
        if stop - first == 1:
            self._node(first)
            return
        middle = (first + stop) // 2
        self._emit(f"if b < {middle}:")
        self._depth += 1
        self._choose(first, middle)
        self._depth -= 1
        self._emit("else:")
        self._depth += 1
        self._choose(middle, stop)
        self._depth -= 1

    def _node(self, number: int) -> None:
        successors = self._graph.blocks[number].successors
        self._body(number)
        if len(successors) == 1:
            self._go(number, successors[0])
        elif successors:
            straight, taken = successors
            self._emit(f"if {self._written[number].condition}:")
            self._depth += 1
            self._go(number, taken)
            self._depth -= 1
            self._emit("else:")
            self._depth += 1
            self._go(number, straight)
            self._depth -= 1

    def _go(self, source: int, target: int) -> None:
        self._charge(source, target)
        self._emit(f"b = {target}")
