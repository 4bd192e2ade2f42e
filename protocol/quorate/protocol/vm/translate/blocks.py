"""The control-flow graph of a function: basic blocks, dominators, natural loops, and which registers are live.

A block ends at a jump, at a return, before a jump's target, and after a call. Only blocks that the entry reaches
are kept. Dominators are found by the iteration of Cooper, Harvey and Kennedy, "A Simple, Fast Dominance
Algorithm" (2001); a loop is natural when its header dominates the edge that closes it, and a graph in which all
are is reducible: it can be written with `while` and `if` alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from quorate.protocol.vm.natives import NATIVES
from quorate.protocol.vm.opcodes import OPERANDS, TERMINATORS, Opcode, Operand
from quorate.protocol.vm.program import MAX_REGISTERS, Function, Instruction, Program

_CONDITIONAL = (Opcode.JUMP_IF, Opcode.JUMP_UNLESS)


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """The registers that an instruction reads and writes, by file."""

    clear: tuple[int, ...]
    secret: tuple[int, ...]
    clear_target: int | None = None
    secret_target: int | None = None

    @property
    def reads(self) -> int:
        """What is read, as bits: clear registers from bit 0, secret ones from bit MAX_REGISTERS."""
        bits = 0
        for register in self.clear:
            bits |= 1 << register
        for register in self.secret:
            bits |= 1 << MAX_REGISTERS + register
        return bits

    @property
    def writes(self) -> int:
        """What is written, as bits."""
        bits = 0
        if self.clear_target is not None:
            bits |= 1 << self.clear_target
        if self.secret_target is not None:
            bits |= 1 << MAX_REGISTERS + self.secret_target
        return bits


def access(program: Program, instruction: Instruction) -> Access:
    """What an instruction of `program` reads and writes."""
    opcode = Opcode(instruction[0])
    if opcode is Opcode.CALL:
        _, index, clear, secret = instruction
        callee = program.functions[index]
        gives_secret = callee.result.startswith("secret ")
        return Access(
            tuple(range(clear, clear + callee.clear_parameters)),
            tuple(range(secret, secret + callee.secret_parameters)),
            None if gives_secret else clear,
            secret if gives_secret else None,
        )
    if opcode in (Opcode.NATIVE, Opcode.NATIVE_SECRET):
        _, target, number, clear, secret = instruction
        native = NATIVES[number]
        return Access(
            tuple(range(clear, clear + native.clear)),
            tuple(range(secret, secret + native.secrets)),
            target if opcode is Opcode.NATIVE else None,
            target if opcode is Opcode.NATIVE_SECRET else None,
        )
    pairs = list(zip(OPERANDS[opcode], instruction[1:], strict=True))
    return Access(
        tuple(register for kind, register in pairs if kind is Operand.CLEAR),
        tuple(register for kind, register in pairs if kind is Operand.SECRET),
        next((register for kind, register in pairs if kind is Operand.CLEAR_TARGET), None),
        next((register for kind, register in pairs if kind is Operand.SECRET_TARGET), None),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """The instructions `start` to `stop` - 1; `successors` of a conditional jump are: not taken, taken."""

    start: int
    stop: int
    successors: tuple[int, ...]


class Graph:
    """The blocks of a function, numbered in reverse postorder: 0 is the entry, forward edges lead upwards."""

    def __init__(self, program: Program, function: Function) -> None:
        self.function = function
        self.accesses = [access(program, instruction) for instruction in function.code]
        self.blocks = _blocks(function.code)
        self.predecessors: list[list[int]] = [[] for _ in self.blocks]
        for number, block in enumerate(self.blocks):
            for successor in block.successors:
                self.predecessors[successor].append(number)
        self.dominator = self._dominators()
        self.headers = frozenset(target for _, target in self._retreating())
        self.reducible = all(self._dominates(target, source) for source, target in self._retreating())
        self.loops = self._loops() if self.reducible else {}
        self.live_out = self._liveness()

    def opcode(self, number: int) -> Opcode:
        """The last operation of a block."""
        return Opcode(self.function.code[self.blocks[number].stop - 1][0])

    def calls(self, number: int) -> bool:
        """Whether a block ends with a call."""
        return self.opcode(number) is Opcode.CALL

    def forward_predecessors(self, number: int) -> list[int]:
        """The sources of the edges into a block, but for those that close a loop."""
        return [source for source in self.predecessors[number] if source < number]

    def loops_around(self, number: int) -> Iterator[int]:
        """The headers of the loops that a block is in, outermost first."""
        return (header for header in sorted(self.loops) if number in self.loops[header])

    def depth(self, number: int) -> int:
        """How many loops a block is in."""
        return sum(number in body for body in self.loops.values())

    def live_in(self, number: int) -> int:
        """The registers whose values a block or what follows it may read, as bits."""
        live = self.live_out[number]
        for index in range(self.blocks[number].stop - 1, self.blocks[number].start - 1, -1):
            live = live & ~self.accesses[index].writes | self.accesses[index].reads
        return live

    def _retreating(self) -> Iterator[tuple[int, int]]:
        for number, block in enumerate(self.blocks):
            for successor in block.successors:
                if successor <= number:
                    yield number, successor

    def _dominators(self) -> list[int]:
        dominator = [-1] * len(self.blocks)
        dominator[0] = 0
        changed = True
        while changed:
            changed = False
            for number in range(1, len(self.blocks)):
                known = [source for source in self.predecessors[number] if dominator[source] >= 0]
                found = known[0]
                for other in known[1:]:
                    while found != other:
                        if found > other:
                            found = dominator[found]
                        else:
                            other = dominator[other]
                if dominator[number] != found:
                    dominator[number], changed = found, True
        return dominator

    def _dominates(self, upper: int, lower: int) -> bool:
        while lower > upper:
            lower = self.dominator[lower]
        return lower == upper

    def _loops(self) -> dict[int, set[int]]:
        loops: dict[int, set[int]] = {}
        for source, header in self._retreating():
            body = loops.setdefault(header, {header})
            waiting = [source]
            while waiting:
                number = waiting.pop()
                if number not in body:
                    body.add(number)
                    waiting.extend(self.predecessors[number])
        return loops

    def _liveness(self) -> list[int]:
        self.live_out = [0] * len(self.blocks)
        live_in = [0] * len(self.blocks)
        changed = True
        while changed:
            changed = False
            for number in range(len(self.blocks) - 1, -1, -1):
                out = 0
                for successor in self.blocks[number].successors:
                    out |= live_in[successor]
                self.live_out[number] = out
                found = self.live_in(number)
                if found != live_in[number]:
                    live_in[number], changed = found, True
        return self.live_out


def _blocks(code: Sequence[Instruction]) -> list[Block]:
    """The blocks that are reached, in reverse postorder."""
    starts = _starts(code)
    stops = dict(zip(starts, [*starts[1:], len(code)], strict=True))
    order: list[int] = []
    visited = {0}
    waiting = [(0, iter(_targets(code, stops[0])))]
    while waiting:
        start, targets = waiting[-1]
        target = next((target for target in targets if target not in visited), None)
        if target is None:
            order.append(start)
            waiting.pop()
        else:
            visited.add(target)
            waiting.append((target, iter(_targets(code, stops[target]))))
    order.reverse()
    numbers = {start: number for number, start in enumerate(order)}
    return [
        Block(start, stops[start], tuple(numbers[target] for target in _targets(code, stops[start])))
        for start in order
    ]


def _starts(code: Sequence[Instruction]) -> list[int]:
    starts = {0}
    for index, instruction in enumerate(code):
        opcode = Opcode(instruction[0])
        if opcode is Opcode.JUMP or opcode in _CONDITIONAL:
            starts.add(instruction[-1])
        if opcode in TERMINATORS or opcode in _CONDITIONAL or opcode is Opcode.CALL:
            starts.add(index + 1)
    starts.discard(len(code))
    return sorted(starts)


def _targets(code: Sequence[Instruction], stop: int) -> tuple[int, ...]:
    """Where control goes from the block that ends before `stop`: straight on first."""
    last = code[stop - 1]
    if last[0] == Opcode.JUMP:
        return (last[1],)
    if last[0] in _CONDITIONAL:
        return stop, last[2]
    return () if last[0] in TERMINATORS else (stop,)
