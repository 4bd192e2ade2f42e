"""Counting steps with few additions: where translated code adds to the counter, and where it looks at the limit.

The machine adds one for each instruction. Translated code adds on edges of the control-flow graph only, and on few
of them: the counter may be ahead of the truth or behind it by a number that depends on the place alone, the
potential of the place. Edges of a maximum spanning tree need no addition, every other edge adds what makes up for
the potentials at its ends (Knuth, "The Art of Computer Programming", 2.3.4.1; Ball and Larus, "Optimally Profiling
and Tracing Programs", 1994, section 3). At entries, calls and returns the counter is exact.

The limit is looked at where a loop begins again, at the entry, behind calls, and behind operations that charge for
the size of their operands; so far from the limit that none of the instructions up to the next such place could
pass it. Nearer to it, the machine takes over and stops at the very instruction.
"""

from __future__ import annotations

import dataclasses

from quorate.protocol.vm.opcodes import Opcode

from .blocks import Graph

_CHARGED = (Opcode.LIST, Opcode.APPEND, Opcode.APPEND_SECRET)
"""Operations of which each allocates one cell, and so counts for two steps."""


@dataclasses.dataclass(frozen=True, slots=True)
class StepPlan:
    """What to add where: `entry` and, by source and target, `edges`; `leaving` before a block's call or return.

    `done` is, by instruction, the number of steps taken before it less the counter. The limit is passed by no
    instruction up to the next look as long as the counter is at most the limit less `reserve`. `looks` are the
    blocks that begin with a look.
    """

    entry: int
    edges: dict[tuple[int, int], int]
    leaving: dict[int, int]
    done: list[int]
    reserve: int
    looks: frozenset[int]


def plan_steps(graph: Graph) -> StepPlan:
    """Choose where to count."""
    function = graph.function
    entry = (function.clear_registers + function.secret_registers) >> 4
    lengths = [sum(weight(graph, index) for index in range(b.start, b.stop)) for b in graph.blocks]
    potential = _potentials(graph, lengths, entry)
    edges = {
        (number, successor): lengths[number] + potential[successor] - potential[number]
        for number, block in enumerate(graph.blocks)
        if not graph.calls(number)
        for successor in block.successors
    }
    leaving = {
        number: lengths[number] - potential[number]
        for number, block in enumerate(graph.blocks)
        if graph.calls(number) or not block.successors
    }
    done = [0] * len(function.code)
    for number, block in enumerate(graph.blocks):
        before = -potential[number]
        for index in range(block.start, block.stop):
            done[index] = before
            before += weight(graph, index)
    after_calls = {s for n, b in enumerate(graph.blocks) if graph.calls(n) for s in b.successors}
    looks = frozenset({0, *graph.headers, *after_calls})
    return StepPlan(entry + potential[0], edges, leaving, done, _reserve(graph, looks, done), looks)


def weight(graph: Graph, index: int) -> int:
    """The steps that an instruction always takes."""
    return 2 if graph.function.code[index][0] in _CHARGED else 1


def _potentials(graph: Graph, lengths: list[int], entry: int) -> list[int]:
    """Potentials that make the additions on the edges of a maximum spanning tree vanish.

    Node -1 stands for everything outside the function, where the counter is exact.
    """
    depth = [min(graph.depth(number), 8) for number in range(len(graph.blocks))]
    edges = [(depth[0], -1, 0, entry)]
    for number, block in enumerate(graph.blocks):
        if graph.calls(number) or not block.successors:
            edges.append((depth[number], number, -1, lengths[number]))
            edges.extend((depth[successor] + 9, -1, successor, 0) for successor in block.successors)
        else:
            edges.extend((min(depth[number], depth[s]), number, s, lengths[number]) for s in block.successors)
    tree = _spanning_tree(sorted(edges, key=lambda edge: -edge[0]), len(graph.blocks))
    potential = {-1: 0}
    waiting = [-1]
    while waiting:
        node = waiting.pop()
        for other, difference in tree.get(node, ()):
            if other not in potential:
                potential[other] = potential[node] + difference
                waiting.append(other)
    return [potential[number] for number in range(len(graph.blocks))]


def _spanning_tree(edges: list[tuple[int, int, int, int]], count: int) -> dict[int, list[tuple[int, int]]]:
    """Kruskal's algorithm; for each node its neighbours with the differences of the potentials."""
    parent = list(range(count + 1))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    tree: dict[int, list[tuple[int, int]]] = {}
    for _, source, target, length in edges:
        one, other = root(source % (count + 1)), root(target % (count + 1))
        if one != other:
            parent[one] = other
            tree.setdefault(source, []).append((target, -length))
            tree.setdefault(target, []).append((source, length))
    return tree


def _reserve(graph: Graph, looks: frozenset[int], done: list[int]) -> int:
    """How far below the limit the counter must be, wherever a look may be: the longest way to the next sure one."""
    heads = [0] * len(graph.blocks)
    reserve = 0
    for number in range(len(graph.blocks) - 1, -1, -1):
        block = graph.blocks[number]
        ahead = max(
            (heads[successor] for successor in block.successors if successor not in looks and successor > number),
            default=0,
        )
        for index in range(block.stop - 1, block.start - 1, -1):
            ahead += weight(graph, index)
            reserve = max(reserve, ahead + done[index])
        heads[number] = ahead
    return reserve
